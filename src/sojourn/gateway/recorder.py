"""The record of one session: an intent before each action, an outcome after it.

- `intend` returns when the intents are durable; only then may the caller let the actions go on.
- Actions are numbered from 1 without a gap.
- Outcomes wait a moment and travel with the next intents, or by themselves; none is lost while the process lives.
- When an append fails it is not known whether it was recorded. Before the next one the session's stream is read
  again: an intent that did get recorded, but whose action never went on, gets the outcome `skipped`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sojourn.domain.events import ActionCompleted, ActionIntended, CloseCause, Event, Outcome, SessionClosed
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, SessionId, session_stream
from sojourn.domain.sealed import RecordClass, Sealing
from sojourn.errors import Code, SojournError
from sojourn.workflow.ports import Ledger, Sealer

OUTCOMES_PER_APPEND_MAX = 200
NOTES_PER_APPEND_MAX = 200
NOTES_WAITING_MAX = 200
NOTE_BYTES_WAITING_MAX = 4 * 1024 * 1024
DETAIL_BYTES_MAX = 66 * 1024 * 1024
"""What one statement may take in the record, its bound values included; more would not fit into one append."""

OUTCOME_DELAY_SECONDS = 0.02
RETRY_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Intention:
    """What is about to be done, in words of the domain. `detail` is sealed."""

    protocol: str
    verb: str
    may_write: bool
    objects: tuple[str, ...]
    detail: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an action. `message` is sealed."""

    outcome: Outcome
    tags: tuple[str, ...] = ()
    sqlstate: str = ""
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    duration_us: int = 0
    message: bytes = b""


