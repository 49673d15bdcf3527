"""The record of one session: an intent before each action, an outcome after it.

- `intend` says when the intents are durable; only then may the caller let the actions go on.
- Actions are numbered from 1 without a gap.
- Outcomes wait a moment and travel with the next intents of whatever session, or by themselves; none is lost while
  the process lives.
- When an append fails it is not known whether it was recorded. Before the next one the session's stream is read
  again: an intent that did get recorded, but whose action never went on, gets the outcome `skipped`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    CloseCause,
    Event,
    Outcome,
    SessionClosed,
    SessionConnected,
)
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, SessionId, StreamName, session_stream
from sojourn.domain.sealed import RecordClass, Sealing
from sojourn.errors import Code, SojournError
from sojourn.workflow.ports import Ledger, Sealer

from .journal import Journal, Part

NOTES_PER_APPEND_MAX = 200
NOTES_WAITING_MAX = 200
NOTE_BYTES_WAITING_MAX = 4 * 1024 * 1024
DETAIL_BYTES_MAX = 66 * 1024 * 1024
"""What one statement may take in the record, its bound values included; more would not fit into one append."""

RETRY_SECONDS = 0.25


class Intention(NamedTuple):
    """What is about to be done, in words of the domain. `detail` is sealed. (A tuple: one is made a statement.)"""

    protocol: str
    verb: str
    may_write: bool
    objects: tuple[str, ...]
    detail: bytes


class Result(NamedTuple):
    """What became of an action. `message` is sealed."""

    outcome: Outcome
    tags: tuple[str, ...] = ()
    sqlstate: str = ""
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    duration_us: int = 0
    message: bytes = b""


Recorded = Callable[[tuple[int, ...] | SojournError], None]
"""Told the numbers of actions whose intents are durable, or why they must not go on."""


@dataclass(slots=True)
class SessionRecorder:
    """Writes one session's stream. The next `intend` comes after the last one was answered.

    `number` is that of the last action; `closed` says that the end of the session was found on record, or that the
    session itself never got there. `in_doubt` begins with True when the append that opened it failed.
    """

    journal: Journal
    ledger: Ledger
    sealer: Sealer
    session: SessionId
    person: PersonId
    number: int = 0
    closed: bool = False
    in_doubt: bool = False
    stream: StreamName = field(init=False)
    _notes: list[tuple[Intention, Result]] = field(default_factory=list)
    _returned: list[tuple[ActionCompleted, Sealing | None]] = field(default_factory=list)
    _waiting: tuple[Sequence[Intention], Recorded] | None = None
    _under_way: int = 0
    _intending: bool = False
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)
    _mending: asyncio.Task[None] | None = None
    _closing: bool = False
    _process: int | None = None

    def __post_init__(self) -> None:
        """Name the stream once."""
        self.stream = session_stream(self.session)

    @property
    def behind(self) -> bool:
        """Whether so many notes wait that the client has to."""
        if not self._notes:
            return False
        waiting = sum(len(intention.detail) for intention, _ in self._notes)
        return len(self._notes) >= NOTES_WAITING_MAX or waiting >= NOTE_BYTES_WAITING_MAX

    @property
    def prompt(self) -> bool:
        """Whether the next `intend` is sent on without anything else having to be recorded first."""
        return not (self.in_doubt or self._notes or self._mending is not None)

    def intend(self, intentions: Sequence[Intention], then: Recorded) -> None:
        """Record that these actions will be done, in this order, and say so; never before this has returned."""
        size = sum(len(one.detail) for one in intentions)
        if size > DETAIL_BYTES_MAX:
            error = SojournError(Code.RECORD_TOO_LARGE, size=str(size), limit=str(DETAIL_BYTES_MAX))
            asyncio.get_running_loop().call_soon(then, error)
        elif not self.prompt:
            self._waiting = (intentions, then)
            self._mend_soon()
        else:
            self._send(intentions, then)

    def _send(self, intentions: Sequence[Intention], then: Recorded) -> None:
        changes, sealings = self._intended(intentions)
        last = self.number + len(changes)

        def over(error: SojournError | None) -> None:
            self._intending = False
            self._part_over()
            if error is not None:
                self.in_doubt = True
                then(error)
                return
            numbers = tuple(range(self.number + 1, last + 1))
            self.number = last
            then(numbers)

        self._intending = True
        self._under_way += 1
        self.journal.record(Part(changes, sealings, over))

    def _intended(self, intentions: Sequence[Intention]) -> tuple[list[Change], list[Sealing]]:
        changes: list[Change] = []
        sealings: list[Sealing] = []
        for place, one in enumerate(intentions, start=self.number + 1):
            sealing = self.sealer.seal(self.person, one.detail, RecordClass.STATEMENT)
            sealings.append(sealing)
            event = ActionIntended(
                session=self.session,
                number=place,
                protocol=one.protocol,
                verb=one.verb,
                may_write=one.may_write,
                objects=one.objects,
                detail=sealing.sealed,
            )
            changes.append(self._change(event))
        return changes, sealings

    def _change(self, event: Event) -> Change:
        return Change(stream=self.stream, event=event, seen=None)

    def connected(self, process: int) -> None:
        """Note that the target let the session in, as its `process`; recorded shortly after."""
        self._process = process

        def over(error: SojournError | None) -> None:
            self._part_over()
            if error is not None:
                self.in_doubt = True
                self._mend_soon()

        self._under_way += 1
        event = SessionConnected(session=self.session, process=process)
        self.journal.record_soon(Part((self._change(event),), (), over))

    def complete(self, number: int, result: Result) -> None:
        """Note what became of an action; recorded shortly after."""
        self._record_outcome(*self._completed(number, result))

    def _completed(self, number: int, result: Result) -> tuple[ActionCompleted, Sealing | None]:
        sealing = self.sealer.seal(self.person, result.message, RecordClass.STATEMENT) if result.message else None
        event = ActionCompleted(
            session=self.session,
            number=number,
            outcome=result.outcome,
            tags=result.tags,
            sqlstate=result.sqlstate,
            rows=result.rows,
            bytes_in=result.bytes_in,
            bytes_out=result.bytes_out,
            duration_us=result.duration_us,
            message=None if sealing is None else sealing.sealed,
        )
        return event, sealing

    def _record_outcome(self, event: ActionCompleted, sealing: Sealing | None) -> None:
        def over(error: SojournError | None) -> None:
            self._part_over()
            if error is not None:
                self.in_doubt = True
                self._returned.append((event, sealing))
                self._mend_soon()

        self._under_way += 1
        self.journal.record_soon(Part((self._change(event),), () if sealing is None else (sealing,), over))

    def _part_over(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._settled.set()

    def note(self, intention: Intention, result: Result) -> None:
        """Record what failed without having become an action: intent and outcome, shortly after."""
        if len(intention.detail) > DETAIL_BYTES_MAX:
            intention = intention._replace(detail=b'{"too_large":true}')
        self._notes.append((intention, result))
        self._mend_soon()

    def _mend_soon(self) -> None:
        self._asked.set()
        if self._mending is None and not self._closing:
            self._mending = asyncio.get_running_loop().create_task(self._mend())

    async def _mend(self) -> None:
        """Clear up doubts, write the notes, and then send on what waited for that; again until it is done."""
        while True:
            self._asked.clear()
            try:
                await self._catch_up()
            except SojournError as error:
                if self._waiting is not None:
                    (_, then), self._waiting = self._waiting, None
                    then(error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_SECONDS):
                        await self._asked.wait()
                continue
            if self.closed or not (self.in_doubt or self._notes):
                break
        self._mending = None
        if self._waiting is not None:
            (intentions, then), self._waiting = self._waiting, None
            self._send(intentions, then)

    async def _catch_up(self) -> None:
        """Read what is on record if that is in doubt, and write the notes. Raises SojournError."""
        if self.in_doubt or self._notes or self._intending:
            await self._settle()
        if self.in_doubt:
            await self._clear_doubt()
        while self._notes and not self.closed:
            await self._write_notes()

    async def _settle(self) -> None:
        """Wait until no append of this session is under way."""
        while self._under_way:
            self.journal.hurry()
            self._settled.clear()
            await self._settled.wait()

    async def _write_notes(self) -> None:
        count, size = 0, 0
        while count < len(self._notes) and count < NOTES_PER_APPEND_MAX and size < NOTE_BYTES_WAITING_MAX:
            size += len(self._notes[count][0].detail)
            count += 1
        notes = self._notes[:count]
        intents, sealings = self._intended([intention for intention, _ in notes])
        changes: list[Change] = []
        for number, (intent, (_, result)) in enumerate(zip(intents, notes, strict=True), start=self.number + 1):
            event, sealing = self._completed(number, result)
            changes += (intent, self._change(event))
            sealings += () if sealing is None else (sealing,)
        await self._record(changes, sealings)
        self.number += count
        del self._notes[:count]

    async def _record(self, changes: Sequence[Change], sealings: Sequence[Sealing]) -> None:
        try:
            await self.journal.recorded(changes, sealings)
        except BaseException:
            self.in_doubt = True
            raise

    async def close(self, cause: CloseCause, *, bytes_in: int, bytes_out: int, cut_lag_us: int | None) -> None:
        """Record the end of the session after all outcomes; keeps trying until it is recorded."""
        self._closing = True
        if self._mending is not None:
            # What it had still to do is done here.
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)
        self._waiting = None
        while True:
            try:
                await self._catch_up()
                if self.closed:
                    return
                closed = SessionClosed(
                    session=self.session,
                    cause=cause,
                    actions=self.number,
                    bytes_in=bytes_in,
                    bytes_out=bytes_out,
                    cut_lag_us=cut_lag_us,
                )
                await self._record((self._change(closed),), ())
            except SojournError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.closed = True
                return

    async def _clear_doubt(self) -> None:
        """After a failed append: see what is on record, and go on from there."""
        events = [recorded.event for recorded in await self.ledger.stream(self.stream)]
        intended = [event.number for event in events if isinstance(event, ActionIntended)]
        completed = {event.number for event in events if isinstance(event, ActionCompleted)}
        returned, self._returned = self._returned, []
        self.closed = not events or any(isinstance(event, SessionClosed) for event in events)
        self.in_doubt = False
        unknown = [number for number in intended if number > self.number]
        # Notes are recorded with their outcome in one append, actions never are.
        del self._notes[: sum(number in completed for number in unknown)]
        self.number = max((self.number, *intended))
        if self.closed:
            return
        if self._process is not None and not any(isinstance(event, SessionConnected) for event in events):
            self.connected(self._process)
        for event, sealing in returned:
            if event.number not in completed:
                self._record_outcome(event, sealing)
        for number in unknown:
            if number not in completed:
                self.complete(number, Result(outcome=Outcome.SKIPPED))
