"""Limits on failed attempts, by source and name together: guessing gets slow, and nobody can lock somebody else out.

A person who fails from one place is slowed down there only. The memory is bounded: the oldest entries go first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sojourn.errors import Code, Refusal

FREE_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
ENTRIES_MAX = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    until: datetime


@dataclass(slots=True)
class AttemptLimit:
    """Failed attempts that are remembered."""

    now: Callable[[], datetime]
    _failures: dict[tuple[str, str], _Failures] = field(default_factory=dict)

    def check(self, source: str, person: str) -> Refusal | None:
        """The refusal of an attempt that comes too soon, or None."""
        held = self._failures.get((source, person))
        if held is None or self.now() >= held.until:
            return None
        left = max(1, round((held.until - self.now()).total_seconds()))
        return Refusal(Code.ATTEMPTS_LIMITED, {"source": source, "seconds": str(left)})

    def failed(self, source: str, person: str) -> None:
        """Remember a failure; after the free ones each doubles the pause."""
        held = self._failures.pop((source, person), None)
        count = 1 if held is None else held.count + 1
        over = count - FREE_ATTEMPTS
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(over - 1, 10)) if over > 0 else timedelta(0)
        self._failures[source, person] = _Failures(count, self.now() + pause)
        while len(self._failures) > ENTRIES_MAX:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, source: str, person: str) -> None:
        """Forget the failures of somebody who has got in."""
        self._failures.pop((source, person), None)
