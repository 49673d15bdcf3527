"""Limits on failed attempts, by address and name together: guessing gets slow, and nobody can lock somebody else out.

- A person who fails from one place is slowed down there only.
- Whoever tries one name after the other from one address is slowed down by the address; those who got in from there
  before are not.
- An attempt counts before it is judged, so that many at once are no faster than one after the other.
- The memory is bounded: what failed longest ago goes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sojourn.errors import Code, Refusal

FREE_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
ENTRIES_MAX = 10_000
PERIOD = timedelta(minutes=1)
NAMES_MAX = 60
"""Failures from one address in a period, whatever the names, before others than those known there have to wait."""


@dataclass(slots=True)
class _Failures:
    count: int
    until: datetime


@dataclass(slots=True)
class AttemptLimit:
    """Failed attempts that are remembered, and who got in from where."""

    now: Callable[[], datetime]
    _failures: dict[tuple[str, str], _Failures] = field(default_factory=dict)
    _addresses: dict[str, _Failures] = field(default_factory=dict)
    _known: dict[tuple[str, str], None] = field(default_factory=dict)

    def take(self, source: str, person: str) -> Refusal | None:
        """Count an attempt as failed until `succeeded` says otherwise; or the refusal of one that comes too soon.

        After the free ones each attempt doubles the pause before the next.
        """
        now = self.now()
        held = self._failures.get((source, person))
        if held is not None and now < held.until:
            return _limited(source, held.until - now)
        if (source, person) not in self._known:
            tally = self._addresses.get(source)
            if tally is None or now >= tally.until:
                self._addresses.pop(source, None)
                tally = self._addresses[source] = _Failures(0, now + PERIOD)
                _bound(self._addresses)
            if tally.count >= NAMES_MAX:
                return _limited(source, tally.until - now)
            tally.count += 1
        count = 1 if held is None else held.count + 1
        over = count - FREE_ATTEMPTS
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(over, 10)) if over >= 0 else timedelta(0)
        self._failures.pop((source, person), None)
        self._failures[source, person] = _Failures(count, now + pause)
        _bound(self._failures)
        return None

    def succeeded(self, source: str, person: str) -> None:
        """Forget the failures of somebody who has got in, and remember that they came from there."""
        self._failures.pop((source, person), None)
        if (source, person) not in self._known and source in self._addresses:
            self._addresses[source].count -= 1
        self._known.pop((source, person), None)
        self._known[source, person] = None
        _bound(self._known)


def _limited(source: str, left: timedelta) -> Refusal:
    seconds = max(1, math.ceil(left.total_seconds()))
    return Refusal(Code.ATTEMPTS_LIMITED, {"source": source, "seconds": str(seconds)})


def _bound(held: dict[Any, Any]) -> None:
    """Forget what is oldest."""
    while len(held) > ENTRIES_MAX:
        del held[next(iter(held))]
