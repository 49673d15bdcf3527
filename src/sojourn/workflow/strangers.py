"""How much of what strangers try goes on record: everything at first, and in a flood its number.

From one address the first attempts of a minute, of each kind, are recorded one by one. What comes on top is only
answered and counted, and the next recorded attempt of that kind says how many there were, so that nobody can fill the
ledger from outside and nobody's flood is forgotten while the address is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

ONE_BY_ONE_MAX = 30
PERIOD = timedelta(minutes=1)
ADDRESSES_MAX = 10_000


@dataclass(slots=True)
class _Tally:
    """Attempts from one address since a moment."""

    since: datetime
    count: int = 0
    unsaid: int = 0


@dataclass(slots=True)
class Strangers:
    """The tallies; the oldest are forgotten first."""

    now: Callable[[], datetime]
    _tallies: dict[str, _Tally] = field(default_factory=dict)

    def counted(self, address: str) -> int | None:
        """Count an attempt: None if it is only to be answered, else how many before it were not recorded."""
        now = self.now()
        tally = self._tallies.get(address)
        unsaid = 0
        if tally is None or now - tally.since >= PERIOD:
            unsaid = 0 if tally is None else tally.unsaid
            self._tallies.pop(address, None)
            tally = self._tallies[address] = _Tally(now)
            while len(self._tallies) > ADDRESSES_MAX:
                del self._tallies[next(iter(self._tallies))]
        tally.count += 1
        if tally.count > ONE_BY_ONE_MAX:
            tally.unsaid += 1
            return None
        return unsaid
