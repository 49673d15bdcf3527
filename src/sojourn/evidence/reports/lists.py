"""Lists that are told from the access events: habits, and who decided for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sojourn.domain.events import AttemptRefused
from sojourn.domain.history import Recorded
from sojourn.errors import Code
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .context import Context


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
