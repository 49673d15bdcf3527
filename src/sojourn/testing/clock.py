"""A clock that moves only when told to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class SimulatedClock:
    """Implements `workflow.ports.Clock`. Starts at a fixed moment, so that runs repeat."""

    moment: datetime = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The present moment of the simulation."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Let time pass (or step back, with a negative span)."""
        self.moment += by
