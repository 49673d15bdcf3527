"""What all sessions of a gateway record within one turn of the loop goes to the scribe as one append.

- A part of an append is what one session wrote: it is recorded whole and in order, or not at all.
- What somebody waits for goes at the end of the turn and takes along whatever waits. What nobody waits for goes
  with it, or by itself after a moment.
- Parts are appended in the order in which they were handed in, first those that nobody waits for: an outcome
  stands before the intents that came after it.
- An append that is refused for what is in it is tried again part by part, so that no session harms another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.history import Change
from sojourn.domain.sealed import Sealing
from sojourn.errors import Code, SojournError
from sojourn.workflow.ports import Ledger

DELAY_SECONDS = 0.02
EVENTS_PER_APPEND_MAX = 2_000
BYTES_PER_APPEND_MAX = 8 * 1024 * 1024
EVENT_BYTES = 512
"""What an event takes on its way, about; what is sealed comes on top."""

_NOBODYS_FAULT = frozenset({Code.RECORD_UNAVAILABLE, Code.RECORD_FULL})


@dataclass(slots=True, eq=False)
class Part:
    """What one session records at once. `over` is called once: with None when it is durable, else with the error."""

    changes: Sequence[Change]
    sealings: Sequence[Sealing]
    over: Callable[[SojournError | None], None]

    @property
    def size(self) -> int:
        """Bytes that it takes on its way to the scribe, about."""
        return EVENT_BYTES * len(self.changes) + sum(len(one.matter.ciphertext) for one in self.sealings)


@dataclass(slots=True)
class Journal:
    """The appends of one gateway's sessions. Lives in one loop."""

    ledger: Ledger
    _urgent: list[Part] = field(default_factory=list)
    _patient: list[Part] = field(default_factory=list)
    _hurrying: bool = False
    _timer: asyncio.TimerHandle | None = None
    _appends: set[asyncio.Task[None]] = field(default_factory=set)

    def record(self, part: Part) -> None:
        """Append this at the end of this turn of the loop."""
        self._urgent.append(part)
        self.hurry()

    def hurry(self) -> None:
        """Append what waits at the end of this turn of the loop."""
        if not self._hurrying:
            self._hurrying = True
            asyncio.get_running_loop().call_soon(self._flush)

    def record_soon(self, part: Part) -> None:
        """Append this with what comes next, or by itself after a moment."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY_SECONDS, self._flush)
        self._patient.append(part)

    async def recorded(self, changes: Sequence[Change], sealings: Sequence[Sealing]) -> None:
        """Append this now and wait until it is durable. Raises SojournError."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def over(error: SojournError | None) -> None:
            if durable.done():
                return
            durable.set_result(None) if error is None else durable.set_exception(error)

        self.record(Part(changes, sealings, over))
        await durable

    def _flush(self) -> None:
        self._hurrying = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        parts = self._patient + self._urgent
        self._patient, self._urgent = [], []
        loop = asyncio.get_running_loop()
        for group in _groups(parts):
            task = loop.create_task(self._append(group))
            self._appends.add(task)
            task.add_done_callback(self._appends.discard)

    async def _append(self, parts: Sequence[Part]) -> None:
        error: SojournError | None = SojournError(Code.RECORD_UNAVAILABLE)
        together = True
        try:
            error = await self._try(parts)
            together = error is None or error.code in _NOBODYS_FAULT or len(parts) == 1
        finally:
            if together:
                for part in parts:
                    part.over(error)
        if not together:
            for part in parts:
                await self._append([part])

    async def _try(self, parts: Sequence[Part]) -> SojournError | None:
        changes = [change for part in parts for change in part.changes]
        sealings = [sealing for part in parts for sealing in part.sealings]
        try:
            await self.ledger.append(changes, sealings=sealings)
        except SojournError as error:
            return error
        return None


def _groups(parts: Iterable[Part]) -> Iterable[list[Part]]:
    """The parts in order, as many together as one append may hold; a part is never divided."""
    group: list[Part] = []
    events, size = 0, 0
    for part in parts:
        more, bytes_more = len(part.changes), part.size
        if group and (events + more > EVENTS_PER_APPEND_MAX or size + bytes_more > BYTES_PER_APPEND_MAX):
            yield group
            group, events, size = [], 0, 0
        group.append(part)
        events += more
        size += bytes_more
    if group:
        yield group
