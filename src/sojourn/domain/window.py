"""Time that is half-open and UTC: a `Window` is `[start, end)`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time, its start included and its end not. Both are aware and UTC; the end is after the start."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse what is no window: naive times, other zones, or an end that is not after the start."""
        for moment in (self.start, self.end):
            if moment.utcoffset() != timedelta(0):
                raise ValueError(f"a window is in UTC, not {moment!r}")
        if self.end <= self.start:
            raise ValueError(f"a window ends after it starts, not {self.start} .. {self.end}")

    @classmethod
    def starting(cls, start: datetime, length: timedelta) -> Window:
        """The window of `length` that opens at `start`."""
        return cls(start=start, end=start + length)

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def contains(self, moment: datetime) -> bool:
        """Whether `moment` lies in `[start, end)`."""
        return self.start <= moment < self.end


def union(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same time in as few windows as can be, in order: those that meet or overlap are one."""
    found: list[Window] = []
    for one in sorted(windows, key=lambda window: (window.start, window.end)):
        if found and one.start <= found[-1].end:
            found[-1] = Window(start=found[-1].start, end=max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)
