"""Calendar windows: times of the week, as the clock on the wall of some place shows them.

- A window is open whenever the clock there shows a time in it, on one of its days. So an hour that summer time skips
  never comes, and one that it repeats is open both times.
- `[start, end)`: its first minute belongs to it and its end does not. A window whose end is not after its start goes
  on to the next day, and counts to the day that it began on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

    def _edges(self, moment: datetime) -> list[datetime]:
        """The moments (UTC, after `moment`, within some two days) at which the window may open or close."""
        zone = _zone(self.zone)
        midnight = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        found: list[datetime] = []
        for days in range(3):
            for minutes in (0, self.start, self.end):
                wall = midnight + timedelta(days=days, minutes=minutes)
                found += (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        change = _change(zone, moment, max(found))
        if change is not None:
            found.append(change)
        return sorted(edge for edge in found if edge > moment)


def closing(windows: tuple[CalendarWindow, ...], moment: datetime, latest: datetime) -> datetime | None:
    """When the last of the windows that are open from `moment` on closes, at `latest` at most; None if all are closed.

    Windows that meet or overlap are one, also if they are of different places.
    """
    if not any(window.contains(moment) for window in windows):
        return None
    at = moment
    while at < latest:
        edges = sorted({edge for window in windows for edge in window._edges(at)})
        for edge in edges:
            if edge >= latest or not any(window.contains(edge) for window in windows):
                return min(edge, latest)
        at = edges[-1]
    return latest


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime | None:
    """The moment within (low, high] at which clocks there are changed, to the second, or None.

    One change is looked for: no place changes its clocks twice within the few days asked about.
    """
    before = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == before:
        return None
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
