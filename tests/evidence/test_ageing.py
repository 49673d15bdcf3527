"""The ageing of reviews: every figure worked out by hand, and the same figure wherever it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sojourn.domain.events import ReviewConcluded, ReviewOutcome
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import TargetName
from sojourn.domain.policy import People
from sojourn.domain.policy.rules import ReviewRule
from sojourn.domain.review import CHECKLIST
from sojourn.domain.window import Window
from sojourn.errors import Refusal
from sojourn.evidence.accesses.access import Looked, Placed
from sojourn.evidence.controls.report import shown
from sojourn.evidence.reports.context import Context
from sojourn.testing.organisation import CAROL, CATALOGUE, ERIN, Workplace, with_rules
from sojourn.workflow.reviewing import conclude, open_review

from .accesses import Company
from .test_questions import rows

DAY = timedelta(days=1)
RULE = replace(CATALOGUE.rules[0], review=ReviewRule(within=timedelta(days=5), by=People(people=(CAROL, ERIN))))
QUARTER = Window(start=datetime(2026, 10, 1, tzinfo=UTC), end=datetime(2027, 1, 1, tzinfo=UTC))
BANDS = ("0_to_7_days", "8_to_30_days", "31_to_60_days", "61_to_90_days", "91_days_or_more")


async def _opened(at: Company, moment: datetime) -> Grant:
    """An access that was used, and whose review was opened at that moment."""
    at.place.clock.moment = moment - timedelta(hours=1)
    grant = await at.whole()
    at.place.clock.moment = moment
    assert await open_review(at.place.office, grant=grant.id, ended_at=moment, used=True)
    return grant


async def _concluded(at: Company, grant: Grant, moment: datetime) -> None:
    at.place.clock.moment = moment
    made = await conclude(
        at.place.office,
        grant=grant.id,
        person=CAROL,
        outcome=ReviewOutcome.APPROPRIATE,
        answers=("yes",) * len(CHECKLIST),
        remark="",
        seen=(1, 2, 0),
        source="t",
    )
    assert not isinstance(made, Refusal), made


async def _quarter() -> Company:
    """Six reviews, due after five days each. What is said of them below is counted on these dates.

    a: 1 July, never concluded. b: 28 September, concluded on 2 October, in time. c: 29 September, concluded on
    10 October, late. d: 20 October, concluded on 3 November, late. e: 1 November at 00:00, concluded on the 6th at
    00:00, in the moment that it is due. f: 25 November, never concluded. The report is made on 10 December.
    """
    at = Company(place=await Workplace.open(with_rules(CATALOGUE, RULE)))
    await _opened(at, datetime(2026, 7, 1, 12, tzinfo=UTC))
    b = await _opened(at, datetime(2026, 9, 28, 12, tzinfo=UTC))
    c = await _opened(at, datetime(2026, 9, 29, 12, tzinfo=UTC))
    await _concluded(at, b, datetime(2026, 10, 2, 12, tzinfo=UTC))
    await _concluded(at, c, datetime(2026, 10, 10, 12, tzinfo=UTC))
    d = await _opened(at, datetime(2026, 10, 20, 12, tzinfo=UTC))
    e = await _opened(at, datetime(2026, 11, 1, tzinfo=UTC))
    await _concluded(at, d, datetime(2026, 11, 3, 12, tzinfo=UTC))
    await _concluded(at, e, datetime(2026, 11, 6, tzinfo=UTC))
    await _opened(at, datetime(2026, 11, 25, 12, tzinfo=UTC))
    at.place.clock.moment = datetime(2026, 12, 10, 12, tzinfo=UTC)
    return at


def _months(context: Context, directory: Path) -> dict[str, tuple[int, ...]]:
    """By month: open at the start, opened, concluded, of these late, open at the end, of these overdue, and by age."""
    names = ("open_at_start", "opened", "concluded", "concluded_late", "open_at_end", "overdue_at_end")
    columns = (*names, *(f"open_{band}" for band in BANDS))
    found = rows(context, directory, "review-ageing", "months")
    return {one["month"]: tuple(int(one[column]) for column in columns) for one in found}


async def test_each_month_of_a_quarter_tells_what_was_opened_concluded_late_and_left_open(tmp_path: Path) -> None:
    context = (await _quarter()).context(period=QUARTER)
    assert _months(context, tmp_path / "r") == {
        # a, b and c were open, d was opened, b and c concluded: c after 11 days. a and d are left: 122 and 11 days.
        "2026-10": (3, 1, 2, 1, 2, 2, 0, 1, 0, 0, 1),
        # e and f were opened, d (after 14 days) and e (in the last moment) concluded. a and f are left: 152 and 5 days;
        # f was due at noon of the last day.
        "2026-11": (2, 2, 2, 1, 2, 2, 1, 0, 0, 0, 1),
        # Nothing happened. a is 162 days old, f 15.
        "2026-12": (2, 0, 0, 0, 2, 2, 0, 1, 0, 0, 1),
    }


async def test_the_ages_are_those_of_the_rows_and_worked_out_by_hand(tmp_path: Path) -> None:
    context = (await _quarter()).context(period=QUARTER)
    reviews = rows(context, tmp_path / "a", "review-ageing", "reviews")
    told = [(int(one["age_days"]), one["late"], bool(one["concluded_at"])) for one in reviews]
    a, b, c, d, e, f = (162, "yes", False), (4, "no", True), (11, "yes", True), (14, "yes", True), (5, "no", True), 15
    assert told == [a, b, c, d, e, (f, "yes", False)]
    ages = rows(context, tmp_path / "b", "review-ageing", "ages")
    assert [(one["concluded"], int(one["age_days"]), int(one["reviews"])) for one in ages] == [
        ("no", 15, 1),
        ("no", 90, 1),
        ("yes", 4, 1),
        ("yes", 5, 1),
        ("yes", 11, 1),
        ("yes", 14, 1),
    ]


async def test_every_month_goes_on_from_the_one_before_whatever_the_period(tmp_path: Path) -> None:
    at = await _quarter()
    for number, (start, end) in enumerate(
        (
            (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
            # As somebody in Berlin types October: the last hours of September are in it.
            (datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)),
            (datetime(2026, 11, 6, tzinfo=UTC), datetime(2026, 11, 6, 1, tzinfo=UTC)),
        )
    ):
        months = list(_months(at.context(period=Window(start=start, end=end)), tmp_path / str(number)).values())
        assert months
        for before, opened, concluded, _, after, _, *bands in months:
            assert before + opened - concluded == after == sum(bands)
        assert [one[4] for one in months[:-1]] == [one[0] for one in months[1:]]


async def test_a_period_that_is_still_to_come_has_no_months_and_its_end_hides_no_review(tmp_path: Path) -> None:
    at = await _quarter()
    period = Window(start=QUARTER.end, end=QUARTER.end + 30 * DAY)
    assert _months(at.context(period=period), tmp_path / "r") == {}
    assert len(rows(at.context(period=period), tmp_path / "s", "review-ageing", "reviews")) == 2


async def test_the_control_counts_what_its_report_counts(tmp_path: Path) -> None:
    at = await _quarter()
    for number, period in enumerate((QUARTER, Window(start=QUARTER.start, end=QUARTER.start + 31 * DAY))):
        context = at.context(period=period)
        months = _months(context, tmp_path / str(number))
        (control,) = [one for one in shown(context) if one.control.name == "review-after-use"]
        (measure,) = [one for one in control.operation if one.what == "reviews concluded"]
        assert measure.population == sum(one[2] for one in months.values()) == (4, 2)[number]


@pytest.mark.parametrize(
    ("concluded", "moment", "late"),
    [(None, 4, False), (None, 5, True), (5, 9, False), (6, 9, True), (6, 5, True), (6, 4, False)],
    ids=["open before", "open when due", "concluded when due", "concluded after", "then not yet", "then in time"],
)
async def test_a_review_is_late_from_its_due_time_on_unless_it_was_concluded_by_then(
    concluded: int | None, moment: int, late: bool
) -> None:
    at = await _quarter()
    access = next(one for one in at.books().accesses if one.given is not None and one.given.review is not None)
    assert access.given is not None and access.given.review is not None
    opened = access.given.review.opened
    done = next(one.event for one in at.place.ledger.entries if isinstance(one.event, ReviewConcluded))
    said = None if concluded is None else Placed(seq=9, at=opened.at + concluded * DAY, event=done)
    assert Looked(opened=opened, concluded=said).late_at(opened.at + moment * DAY) is late


async def test_reviews_of_other_targets_are_none_of_a_report_about_one(tmp_path: Path) -> None:
    context = (await _quarter()).context(period=QUARTER)
    context.parameters = replace(context.parameters, targets=(TargetName("elsewhere"),))
    assert rows(context, tmp_path / "r", "review-ageing", "reviews") == []
