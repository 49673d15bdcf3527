"""Calendar windows: what the clock on the wall shows, also on the two nights when it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.policy import CalendarWindow
from sojourn.domain.policy.calendar import closing

EVERY_DAY = tuple(range(7))
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "Pacific/Chatham"]


def window(start: str, end: str, zone: str = "Europe/Berlin", days: tuple[int, ...] = EVERY_DAY) -> CalendarWindow:
    def minutes(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return CalendarWindow(zone=zone, days=days, start=minutes(start), end=minutes(end))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-01-05 07:59:59.999999", False),
        ("2026-01-05 08:00", True),
        ("2026-01-05 15:59:59.999999", True),
        ("2026-01-05 16:00", False),
        ("2026-07-06 07:00", True),
        ("2026-07-06 15:00", False),
        ("2026-01-10 10:00", False),
    ],
)
def test_office_hours_follow_the_clock_there_in_winter_and_in_summer(moment: str, is_open: bool) -> None:
    office = window("09:00", "17:00", days=(0, 1, 2, 3, 4))
    assert office.contains(utc(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-01-09 21:00", True),  # Friday 22:00 there
        ("2026-01-10 04:59", True),  # Saturday 05:59 there belongs to Friday's night
        ("2026-01-10 05:00", False),
        ("2026-01-10 21:00", False),  # Saturday's night is not meant
        ("2026-01-09 04:00", False),  # nor is Thursday's
    ],
)
def test_a_night_counts_to_the_day_that_it_began_on(moment: str, is_open: bool) -> None:
    assert window("22:00", "06:00", days=(4,)).contains(utc(moment)) is is_open


def test_the_hour_that_summer_time_skips_never_comes() -> None:
    skipped = window("02:00", "03:00")
    moments = [utc("2026-03-28 23:00") + timedelta(minutes=minute) for minute in range(6 * 60)]
    assert not any(skipped.contains(moment) for moment in moments)


def test_the_hour_that_winter_time_repeats_is_open_both_times_and_closes_after_the_second() -> None:
    repeated = window("02:00", "03:00")
    assert not repeated.contains(utc("2026-10-24 23:59"))
    assert repeated.contains(utc("2026-10-25 00:00")) and repeated.contains(utc("2026-10-25 01:30"))
    assert not repeated.contains(utc("2026-10-25 02:00"))
    closes = closing((repeated,), utc("2026-10-25 00:10"), utc("2026-10-26 00:00"))
    assert closes == utc("2026-10-25 02:00")


def test_a_window_that_ends_within_the_skipped_hour_closes_when_the_clock_jumps() -> None:
    closes = closing((window("00:00", "02:30"),), utc("2026-03-29 00:30"), utc("2026-03-30 00:00"))
    assert closes == utc("2026-03-29 01:00")


def test_windows_that_meet_are_one_and_days_that_follow_each_other_too() -> None:
    halves = (window("00:00", "12:00"), window("12:00", "24:00"))
    start, latest = utc("2026-03-02 08:00"), utc("2026-04-01 08:00")
    assert closing(halves, start, latest) == latest
    assert closing(halves[:1], start, latest) == utc("2026-03-02 11:00")
    assert closing(halves[1:], start, latest) is None


@given(
    zone=st.sampled_from(ZONES),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
    start=st.integers(0, 47).map(lambda half: half * 30),
    end=st.integers(1, 48).map(lambda half: half * 30),
    day=st.sampled_from(["2026-03-29", "2026-10-25", "2026-11-01", "2026-04-05", "2026-03-08", "2026-06-10"]),
    minute=st.integers(-24 * 60, 48 * 60),
    length=st.integers(1, 72 * 60),
)
def test_a_window_closes_at_the_first_moment_at_which_it_is_not_open(
    zone: str, days: tuple[int, ...], start: int, end: int, day: str, minute: int, length: int
) -> None:
    if start == end:
        return
    one = CalendarWindow(zone=zone, days=days, start=start, end=end)
    moment = utc(f"{day} 00:00") + timedelta(minutes=minute)
    latest = moment + timedelta(minutes=length)
    closes = closing((one,), moment, latest)
    if not one.contains(moment):
        assert closes is None
        return
    assert closes is not None and moment < closes <= latest
    walked = moment
    while walked < closes:
        assert one.contains(walked)
        walked += timedelta(minutes=15)
    assert closes == latest or not one.contains(closes)
    assert one.contains(closes - timedelta(seconds=1)) or closes - moment < timedelta(seconds=1)


@given(zone=st.sampled_from(ZONES), minutes=st.integers(0, 366 * 24 * 60))
def test_a_window_over_the_whole_day_is_open_on_its_days_only(zone: str, minutes: int) -> None:
    moment = utc("2026-01-01 00:00") + timedelta(minutes=minutes)
    today = moment.astimezone(ZoneInfo(zone)).weekday()
    assert window("00:00", "24:00", zone, (today,)).contains(moment)
    assert not window("00:00", "24:00", zone, tuple(set(EVERY_DAY) - {today})).contains(moment)
