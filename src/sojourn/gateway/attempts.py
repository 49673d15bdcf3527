"""Every attempt to get in that was refused is on record; a flood of them is on record as a count.

From one source the first attempts of a minute are recorded one by one. What comes on top is counted and recorded
as one entry when the minute is over, so that nobody can fill the ledger from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sojourn.domain.events import AttemptRefused
from sojourn.domain.history import Change
from sojourn.domain.identifiers import ATTEMPTS
from sojourn.errors import Refusal, SojournError
from sojourn.workflow.ports import Ledger

ONE_BY_ONE_MAX = 30
SOURCES_MAX = 10_000
PERIOD_SECONDS = 60.0
TEXT_MAX = 200


@dataclass(slots=True)
class _Tally:
    """Attempts from one source within a period."""

    since: float
    count: int = 0
    unsaid: int = 0
    last: AttemptRefused | None = None


@dataclass(slots=True)
class AttemptRecorder:
    """Records refused attempts of one gateway."""

    ledger: Ledger
    monotonic: Callable[[], float]
    _tallies: dict[str, _Tally] = field(default_factory=dict)

    async def refused(self, *, actor: str, refusal: Refusal, subject: str, source: str) -> None:
        """Put a refused attempt on record. If the record cannot be written the caller still lets nobody in."""
        address = source.rsplit(":", 1)[0]
        tally = self._tallies.get(address)
        if tally is None or self.monotonic() - tally.since >= PERIOD_SECONDS:
            before = tally
            tally = self._tallies[address] = _Tally(since=self.monotonic())
            await self._say(before)
            while len(self._tallies) > SOURCES_MAX:
                await self._say_rest(next(iter(self._tallies)))
        event = AttemptRefused(
            verb="connect",
            actor=actor[:TEXT_MAX],
            code=refusal.code,
            subject=subject[:TEXT_MAX],
            source=source,
            details=tuple((name, value[:TEXT_MAX]) for name, value in sorted(refusal.details.items())),
        )
        tally.count += 1
        if tally.count > ONE_BY_ONE_MAX:
            tally.unsaid += 1
            tally.last = event
            return
        await self._append(event)

    async def flush(self, *, everything: bool = False) -> None:
        """Record the counts of periods that are over (of all, at the end)."""
        now = self.monotonic()
        for address, tally in tuple(self._tallies.items()):
            if everything or now - tally.since >= PERIOD_SECONDS:
                await self._say_rest(address)

    async def _say_rest(self, address: str) -> None:
        await self._say(self._tallies.pop(address, None))

    async def _say(self, tally: _Tally | None) -> None:
        if tally is None or tally.last is None:
            return
        last = tally.last
        await self._append(
            AttemptRefused(
                verb=last.verb,
                actor=last.actor,
                code=last.code,
                subject=last.subject,
                source=last.source,
                details=(*last.details, ("attempts_like_this", str(tally.unsaid))),
            )
        )

    async def _append(self, event: AttemptRefused) -> None:
        try:
            await self.ledger.append([Change(stream=ATTEMPTS, event=event, seen=None)])
        except SojournError:
            # Nobody is let in either way. What cannot be recorded now is counted, and said when the record is back.
            tally = self._tallies.setdefault(event.source.rsplit(":", 1)[0], _Tally(since=self.monotonic()))
            tally.unsaid += 1
            tally.last = event
