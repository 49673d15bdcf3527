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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

from sojourn.domain.sealed import Sealing
from sojourn.errors import Code, SojournError
from sojourn.scribe.protocol import Draft

DELAY_SECONDS = 0.02
EVENTS_PER_APPEND_MAX = 2_000
BYTES_PER_APPEND_MAX = 8 * 1024 * 1024

NOBODYS_FAULT = frozenset({Code.RECORD_UNAVAILABLE, Code.RECORD_FULL})
"""Why nothing at all can be recorded now, whatever it is."""


class Record(Protocol):
    """Where a journal goes. Implemented by `scribe.client` and `testing.ledger`."""

    def append_drafts(
        self, drafts: Sequence[Draft], sealings: Sequence[Sealing], answered: Callable[[SojournError | None], None]
    ) -> None:
        """Record all of it or none, durably; `answered` is told once, with None or the error, after this returned.

        What is appended first is recorded first. Raises SojournError when it cannot even be sent.
        """
        ...


class Part(NamedTuple):
    """What one session records at once, of `size` bytes about. (A tuple: two are made for each statement.)

    `over` is called once with the part itself: and with None when it is durable, else with the error.
    """

    drafts: Sequence[Draft]
    sealings: Sequence[Sealing]
    size: int
    over: Callable[[Part, SojournError | None], None]


@dataclass(slots=True)
class Journal:
    """The appends of one gateway's sessions. Lives in one loop."""

    ledger: Record
    _urgent: list[Part] = field(default_factory=list)
    _patient: list[Part] = field(default_factory=list)
    _since: float = 0.0
    _hurrying: bool = False
    _timer: asyncio.TimerHandle | None = None

    def record(self, part: Part) -> None:
        """Append this at the end of this turn of the loop."""
        self._urgent.append(part)
        if not self._hurrying:
            self.hurry()

    def hurry(self) -> None:
        """Append what waits at the end of this turn of the loop."""
        if not self._hurrying:
            self._hurrying = True
            asyncio.get_running_loop().call_soon(self._flush)

    def record_soon(self, part: Part) -> None:
        """Append this with what comes next, or by itself after a moment."""
        if not self._patient:
            self._since = asyncio.get_running_loop().time()
            if self._timer is None:
                self._wait(DELAY_SECONDS)
        self._patient.append(part)

    async def recorded(self, drafts: Sequence[Draft], sealings: Sequence[Sealing], size: int) -> None:
        """Append this now and wait until it is durable. Raises SojournError."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def over(_: Part, error: SojournError | None) -> None:
            if durable.done():
                return
            durable.set_result(None) if error is None else durable.set_exception(error)

        self.record(Part(drafts, sealings, size, over))
        await durable

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Append what has waited long enough. The timer runs on while appends come by, so that none has to move it."""
        self._timer = None
        if self._patient:
            left = self._since + DELAY_SECONDS - asyncio.get_running_loop().time()
            self._wait(left) if left > 0 else self._flush()

    def _flush(self) -> None:
        self._hurrying = False
        parts = self._patient + self._urgent
        self._patient, self._urgent = [], []
        group: list[Part] = []
        drafts: list[Draft] = []
        sealings: list[Sealing] = []
        total = 0
        for part in parts:
            more, sealed, size, _ = part
            if group and (len(drafts) + len(more) > EVENTS_PER_APPEND_MAX or total + size > BYTES_PER_APPEND_MAX):
                # As many together as one append may hold; a part is never divided.
                self._append(group, drafts, sealings)
                group, drafts, sealings, total = [], [], [], 0
            group.append(part)
            drafts += more
            sealings += sealed
            total += size
        if group:
            self._append(group, drafts, sealings)

    def _append(self, parts: list[Part], drafts: Sequence[Draft], sealings: Sequence[Sealing]) -> None:
        try:
            self.ledger.append_drafts(drafts, sealings, partial(self._answered, parts))
        except SojournError as error:
            self._answered(parts, error)

    def _answered(self, parts: list[Part], error: SojournError | None) -> None:
        if error is None or error.code in NOBODYS_FAULT or len(parts) == 1:
            for part in parts:
                part.over(part, error)
        else:
            for part in parts:
                self._append([part], part.drafts, part.sealings)
