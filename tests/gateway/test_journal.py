"""What sessions record at once travels together, and no session harms another by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import ActionCompleted, ActionIntended, CloseCause, Event, Outcome, SessionClosed
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import PersonId, SessionId, StreamName
from sojourn.domain.sealed import Sealing
from sojourn.errors import Code, SojournError
from sojourn.gateway.entries import Intention, Result
from sojourn.gateway.journal import EVENTS_PER_APPEND_MAX, Journal
from sojourn.gateway.recorder import SessionRecorder
from sojourn.scribe.protocol import Draft
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger, append_drafts
from sojourn.testing.sealer import FixedSealer

DONE = Result(outcome=Outcome.COMPLETED)
FAILED = Result(outcome=Outcome.FAILED, sqlstate="42601")
POISON = "a table whose name no ledger takes"


def _intention(objects: tuple[str, ...] = ()) -> Intention:
    return Intention(protocol="postgres", verb="read", may_write=False, objects=objects, detail=b"{}")


@dataclass(slots=True)
class _Ledger:
    """A ledger in memory that refuses what names POISON, and loses as many answers as it is told to."""

    inner: MemoryLedger = field(default_factory=lambda: MemoryLedger(SimulatedClock()))
    appends: list[int] = field(default_factory=list)
    answers_to_lose: int = 0

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        self.appends.append(len(changes))
        if any(isinstance(one.event, ActionIntended) and POISON in one.event.objects for one in changes):
            raise SojournError(Code.RECORD_TOO_LARGE, size="70000", limit="65535")
        receipt = await self.inner.append(changes, guards=guards, sealings=sealings, attachments=attachments)
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise SojournError(Code.RECORD_UNAVAILABLE)
        return receipt

    def append_drafts(
        self, drafts: Sequence[Draft], sealings: Sequence[Sealing], answered: Callable[[SojournError | None], None]
    ) -> None:
        append_drafts(self, drafts, sealings, answered)

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        return await self.inner.stream(stream)

    def events(self, recorder: SessionRecorder) -> list[Event]:
        return [one.event for one in self.inner.entries if one.stream == recorder.stream]


def _recorders(count: int) -> tuple[_Ledger, list[SessionRecorder]]:
    ledger = _Ledger()
    journal = Journal(ledger)
    names = [SessionId(f"s-{place:010d}") for place in range(count)]
    return ledger, [SessionRecorder(journal, ledger, FixedSealer(), name, PersonId("alice")) for name in names]


Answer = tuple[int, ...] | SojournError


def _ask(recorder: SessionRecorder, *intentions: Intention) -> asyncio.Future[Answer]:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    recorder.intend(intentions or [_intention()], answered.set_result)
    return answered


async def test_what_many_sessions_intend_in_one_turn_is_one_append() -> None:
    ledger, recorders = _recorders(50)
    answers = await asyncio.gather(*map(_ask, recorders))
    assert answers == [(1,)] * 50
    assert ledger.appends == [50]


async def test_an_append_holds_no_more_than_the_scribe_takes() -> None:
    ledger, recorders = _recorders(3)
    many = [_intention()] * (EVENTS_PER_APPEND_MAX // 2 + 1)
    answers = await asyncio.gather(*(_ask(recorder, *many) for recorder in recorders))
    assert all(isinstance(one, tuple) and len(one) == len(many) for one in answers)
    assert ledger.appends == [len(many)] * 3


async def test_what_is_refused_for_its_content_harms_no_other_session() -> None:
    _, recorders = _recorders(5)
    asked = [_ask(recorder) for recorder in recorders[:4]]
    refused = _ask(recorders[4], _intention((POISON,)))
    assert await asyncio.gather(*asked) == [(1,)] * 4
    answer = await refused
    assert isinstance(answer, SojournError)
    assert answer.code is Code.RECORD_TOO_LARGE
    # The session that was refused goes on too.
    assert await _ask(recorders[4]) == (1,)


async def test_notes_whose_answer_was_lost_are_not_written_twice() -> None:
    ledger, (recorder,) = _recorders(1)
    assert await _ask(recorder) == (1,)
    recorder.complete(1, DONE)
    ledger.answers_to_lose = 2
    recorder.note(_intention(), FAILED)
    recorder.note(_intention(), FAILED)
    await recorder.close(CloseCause.CLIENT_CLOSED, bytes_in=0, bytes_out=0, cut_lag_us=None)
    events = ledger.events(recorder)
    assert sorted(one.number for one in events if isinstance(one, ActionIntended)) == [1, 2, 3]
    assert sorted(one.number for one in events if isinstance(one, ActionCompleted)) == [1, 2, 3]
    assert isinstance(events[-1], SessionClosed)
    assert events[-1].actions == 3


async def test_an_intent_whose_answer_was_lost_is_skipped_and_the_session_goes_on() -> None:
    ledger, (recorder,) = _recorders(1)
    ledger.answers_to_lose = 1
    assert isinstance(await _ask(recorder), SojournError)
    assert await _ask(recorder) == (2,)
    recorder.complete(2, DONE)
    await recorder.close(CloseCause.CLIENT_CLOSED, bytes_in=0, bytes_out=0, cut_lag_us=None)
    outcomes = {one.number: one.outcome for one in ledger.events(recorder) if isinstance(one, ActionCompleted)}
    assert outcomes == {1: Outcome.SKIPPED, 2: Outcome.COMPLETED}


async def test_no_outcome_is_lost_while_the_record_is_away() -> None:
    ledger, (recorder,) = _recorders(1)
    numbers = await _ask(recorder, *[_intention()] * 10)
    assert isinstance(numbers, tuple)
    ledger.inner.failing = True
    for number in numbers:
        recorder.complete(number, DONE)
    await asyncio.sleep(0.1)
    assert isinstance(await _ask(recorder), SojournError)
    ledger.inner.failing = False
    await recorder.close(CloseCause.CLIENT_CLOSED, bytes_in=0, bytes_out=0, cut_lag_us=None)
    events = ledger.events(recorder)
    outcomes = {one.number: one.outcome for one in events if isinstance(one, ActionCompleted)}
    # What was refused meanwhile is on record as that.
    assert outcomes == dict.fromkeys(numbers, Outcome.COMPLETED) | {len(numbers) + 1: Outcome.SKIPPED}
    assert isinstance(events[-1], SessionClosed)
