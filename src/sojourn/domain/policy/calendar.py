"""Calendar windows: times of the week, as the clock on the wall of some place shows them.

- A window is open whenever the clock there shows a time in it, on one of its days. So an hour that summer time skips
  never comes, and one that it repeats is open both times.
- `[start, end)`: its first minute belongs to it and its end does not. A window whose end is not after its start goes
  on to the next day, and counts to the day that it began on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarWindow:
    """Hours on some days of the week. `days` counts from 0 (Monday), `start` and `end` are minutes from midnight.

    `zone` is a name of the IANA time zone database. `end` may be 1440, the end of the day.
    """

    zone: str
    days: tuple[int, ...]
    start: int
    end: int

    def contains(self, moment: datetime) -> bool:
        """Whether the window is open at `moment` (aware)."""
        return self._shows(moment.astimezone(_zone(self.zone)))

    def _shows(self, wall: datetime) -> bool:
        """Whether a clock that shows `wall` shows a time of the window."""
        minute, day = wall.hour * 60 + wall.minute, wall.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)

    def open_until(self, moment: datetime, latest: datetime) -> datetime:
        """Until when (UTC) the window is open from `moment` on: `moment` itself if it is closed, `latest` at most.

        The answer goes up to the next change of the clocks there at most: what they show then is another question.
        """
        wall = moment.astimezone(_zone(self.zone))
        if not self._shows(wall):
            return moment
        end = min(moment + self._left(wall), latest)
        there = wall.tzinfo
        if end.astimezone(there).utcoffset() != wall.utcoffset():
            return _change(there, moment, end)
        return end

    def _left(self, wall: datetime) -> timedelta:
        """How much of the window is left when a clock shows `wall`, a time of it."""
        minute = wall.hour * 60 + wall.minute
        minutes = self.end - minute
        if self.end <= self.start and minute >= self.start and wall.weekday() in self.days:
            minutes += DAY_MINUTES
        return timedelta(minutes=minutes, seconds=-wall.second, microseconds=-wall.microsecond)


def closing(windows: tuple[CalendarWindow, ...], moment: datetime, latest: datetime) -> datetime | None:
    """When the last of the windows that are open from `moment` on closes, at `latest` at most; None if all are closed.

    Windows that meet or overlap are one, also if they are of different places.
    """
    at = moment
    while at < latest:
        end = max(window.open_until(at, latest) for window in windows)
        if end == at:
            break
        at = end
    return at if at > moment else None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _change(zone: tzinfo | None, low: datetime, high: datetime) -> datetime:
    """The moment within (low, high], to the second, at which clocks there are changed between these two.

    One change is looked for: no place changes its clocks twice within the few days asked about.
    """
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
