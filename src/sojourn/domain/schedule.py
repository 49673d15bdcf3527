"""Schedules: which reports are due, over which period.

- A schedule is about whole months or quarters, in UTC: `[first day, first day of the next)`.
- A period is due as soon as it is over, and until it is on record as delivered.
- What was due before a schedule was first seen is not made up for, except the last period.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from .events import DeliveryOverdue, Event, ReportDelivered
from .window import Window


class Every(StrEnum):
    """How long the periods of a schedule are."""

    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What is on record of one schedule: the end of the last period delivered, and the period that is told overdue."""

    until: datetime | None = None
    overdue: Window | None = None


def fold(events: Iterable[Event]) -> dict[str, Delivered]:
    """The state of every schedule that is on record."""
    found: dict[str, Delivered] = {}
    for event in events:
        match event:
            case ReportDelivered():
                found[event.schedule] = Delivered(until=event.period.end)
            case DeliveryOverdue():
                found[event.schedule] = replace(found.get(event.schedule, Delivered()), overdue=event.period)
            case _:
                continue
    return found


def due(every: Every, delivered: Delivered, now: datetime) -> Window | None:
    """The first period that is over and not delivered, or None."""
    last = period_before(every, now)
    if delivered.until is None:
        return last
    if delivered.until >= last.end:
        return None
    return Window(start=delivered.until, end=_next(every, delivered.until))


def period_before(every: Every, moment: datetime) -> Window:
    """The last whole period that was over at a moment (aware, UTC)."""
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if every is Every.QUARTER:
        first = first.replace(month=(first.month - 1) // 3 * 3 + 1)
    return Window(start=_back(every, first), end=first)


def _next(every: Every, start: datetime) -> datetime:
    months = start.year * 12 + start.month - 1 + (3 if every is Every.QUARTER else 1)
    return start.replace(year=months // 12, month=months % 12 + 1)


def _back(every: Every, end: datetime) -> datetime:
    months = end.year * 12 + end.month - 1 - (3 if every is Every.QUARTER else 1)
    return end.replace(year=months // 12, month=months % 12 + 1)
