"""An event loop whose time is simulated: nobody waits, and a day passes as fast as its work is done.

Whatever is asked to happen later happens in order of its time. When nothing is left to do at this moment, time jumps to
the next moment at which there is; so timeouts, pauses and deadlines are exactly as long as they say, and runs repeat.
"""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


class StuckError(RuntimeError):
    """Everybody waits for somebody else, and nothing is due at any time."""


class _Selector(selectors.SelectSelector):
    """Never waits: moves the time on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found:
            return found
        if timeout is None:
            raise StuckError("nothing is due at any time, and nobody is at work")
        self.seconds += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Fits `asyncio.Runner(loop_factory=SimulatedLoop)`. Raises `StuckError` where a real one would wait for ever."""

    def __init__(self) -> None:
        """Begin at second 0."""
        self._simulated = _Selector()
        super().__init__(self._simulated)

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._simulated.seconds


@dataclass(slots=True)
class LoopClock:
    """Implements `workflow.ports.Clock` by the running loop's time. `skew` is how far this clock is off."""

    began: datetime = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    skew: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The present moment of the simulation, as this clock shows it."""
        return self.began + timedelta(seconds=asyncio.get_running_loop().time()) + self.skew
