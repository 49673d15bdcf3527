"""Lists that are told from the access events: reviews, habits, and who decided for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn.domain.events import AttemptRefused
from sojourn.domain.history import Recorded
from sojourn.errors import Code
from sojourn.evidence.accesses import Looked
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .context import Context
from .population import Event

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """A review with its age: from its opening to its conclusion, or to the moment of the report."""

    event: Event
    review: Looked
    age: timedelta
    late: bool


def reviews(context: Context) -> Iterator[Sheet]:
    """Every review of the population, oldest first, and how many there are of each age."""
    aged = sorted(_aged(context), key=lambda one: one.review.opened.at)
    yield sheet_of("Reviews", "One row for each review.", _REVIEWS, aged)
    ages = Counter((one.review.concluded is not None, min(one.age // DAY, 90)) for one in aged)
    rows = sorted((*key, count) for key, count in ages.items())
    yield sheet_of("Ages", "How many reviews were so many days old.", _AGES, rows)


def _aged(context: Context) -> Iterator[Aged]:
    for event in context.events:
        review = event.access.given.review if event.access.given is not None else None
        if review is not None:
            until = context.parameters.as_of if review.concluded is None else review.concluded.at
            late = until > review.opened.event.due
            yield Aged(event=event, review=review, age=max(until - review.opened.at, timedelta()), late=late)


def _concluded_at(one: Aged) -> datetime | None:
    return None if one.review.concluded is None else one.review.concluded.at


_REVIEWS: tuple[Cell[Aged], ...] = (
    Cell("request", lambda one: one.event.access.request, "The access event."),
    Cell("grant", lambda one: one.event.access.grant, "The grant that is reviewed."),
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
    Cell("late", lambda one: one.late, "Whether it was, or is, over its due time."),
)
_AGES: tuple[Cell[tuple[bool, int, int]], ...] = (
    Cell("concluded", lambda one: one[0], "Whether it was concluded."),
    Cell("age_days", lambda one: one[1], "Whole days; 90 stands for 90 and more."),
    Cell("reviews", lambda one: one[2], "How many.", total=True),
)


def frequent(context: Context) -> Iterator[Sheet]:
    """Who asked how often for what, and which reason codes and tickets came again."""
    asked = [event.access.asked.event for event in context.events]
    users = Counter((one.person, str(one.target), str(one.role)) for one in asked)
    rows = sorted(((*key, count) for key, count in users.items()), key=lambda one: (-one[3], one[:3]))
    yield sheet_of("Users", "How often each person asked for each role.", _USERS, rows)
    reasons = Counter((one.facts.reason_code, one.facts.ticket.id if one.facts.ticket else "") for one in asked)
    repeated = sorted(((*key, count) for key, count in reasons.items() if any(key)), key=lambda one: (-one[2], one[:2]))
    yield sheet_of("Reasons", "How often each reason code and ticket was given.", _REASONS, repeated)


_USERS: tuple[Cell[tuple[str, str, str, int]], ...] = (
    Cell("person", lambda one: one[0], "Who asked."),
    Cell("target", lambda one: one[1], "For access to what."),
    Cell("role", lambda one: one[2], "In which role."),
    Cell("requests", lambda one: one[3], "How often in the period.", total=True),
)
_REASONS: tuple[Cell[tuple[str, str, int]], ...] = (
    Cell("reason_code", lambda one: one[0], "Reason code."),
    Cell("ticket", lambda one: one[1], "Ticket."),
    Cell("requests", lambda one: one[2], "How often in the period.", total=True),
)


def reciprocal(context: Context) -> Iterator[Sheet]:
    """Pairs who approved each other, and refusals because one person may not have two duties."""
    pairs: Counter[tuple[str, str]] = Counter()
    for event in context.events:
        for approval in event.access.approvals:
            pairs[event.access.asked.event.person, approval.event.person] += 1
    both = [(a, b, pairs[a, b], pairs[b, a]) for a, b in sorted(pairs) if a < b and pairs[b, a]]
    yield sheet_of("Reciprocal", "People who approved requests of each other.", _PAIRS, both)
    apart = (one for one in _attempts(context) if one[1].code in _DUTIES)
    yield sheet_of("Conflicts", "What was refused because duties are kept apart.", _ATTEMPTS, apart)


_PAIRS: tuple[Cell[tuple[str, str, int, int]], ...] = (
    Cell("person", lambda one: one[0], "One of the two."),
    Cell("other", lambda one: one[1], "The other."),
    Cell("approved_by_other", lambda one: one[2], "Requests of the one that the other approved."),
    Cell("approved_for_other", lambda one: one[3], "Requests of the other that the one approved."),
)


def actors(context: Context) -> Iterator[Sheet]:
    """Attempts of people who had no business there."""
    found = (one for one in _attempts(context) if one[1].code in _STRANGERS)
    yield sheet_of("Invalid actors", "What people tried without being entitled.", _ATTEMPTS, found)


def _attempts(context: Context) -> Iterator[tuple[Recorded, AttemptRefused]]:
    for one in context.books.others:
        if isinstance(one.event, AttemptRefused) and context.parameters.period.contains(one.at):
            yield one, one.event


_DUTIES = frozenset((Code.POLICY_DUTIES_APART, Code.APPROVAL_SELF, Code.REVIEW_NOT_ENTITLED))
_STRANGERS = frozenset(
    code
    for code in Code
    if code.value.startswith(("permission.", "identity.", "person.", "token.", "sign_in.", "account."))
    or code.value.endswith((".not_entitled", "_not_entitled", ".self", "_left"))
)
_ATTEMPTS: tuple[Cell[tuple[Recorded, AttemptRefused]], ...] = (
    Cell("entry", lambda one: one[0].seq, "Place in the record."),
    Cell("at", lambda one: one[0].at, "When (UTC)."),
    Cell("actor", lambda one: one[1].actor, "Who tried, as they were named."),
    Cell("verb", lambda one: one[1].verb, "What they tried."),
    Cell("code", lambda one: one[1].code, "Why it was refused (docs/reference/errors.md)."),
    Cell("subject", lambda one: one[1].subject, "What it was about."),
    Cell("source", lambda one: one[1].source, "From where."),
    Cell("details", lambda one: "; ".join(f"{name}: {value}" for name, value in one[1].details), "What else is known."),
)
