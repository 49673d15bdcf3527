"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.duration import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), (" 30m ", 1800)]
)
def test_a_whole_number_and_a_unit_is_a_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "0s", "-1s", "+1s", "1.5h", "1", "h", "1 h", "01h", "1H", "1w", "1h30m", "PT1H", "1e3s", "٣m", "367d",
     "999999999d", "9" * 400 + "s", "1h\x00"],
)  # fmt: skip
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|days"):
        parse_duration(text)


@given(st.integers(1, int(LONGEST.total_seconds())))
def test_what_is_shown_can_be_typed_again(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize(("seconds", "text"), [(1800, "30m"), (7200, "2h"), (90, "90s"), (86400, "1d"), (0, "0s")])
def test_a_duration_is_shown_in_the_largest_unit_that_says_it_exactly(seconds: int, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text
