"""Schedules: whole months and quarters, each due once it is over and until it is delivered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sojourn.domain.events import DeliveryOverdue, ReportDelivered
from sojourn.domain.schedule import Delivered, Every, due, fold, period_before
from sojourn.domain.window import Window


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _period(start: str, end: str) -> Window:
    return Window(start=_day(start), end=_day(end))


@pytest.mark.parametrize(
    ("every", "now", "start", "end"),
    [
        (Every.MONTH, "2026-03-01", "2026-02-01", "2026-03-01"),
        (Every.MONTH, "2026-01-31T23:59:59", "2025-12-01", "2026-01-01"),
        (Every.MONTH, "2024-03-15", "2024-02-01", "2024-03-01"),
        (Every.QUARTER, "2026-04-01", "2026-01-01", "2026-04-01"),
        (Every.QUARTER, "2026-03-31T23:59:59", "2025-10-01", "2026-01-01"),
        (Every.QUARTER, "2026-12-31", "2026-07-01", "2026-10-01"),
    ],
    ids=["first-moment", "last-of-january", "leap-year", "first-of-april", "last-of-march", "new-years-eve"],
)
def test_the_last_period_is_the_one_that_is_over(every: Every, now: str, start: str, end: str) -> None:
    assert period_before(every, _day(now)) == _period(start, end)


def test_a_schedule_that_was_never_delivered_begins_with_the_last_period() -> None:
    assert due(Every.MONTH, Delivered(), _day("2026-05-10")) == _period("2026-04-01", "2026-05-01")


def test_what_was_missed_is_made_up_for_in_order() -> None:
    delivered = Delivered(until=_day("2026-01-01"))
    assert due(Every.MONTH, delivered, _day("2026-04-02")) == _period("2026-01-01", "2026-02-01")
    assert due(Every.QUARTER, Delivered(until=_day("2025-10-01")), _day("2026-04-02")) == _period(
        "2025-10-01", "2026-01-01"
    )


def test_nothing_is_due_before_a_period_is_over_or_after_it_is_delivered() -> None:
    delivered = Delivered(until=_day("2026-04-01"))
    assert due(Every.MONTH, delivered, _day("2026-04-30T23:59:59")) is None
    assert due(Every.MONTH, delivered, _day("2026-05-01")) == _period("2026-04-01", "2026-05-01")


def test_a_delivery_after_an_alarm_ends_it() -> None:
    april = _period("2026-04-01", "2026-05-01")
    overdue = DeliveryOverdue(schedule="a", period=april, attempts=3, problem="away")
    assert fold([overdue]) == {"a": Delivered(overdue=april)}
    delivered = ReportDelivered(
        schedule="a",
        report="access-events",
        period=april,
        places=("folder /x",),
        sha256="0" * 64,
        manifest_sha256="0" * 64,
        bytes=1,
        problem="",
        sample="",
    )
    assert fold([overdue, delivered]) == {"a": Delivered(until=april.end)}