@dataclass(slots=True)
class SessionRecorder:
    """Writes one session's stream. Only one task may call `intend` at a time.

    `number` is that of the last action; `closed` says that the end of the session was found on record, or that the
    session itself never got there. `in_doubt` begins with True when the append that opened it failed.
    """

    ledger: Ledger
    sealer: Sealer
    session: SessionId
    person: PersonId
    number: int = 0
    closed: bool = False
    _outcomes: list[tuple[ActionCompleted, Sealing | None]] = field(default_factory=list)
    _notes: list[tuple[Intention, Result]] = field(default_factory=list)
    in_doubt: bool = False
    _appends: int = 0
    _flusher: asyncio.Task[None] | None = None
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def behind(self) -> bool:
        """Whether so many notes wait that the client has to."""
        waiting = sum(len(intention.detail) for intention, _ in self._notes)
        return len(self._notes) >= NOTES_WAITING_MAX or waiting >= NOTE_BYTES_WAITING_MAX

    async def intend(self, intentions: Sequence[Intention]) -> tuple[int, ...]:
        """Record that these actions will be done, in this order; gives their numbers once that is durable.

        Raises SojournError when it could not be recorded: the actions must not go on.
        """
        size = sum(len(one.detail) for one in intentions)
        if size > DETAIL_BYTES_MAX:
            raise SojournError(Code.RECORD_TOO_LARGE, size=str(size), limit=str(DETAIL_BYTES_MAX))
        async with self._writing:
            await self._clear_doubt()
            while self._notes:
                await self._write_notes()
            return await self._intend(intentions)

    async def _write_notes(self) -> None:
        count, size = 0, 0
        while count < len(self._notes) and count < NOTES_PER_APPEND_MAX and size < NOTE_BYTES_WAITING_MAX:
            size += len(self._notes[count][0].detail)
            count += 1
        notes = self._notes[:count]
        numbers = await self._intend([intention for intention, _ in notes])
        del self._notes[: len(notes)]
        for number, (_, result) in zip(numbers, notes, strict=True):
            self.complete(number, result)

    async def _intend(self, intentions: Sequence[Intention]) -> tuple[int, ...]:
        numbers: list[int] = []
        events: list[Event] = []
        sealings: list[Sealing] = []
        for place, one in enumerate(intentions, start=self.number + 1):
            sealing = self.sealer.seal(self.person, one.detail, RecordClass.STATEMENT)
            sealings.append(sealing)
            numbers.append(place)
            events.append(
                ActionIntended(
                    session=self.session,
                    number=place,
                    protocol=one.protocol,
                    verb=one.verb,
                    may_write=one.may_write,
                    objects=one.objects,
                    detail=sealing.sealed,
                )
            )
        await self._append(events, sealings)
        self.number += len(numbers)
        return tuple(numbers)

    def complete(self, number: int, result: Result) -> None:
        """Note what became of an action; recorded shortly after."""
        sealing = None
        if result.message:
            sealing = self.sealer.seal(self.person, result.message, RecordClass.STATEMENT)
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
        self._outcomes.append((event, sealing))
        self._start_flusher()

    def _start_flusher(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.get_running_loop().create_task(self._flush_soon())

    def note(self, intention: Intention, result: Result) -> None:
        """Record what failed without having become an action: intent and outcome, shortly after."""
        if len(intention.detail) > DETAIL_BYTES_MAX:
            intention = replace(intention, detail=b'{"too_large":true}')
        self._notes.append((intention, result))
        self._start_flusher()

    async def close(self, cause: CloseCause, *, bytes_in: int, bytes_out: int, cut_lag_us: int | None) -> None:
        """Record the end of the session after all outcomes; keeps trying until it is recorded."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
        while True:
            try:
                async with self._writing:
                    await self._clear_doubt()
                    if self.closed:
                        return
                    while self._notes:
                        await self._write_notes()
                    while len(self._outcomes) > OUTCOMES_PER_APPEND_MAX:
                        await self._append((), ())
                    closed = SessionClosed(
                        session=self.session,
                        cause=cause,
                        actions=self.number,
                        bytes_in=bytes_in,
                        bytes_out=bytes_out,
                        cut_lag_us=cut_lag_us,
                    )
                    await self._append((closed,), ())
                    return
            except SojournError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _flush_soon(self) -> None:
        while self._outcomes or self._notes:
            appends = self._appends
            await asyncio.sleep(OUTCOME_DELAY_SECONDS)
            if self._appends != appends:
                # Intents go out and take outcomes along. An append of our own would only hold up the next intent.
                continue
            try:
                async with self._writing:
                    await self._clear_doubt()
                    if self._notes:
                        await self._write_notes()
                    await self._append((), ())
            except SojournError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _append(self, events: Sequence[Event], sealings: Sequence[Sealing]) -> None:
        """Append waiting outcomes and then `events`, all or nothing."""
        outcomes = self._outcomes[:OUTCOMES_PER_APPEND_MAX]
        stream = session_stream(self.session)
        changes = [Change(stream=stream, event=event, seen=None) for event, _ in outcomes]
        changes += [Change(stream=stream, event=event, seen=None) for event in events]
        if not changes:
            return
        extra = [sealing for _, sealing in outcomes if sealing is not None]
        try:
            await self.ledger.append(changes, sealings=(*extra, *sealings))
        except BaseException:
            self.in_doubt = True
            raise
        self._appends += 1
        del self._outcomes[: len(outcomes)]

    async def _clear_doubt(self) -> None:
        """After a failed append: see what is on record, and go on from there."""
        if not self.in_doubt:
            return
        events = [recorded.event for recorded in await self.ledger.stream(session_stream(self.session))]
        intended = [event.number for event in events if isinstance(event, ActionIntended)]
        completed = {event.number for event in events if isinstance(event, ActionCompleted)}
        self._outcomes = [pair for pair in self._outcomes if pair[0].number not in completed]
        self.closed = not events or any(isinstance(event, SessionClosed) for event in events)
        self.in_doubt = False
        for number in intended:
            if number > self.number:
                self.complete(number, Result(outcome=Outcome.SKIPPED))
        self.number = max((self.number, *intended))
