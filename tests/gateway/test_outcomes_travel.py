"""Outcomes wait for the next intents, and go on record by themselves when none come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import ActionCompleted, ActionIntended, Outcome
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import PersonId, SessionId, StreamName
from sojourn.domain.sealed import Sealing
from sojourn.errors import SojournError
from sojourn.gateway.entries import Intention, Result
from sojourn.gateway.journal import DELAY_SECONDS, Journal
from sojourn.gateway.recorder import SessionRecorder
from sojourn.scribe.protocol import Draft
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger, append_drafts
from sojourn.testing.sealer import FixedSealer

INTENTION = Intention(protocol="postgres", verb="read", may_write=False, objects=(), detail=b"{}")
DONE = Result(outcome=Outcome.COMPLETED)


@dataclass(slots=True)
class _Watched:
    """A ledger in memory that keeps what kinds of events each append held."""

    inner: MemoryLedger = field(default_factory=lambda: MemoryLedger(SimulatedClock()))
    appends: list[tuple[str, ...]] = field(default_factory=list)

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        self.appends.append(tuple(change.event.kind for change in changes))
        return await self.inner.append(changes, guards=guards, sealings=sealings, attachments=attachments)

    def append_drafts(
        self, drafts: Sequence[Draft], sealings: Sequence[Sealing], answered: Callable[[SojournError | None], None]
    ) -> None:
        append_drafts(self, drafts, sealings, answered)

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        return await self.inner.stream(stream)


def _recorder() -> tuple[_Watched, SessionRecorder]:
    ledger = _Watched()
    journal = Journal(ledger)
    return ledger, SessionRecorder(journal, ledger, FixedSealer(), SessionId("s-0000000001"), PersonId("alice"))


async def _intend(recorder: SessionRecorder) -> int:
    """Intend one action; gives its number once it is durable."""
    answered: asyncio.Future[tuple[int, ...] | SojournError] = asyncio.get_running_loop().create_future()
    recorder.intend([INTENTION], answered.set_result)
    assert not answered.done()
    numbers = await answered
    assert isinstance(numbers, tuple)
    return numbers[0]


async def test_while_intents_follow_one_another_no_append_holds_outcomes_alone() -> None:
    ledger, recorder = _recorder()
    pause = DELAY_SECONDS / 8
    for _ in range(40):
        number = await _intend(recorder)
        recorder.complete(number, DONE)
        await asyncio.sleep(pause)
    assert ledger.appends[0] == (ActionIntended.kind,)
    # A machine that sleeps too long now and then may show a pause that is a real one.
    travelled = ledger.appends.count((ActionCompleted.kind, ActionIntended.kind))
    assert travelled >= 35


async def test_an_outcome_goes_on_record_by_itself_when_no_intent_follows() -> None:
    ledger, recorder = _recorder()
    number = await _intend(recorder)
    recorder.complete(number, DONE)
    async with asyncio.timeout(5):
        while len(ledger.appends) < 2:
            await asyncio.sleep(DELAY_SECONDS)
    assert ledger.appends == [(ActionIntended.kind,), (ActionCompleted.kind,)]
