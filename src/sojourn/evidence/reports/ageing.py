"""The ageing of reviews: each with its age, how many there are of each age, and month by month.

- A review counts from its opening to its conclusion; it is open at a moment if it was opened before and not concluded
  before. Whoever asked for the access, and when, does not matter here: a review outlives its access.
- Months are calendar months in UTC, the first and the last as far as the period reaches. What was open when a month
  began, and what was opened in it, less what was concluded in it, is what was open when it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sojourn.evidence.accesses import Access, Looked
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .context import Context

DAY = timedelta(days=1)
BANDS = ((0, 7), (8, 30), (31, 60), (61, 90), (91, None))
"""Ages in whole days, both ends included, by which what is open at the end of a month is counted."""
OLDEST = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """A review with its age: from its opening to its conclusion, or to the moment of the report."""

    access: Access
    review: Looked
    age: timedelta
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What became of reviews in a month; `ages` are those of the reviews that were open when it ended."""

    start: datetime
    end: datetime
    before: int
    opened: int
    concluded: int
    concluded_late: int
    overdue: int
    ages: tuple[timedelta, ...]


def sheets(context: Context) -> Iterator[Sheet]:
    """Every review that was open in the period, oldest first, how many there are of each age, and month by month."""
    aged = sorted(reviews(context), key=lambda one: (one.review.opened.at, one.review.opened.seq))
    yield sheet_of("Reviews", "One row for each review.", _REVIEWS, aged)
    ages = Counter((one.review.concluded is not None, min(one.age // DAY, OLDEST)) for one in aged)
    rows = sorted((*key, count) for key, count in ages.items())
    yield sheet_of("Ages", "How many reviews were so many days old.", _AGES, rows)
    yield sheet_of("Months", "What became of the reviews, month by month.", _MONTHS, list(_months(context, aged)))


def reviews(context: Context) -> Iterator[Aged]:
    """Every review that was opened before the period ended, and not concluded before it began."""
    period, as_of = context.parameters.period, context.parameters.as_of
    for access in context.books.accesses:
        review = access.given.review if access.given is not None else None
        if review is None or not context.wanted(access) or review.opened.at >= period.end:
            continue
        if review.concluded is None or review.concluded.at >= period.start:
            until = as_of if review.concluded is None else review.concluded.at
            age = max(until - review.opened.at, timedelta())
            yield Aged(access=access, review=review, age=age, late=review.late_at(as_of))


def _months(context: Context, aged: Sequence[Aged]) -> Iterator[Month]:
    found, as_of = [one.review for one in aged], context.parameters.as_of
    start, last = (one.astimezone(UTC) for one in (context.parameters.period.start, context.parameters.period.end))
    # What is recorded at the moment of the report is in it, and after that nothing is known.
    last = min(last, as_of.astimezone(UTC) + timedelta(microseconds=1))
    while start < last:
        following = (start.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + 32 * DAY).replace(day=1)
        end = min(following, last)
        moment = min(end, as_of)
        left = [one for one in found if one.open_at(end)]
        over = [one for one in found if one.concluded is not None and start <= one.concluded.at < end]
        yield Month(
            start=start,
            end=moment,
            before=sum(one.open_at(start) for one in found),
            opened=sum(start <= one.opened.at < end for one in found),
            concluded=len(over),
            concluded_late=sum(one.late_at(end) for one in over),
            overdue=sum(one.late_at(moment) for one in left),
            ages=tuple(moment - one.opened.at for one in left),
        )
        start = end


def _concluded_at(one: Aged) -> datetime | None:
    return None if one.review.concluded is None else one.review.concluded.at


_REVIEWS: tuple[Cell[Aged], ...] = (
    Cell("request", lambda one: one.access.request, "The access event."),
    Cell("grant", lambda one: one.access.grant, "The grant that is reviewed."),
    Cell("holder", lambda one: one.review.opened.event.person, "Who had it."),
    Cell("emergency", lambda one: one.review.opened.event.break_glass, "Whether it was taken without a decision."),
    Cell("reviewers", lambda one: ", ".join(one.review.opened.event.reviewers), "Who may conclude it."),
    Cell("opened_at", lambda one: one.review.opened.at, "When it was opened (UTC)."),
    Cell("due", lambda one: one.review.opened.event.due, "When it is due (UTC)."),
    Cell(
        "escalated_at",
        lambda one: one.review.overdue.at if one.review.overdue else None,
        "When others were asked too (UTC).",
    ),
    Cell("concluded_at", _concluded_at, "When it was concluded (UTC)."),
    Cell("reviewer", lambda one: one.review.concluded.event.person if one.review.concluded else None, "By whom."),
    Cell(
        "outcome",
        lambda one: one.review.concluded.event.outcome.value if one.review.concluded else None,
        "What they found.",
    ),
    Cell("open_questions", lambda one: one.review.questions, "Questions that wait for a reply."),
    Cell("age_days", lambda one: one.age // DAY, "Whole days from opening to conclusion, or to the report."),
    Cell("late", lambda one: one.late, "Whether it was concluded after its due time, or is open and has come to it."),
)
_AGES: tuple[Cell[tuple[bool, int, int]], ...] = (
    Cell("concluded", lambda one: one[0], "Whether it was concluded."),
    Cell("age_days", lambda one: one[1], f"Whole days; {OLDEST} stands for {OLDEST} and more."),
    Cell("reviews", lambda one: one[2], "How many.", total=True),
)


def _band(least: int, most: int | None) -> Cell[Month]:
    def count(month: Month) -> int:
        return sum(least <= age // DAY and (most is None or age // DAY <= most) for age in month.ages)

    name = f"open_{least}_days_or_more" if most is None else f"open_{least}_to_{most}_days"
    return Cell(name, count, "Of these, so many whole days after their opening.")


def _count(name: str, find: Callable[[Month], int], meaning: str, *, total: bool = False) -> Cell[Month]:
    return Cell(name, find, meaning, total)


_MONTHS: tuple[Cell[Month], ...] = (
    Cell("month", lambda one: f"{one.start:%Y-%m}", "Calendar month in UTC."),
    Cell("from", lambda one: one.start, "Its start, or that of the period (UTC, included)."),
    Cell("until", lambda one: one.end, "Its end, that of the period or the moment of the report (UTC, not included)."),
    _count("open_at_start", lambda one: one.before, "Reviews that were open when it began."),
    _count("opened", lambda one: one.opened, "Opened in it.", total=True),
    _count("concluded", lambda one: one.concluded, "Concluded in it.", total=True),
    _count("concluded_late", lambda one: one.concluded_late, "Of these, after their due time.", total=True),
    _count("open_at_end", lambda one: len(one.ages), "Open when it ended: open at the start + opened - concluded."),
    _count("overdue_at_end", lambda one: one.overdue, "Of these, at or over their due time."),
    *(_band(least, most) for least, most in BANDS),
)
