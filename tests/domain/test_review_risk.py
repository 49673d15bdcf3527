"""The order of reviews: every reason counts and is said, and what was done is told in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sojourn.domain.review_risk import ROWS_MANY, SAID_MAX, WRITES_MANY, Level, Seen, in_words, rank

QUIET = Seen(
    break_glass=False,
    automatic=False,
    declared=True,
    extended=False,
    actions=3,
    writes=0,
    failed=0,
    unanswered=0,
    rows=10,
    verbs={"select": 3},
)


def test_nothing_that_stands_out_is_low_and_has_no_reason() -> None:
    assert rank(QUIET) == rank(replace(QUIET, rows=ROWS_MANY, declared=False))
    assert (rank(QUIET).level, rank(QUIET).points, rank(QUIET).reasons) == (Level.LOW, 0, ())


@pytest.mark.parametrize(
    ("changes", "points", "reason"),
    [
        ({"break_glass": True}, 3, "without a decision"),
        ({"verbs": {"drop": 2, "select": 1}}, 2, "2 drop"),
        ({"rows": ROWS_MANY + 1}, 2, "rows"),
        ({"writes": 1}, 1, "could write"),
        ({"writes": WRITES_MANY}, 1, "could write"),
        ({"writes": WRITES_MANY + 1}, 2, "more than"),
        ({"writes": 1, "declared": False}, 2, "nothing was declared"),
        ({"automatic": True}, 1, "a rule approved it"),
        ({"failed": 4}, 1, "refused 4"),
        ({"unanswered": 1}, 1, "no outcome"),
        ({"extended": True}, 1, "its end was moved"),
    ],
    ids=lambda one: str(one) if isinstance(one, int) else "-".join(one) if isinstance(one, dict) else "",
)
def test_each_reason_adds_its_points_and_is_said(changes: dict[str, object], points: int, reason: str) -> None:
    found = rank(replace(QUIET, **changes))  # type: ignore[arg-type]
    assert found.points == points
    assert any(reason in one for one in found.reasons)


@pytest.mark.parametrize(("points", "level"), [(1, Level.LOW), (2, Level.MEDIUM), (3, Level.MEDIUM), (4, Level.HIGH)])
def test_the_level_follows_the_points(points: int, level: Level) -> None:
    changes = {1: {"failed": 1}, 2: {"rows": ROWS_MANY + 1}, 3: {"break_glass": True}}
    changes[4] = {"break_glass": True, "failed": 1}
    found = rank(replace(QUIET, **changes[points]))  # type: ignore[arg-type]
    assert (found.points, found.level) == (points, level)


def test_what_was_done_is_told_in_words_and_nothing_is_left_out_silently() -> None:
    touched = (("select", "shop.orders", 9), ("update", "shop.orders", 2), ("other", "", 1))
    said = in_words(touched, replace(QUIET, actions=12, writes=3))
    assert said[0] == "Did more than read: shop.orders (update, 2 times); what no name was told of (other, 1 times)."
    assert said[1] == "Read: shop.orders (select, 9 times)."
    assert said[2] == "12 actions in all, 3 of which could write; 10 rows."
    many = tuple(("select", f"t{number}", 1) for number in range(SAID_MAX + 3))
    assert "and 3 more." in in_words(many, QUIET)[0]


def test_an_access_that_was_never_used_is_said_to_be() -> None:
    assert in_words((), replace(QUIET, actions=0)) == ("Nothing was done.",)
