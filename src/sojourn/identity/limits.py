"""Limits on failed attempts, by source and name together: guessing gets slow, and nobody can lock somebody else out.

- A person who fails from one place is slowed down there only.
- An attempt counts before it is judged, so that many at once are no faster than one after the other.
- The memory is bounded: what failed longest ago goes first.
"""

from __future__ import annotations

import math
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

    def take(self, source: str, person: str) -> Refusal | None:
        """Count an attempt as failed until `succeeded` says otherwise; or the refusal of one that comes too soon.

        After the free ones each attempt doubles the pause before the next.
        """
        now = self.now()
        held = self._failures.get((source, person))
        if held is not None and now < held.until:
            left = max(1, math.ceil((held.until - now).total_seconds()))
            return Refusal(Code.ATTEMPTS_LIMITED, {"source": source, "seconds": str(left)})
        count = 1 if held is None else held.count + 1
        over = count - FREE_ATTEMPTS
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(over, 10)) if over >= 0 else timedelta(0)
        self._failures.pop((source, person), None)
        self._failures[source, person] = _Failures(count, now + pause)
        while len(self._failures) > ENTRIES_MAX:
            del self._failures[next(iter(self._failures))]
        return None

    def succeeded(self, source: str, person: str) -> None:
        """Forget the failures of somebody who has got in."""
        self._failures.pop((source, person), None)
