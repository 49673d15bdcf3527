"""The record of one session: an intent before each action, an outcome after it.

- `intend` says when the intents are durable; only then may the caller let the actions go on.
- Actions are numbered from 1 without a gap.
- Outcomes wait a moment and travel with the next intents of whatever session, or by themselves; none is lost while
  the process lives.
- What is refused because the record is away is kept, and written with its outcome when the record is back.
- When an append fails it is not known whether it was recorded. Before the next one the session's stream is read
  again: an intent that did get recorded, but whose action never went on, gets the outcome `skipped`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import ActionCompleted, ActionIntended, CloseCause, Outcome, SessionClosed, SessionConnected
from sojourn.domain.identifiers import PersonId, SessionId, StreamName, session_stream
from sojourn.domain.sealed import RecordClass, Sealing
from sojourn.domain.tuples import maker
from sojourn.errors import Code, SojournError
from sojourn.scribe.protocol import Draft
from sojourn.workflow.ports import Ledger, Sealer

from .entries import Intention, Result, completed, drafted, intended, number_of
from .journal import NOBODYS_FAULT, Journal, Part
from .signal import Signal

NOTES_PER_APPEND_MAX = 200
NOTES_WAITING_MAX = 200
NOTE_BYTES_WAITING_MAX = 4 * 1024 * 1024
DETAIL_BYTES_MAX = 66 * 1024 * 1024
"""What one statement may take in the record, its bound values included; more would not fit into one append."""

ENTRY_BYTES = 512
"""What an entry takes on its way, about; what is sealed comes on top."""

RETRY_SECONDS = 0.25
REFUSED = ("refused",)
"""The tag of an action that did not go on because it could not be put on record."""

_part = maker(Part)


Recorded = Callable[[tuple[int, ...] | SojournError], None]
"""Told the numbers of actions whose intents are durable, or why they must not go on."""


@dataclass(slots=True)
class SessionRecorder:
    """Writes one session's stream. The next `intend` comes after the last one was answered.

    `number` is that of the last action; `closed` says that the end of the session was found on record, or that the
    session itself never got there. `in_doubt` begins with True when the append that opened it failed. What has more
    rows than `mark_rows_over` is marked as that; 0 marks nothing.
    """

    journal: Journal
    ledger: Ledger
    sealer: Sealer
    session: SessionId
    person: PersonId
    number: int = 0
    closed: bool = False
    in_doubt: bool = False
    mark_rows_over: int = 0
    stream: StreamName = field(init=False)
    _notes: list[tuple[Intention, Result]] = field(default_factory=list)
    _returned: list[Part] = field(default_factory=list)
    _waiting: tuple[Sequence[Intention], Recorded] | None = None
    _under_way: int = 0
    _sent: tuple[Sequence[Intention], Recorded, Outcome] | None = None
    _settling: bool = False
    _settled: Signal = field(default_factory=Signal)
    _asked: Signal = field(default_factory=Signal)
    _mending: asyncio.Task[None] | None = None
    _closing: bool = False
    _processes: list[int] = field(default_factory=list)

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

    def intend(self, intentions: Sequence[Intention], then: Recorded, otherwise: Outcome = Outcome.SKIPPED) -> None:
        """Record that these actions will be done, in this order, and say so; never before this has returned.

        `otherwise` is what became of them if that cannot be recorded now.
        """
        size = 0
        for one in intentions:
            size += len(one.detail)
        if size > DETAIL_BYTES_MAX:
            error = SojournError(Code.RECORD_TOO_LARGE, size=str(size), limit=str(DETAIL_BYTES_MAX))
            for one in intentions:
                self.note(one, Result(outcome=otherwise, message=error.refusal.sentence.encode()))
            asyncio.get_running_loop().call_soon(then, error)
        elif not self.prompt:
            self._waiting = (intentions, then)
            self._mend_soon()
        else:
            self._send(intentions, then, otherwise)

    def _send(self, intentions: Sequence[Intention], then: Recorded, otherwise: Outcome = Outcome.SKIPPED) -> None:
        self._sent = (intentions, then, otherwise)
        self._under_way += 1
        self.journal.record(_part((*self._intents(intentions), self._intents_over)))

    def _intents_over(self, part: Part, error: SojournError | None) -> None:
        sent, self._sent = self._sent, None
        assert sent is not None, "an answer comes once"
        intentions, then, otherwise = sent
        self._part_over()
        if error is not None:
            self.in_doubt = True
            # What was noted meanwhile came after it.
            self._notes[:0] = _refused(intentions, error, otherwise)
            self._mend_soon()
            then(error)
            return
        first, count = self.number + 1, len(part.drafts)
        self.number += count
        then((first,) if count == 1 else tuple(range(first, first + count)))

    def _intents(self, intentions: Sequence[Intention]) -> tuple[list[Draft], list[Sealing], int]:
        """The intents of the next actions, what is sealed in them, and their size."""
        drafts: list[Draft] = []
        sealings: list[Sealing] = []
        size, number = 0, self.number
        for one in intentions:
            number += 1
            sealing = self.sealer.seal(self.person, one.detail, RecordClass.STATEMENT)
            size += ENTRY_BYTES + len(sealing.ciphertext)
            sealings.append(sealing)
            drafts.append(intended(self.stream, self.session, number, one, sealing))
        return drafts, sealings, size

    def connected(self, process: int) -> None:
        """Note that the target let the session in, as its `process`; recorded shortly after. May come several times."""
        if process not in self._processes:
            self._processes.append(process)

        def over(_: Part, error: SojournError | None) -> None:
            self._part_over()
            if error is not None:
                self.in_doubt = True
                self._mend_soon()

        draft = drafted(self.stream, SessionConnected(session=self.session, process=process))
        self._record_soon(Part((draft,), (), ENTRY_BYTES, over))

    def complete(self, number: int, result: Result) -> None:
        """Note what became of an action; recorded shortly after."""
        self._under_way += 1
        self.journal.record_soon(self._outcome(number, result))

    def _outcome(self, number: int, result: Result) -> Part:
        if 0 < self.mark_rows_over < result.rows:
            result = result._replace(tags=(*result.tags, f"more than {self.mark_rows_over} rows"))
        if not result.message:
            draft = completed(self.stream, self.session, number, result, None)
            return _part(((draft,), (), ENTRY_BYTES, self._outcome_over))
        sealing = self.sealer.seal(self.person, result.message, RecordClass.STATEMENT)
        draft = completed(self.stream, self.session, number, result, sealing)
        return Part((draft,), (sealing,), ENTRY_BYTES + len(sealing.ciphertext), self._outcome_over)

    def _outcome_over(self, part: Part, error: SojournError | None) -> None:
        self._part_over()
        if error is not None:
            self.in_doubt = True
            self._returned.append(part)
            self._mend_soon()

    def _record_soon(self, part: Part) -> None:
        self._under_way += 1
        self.journal.record_soon(part)

    def _part_over(self) -> None:
        self._under_way -= 1
        if self._settling and not self._under_way:
            self._settled.set()

    def note(self, intention: Intention, result: Result) -> None:
        """Record what is over already, or failed without having become an action: intent and outcome, shortly after."""
        if len(intention.detail) > DETAIL_BYTES_MAX:
            size = len(intention.detail)
            intention = intention._replace(detail=b'{"size":%d,"too_large":true}' % size)
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
                    (intentions, then), self._waiting = self._waiting, None
                    self._notes += _refused(intentions, error, Outcome.SKIPPED)
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
        if self.in_doubt or self._notes or self._sent is not None:
            await self._settle()
        if self.in_doubt:
            await self._clear_doubt()
        while self._notes and not self.closed:
            await self._write_notes()

    async def _settle(self) -> None:
        """Wait until no append of this session is under way."""
        self._settling = True
        while self._under_way:
            self.journal.hurry()
            self._settled.clear()
            await self._settled.wait()
        self._settling = False

    async def _write_notes(self) -> None:
        count, size = 0, 0
        while count < len(self._notes) and count < NOTES_PER_APPEND_MAX and size < NOTE_BYTES_WAITING_MAX:
            size += len(self._notes[count][0].detail)
            count += 1
        notes = self._notes[:count]
        intents, sealings, size = self._intents([intention for intention, _ in notes])
        drafts: list[Draft] = []
        for number, (intent, (_, result)) in enumerate(zip(intents, notes, strict=True), start=self.number + 1):
            outcome = self._outcome(number, result)
            drafts += (intent, *outcome.drafts)
            sealings += outcome.sealings
            size += outcome.size
        await self._record(drafts, sealings, size)
        self.number += count
        del self._notes[:count]

    async def _record(self, drafts: Sequence[Draft], sealings: Sequence[Sealing], size: int) -> None:
        try:
            await self.journal.recorded(drafts, sealings, size)
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
        if self._waiting is not None:
            (intentions, _), self._waiting = self._waiting, None
            self._notes += _refused(intentions, SojournError(Code.RECORD_UNAVAILABLE), Outcome.SKIPPED)
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
                await self._record((drafted(self.stream, closed),), (), ENTRY_BYTES)
            except SojournError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.closed = True
                return

    async def _clear_doubt(self) -> None:
        """After a failed append: see what is on record, and go on from there."""
        events = [recorded.event for recorded in await self.ledger.stream(self.stream)]
        begun = [event.number for event in events if isinstance(event, ActionIntended)]
        ended = {event.number for event in events if isinstance(event, ActionCompleted)}
        returned, self._returned = self._returned, []
        self.closed = not events or any(isinstance(event, SessionClosed) for event in events)
        self.in_doubt = False
        unknown = [number for number in begun if number > self.number]
        # What was in doubt are the first notes: with their outcomes in one append, or as intents alone.
        found, self._notes = self._notes[: len(unknown)], self._notes[len(unknown) :]
        self.number = max((self.number, *begun))
        if self.closed:
            return
        known = {event.process for event in events if isinstance(event, SessionConnected)}
        for process in self._processes:
            if process not in known:
                self.connected(process)
        for part in returned:
            if number_of(part.drafts[0]) not in ended:
                self._record_soon(part)
        for number, (_, result) in zip(unknown, found, strict=True):
            if number not in ended:
                self.complete(number, result)


def _refused(intentions: Sequence[Intention], error: SojournError, outcome: Outcome) -> list[tuple[Intention, Result]]:
    """What is to be noted of actions that cannot be recorded now; what is refused for its content never can."""
    if error.code not in NOBODYS_FAULT:
        return []
    result = Result(outcome=outcome, tags=REFUSED, message=error.refusal.sentence.encode())
    return [(one, result) for one in intentions]
