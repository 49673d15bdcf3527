"""Windows are half-open, in UTC, and end after they start."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.window import Window, union

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW),
        (NOW, NOW - timedelta(seconds=1)),
        (NOW.replace(tzinfo=None), NOW.replace(tzinfo=None) + timedelta(1)),
        (NOW, (NOW + timedelta(1)).astimezone(timezone(timedelta(hours=1)))),
    ],
    ids=["empty", "backwards", "naive", "another zone"],
)
def test_what_is_no_window_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="a window"):
        Window(start=start, end=end)


@given(seconds=st.integers(1, 10**8), offset=st.integers(-(10**9), 10**9))
def test_a_window_holds_its_start_and_not_its_end(seconds: int, offset: int) -> None:
    window = Window.starting(NOW, timedelta(seconds=seconds))
    moment = NOW + timedelta(microseconds=offset)
    assert window.length == timedelta(seconds=seconds)
    assert window.contains(moment) == (0 <= offset < seconds * 1_000_000)
    assert window.contains(window.start) and not window.contains(window.end)


minutes = st.integers(0, 60)


@given(st.lists(st.tuples(minutes, st.integers(1, 30)), max_size=12))
def test_a_union_holds_the_same_time_in_windows_that_do_not_meet(spans: list[tuple[int, int]]) -> None:
    windows = [Window.starting(NOW + timedelta(minutes=at), timedelta(minutes=long)) for at, long in spans]
    whole = union(windows)
    for minute in range(100):
        for moment in (NOW + timedelta(minutes=minute), NOW + timedelta(minutes=minute, seconds=30)):
            assert any(one.contains(moment) for one in windows) is any(one.contains(moment) for one in whole)
    assert all(one.end < other.start for one, other in itertools.pairwise(whole))
