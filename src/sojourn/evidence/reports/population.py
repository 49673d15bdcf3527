"""The population of access events: one row for each request, whatever became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import GrantEnded, GrantRemoved
from sojourn.domain.policy import Ticket
from sojourn.domain.window import Window
from sojourn.evidence.accesses import Access, Books, Given, Looked
from sojourn.evidence.accesses.access import Placed
from sojourn.evidence.attributes import Answer, AttributeTest, Letter, answer
from sojourn.evidence.files.sheet import Value

from .columns import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row: the access event and its tests. `carried_over`: it was open when the period began."""

    access: Access
    tests: tuple[AttributeTest, ...]
    carried_over: bool

    def test(self, letter: str) -> AttributeTest:
        """The test of that letter."""
        return next(one for one in self.tests if one.letter == letter)


def in_period(access: Access, period: Window) -> bool:
    """Whether it was asked for in the period, or was open when the period began."""
    asked, closed = access.submitted.at, access.closed_at
    return asked < period.end and (asked >= period.start or closed is None or closed >= period.start)


def events(
    books: Books,
    *,
    period: Window,
    as_of: datetime,
    integrity: AttributeTest,
    dispositions: Callable[[Access], tuple[str, ...]],
    wanted: Callable[[Access], bool] = lambda _: True,
) -> Iterator[Event]:
    """Every access event of the period in the order of asking, with its tests."""
    for access in books.accesses:
        if in_period(access, period) and wanted(access):
            tests = answer(
                access,
                configurations=books.configurations,
                as_of=as_of,
                integrity=integrity,
                dispositions=dispositions(access),
            )
            yield Event(access=access, tests=tests, carried_over=access.submitted.at < period.start)


def _asked(name: str, find: Callable[[Access], Value], meaning: str) -> Cell[Event]:
    return Cell(name, lambda event: find(event.access), meaning)


def _ticket(name: str, find: Callable[[Ticket], Value], meaning: str) -> Cell[Event]:
    def value(event: Event) -> Value:
        ticket = event.access.asked.event.facts.ticket
        return None if ticket is None else find(ticket)

    return Cell(name, value, meaning)


def _given(name: str, find: Callable[[Given], Value], meaning: str) -> Cell[Event]:
    """A cell that is empty where nothing was granted."""

    def value(event: Event) -> Value:
        return None if event.access.given is None else find(event.access.given)

    return Cell(name, value, meaning)


def _total(name: str, meaning: str) -> Cell[Event]:
    def value(event: Event) -> Value:
        return 0 if event.access.given is None else event.access.given.total(name)

    return Cell(name, value, meaning, total=True)


def _ended(name: str, find: Callable[[Placed[GrantEnded]], Value], meaning: str) -> Cell[Event]:
    return _given(name, lambda given: None if given.ended is None else find(given.ended), meaning)


def _removed(name: str, find: Callable[[Placed[GrantRemoved]], Value], meaning: str) -> Cell[Event]:
    return _given(name, lambda given: None if given.removed is None else find(given.removed), meaning)


def _review(name: str, find: Callable[[Looked], Value], meaning: str) -> Cell[Event]:
    return _given(name, lambda given: None if given.review is None else find(given.review), meaning)


def _letter(letter: Letter) -> Cell[Event]:
    meaning = f"{letter.asks}: pass, fail or not applicable."
    return Cell(letter.value, lambda event: event.test(letter.value).answer.value, meaning)


def _approvers(access: Access) -> str:
    places = [(one.event.person, one.event.on_behalf_of) for one in access.approvals]
    return ", ".join(person if place is None else f"{person} for {place}" for person, place in places)


def _approved_at(access: Access) -> datetime | None:
    return None if access.complete is None else access.complete.at


def _failed(event: Event) -> str:
    return " ".join(one.letter for one in event.tests if one.answer is Answer.FAIL)


CELLS: tuple[Cell[Event], ...] = (
    _asked("number", lambda one: one.number, "Counts all requests since the first, without a gap."),
    _asked("request", lambda one: one.request, "Id of the request: the access event."),
    _asked("grant", lambda one: one.grant, "Id of the grant that it became, or whose end it moved."),
    _asked("kind", lambda one: one.kind, "standard, emergency, extension, or automatic (a rule approved it alone)."),
    _asked("status", lambda one: one.status, "Where it stands as of the report."),
    Cell("carried_over", lambda event: event.carried_over, "Asked for before the period, and open at its start."),
    _asked("requester", lambda one: one.asked.event.person, "Account that asked."),
    _asked("target", lambda one: one.asked.event.target, "Production system."),
    _asked("role", lambda one: one.asked.event.role, "Role on it."),
    _asked("requested_at", lambda one: one.submitted.at, "First asked (UTC). The period goes by this column."),
    _asked("requested_s", lambda one: round(one.asked.event.duration.total_seconds()), "Asked for so many seconds."),
    _asked("reason_code", lambda one: one.asked.event.facts.reason_code, "Reason code, where the rules ask for one."),
    _ticket("ticket", lambda one: one.id, "Ticket given."),
    _ticket("ticket_kind", lambda one: one.kind, "Its kind then."),
    _ticket("ticket_state", lambda one: one.state, "Its state then."),
    _asked("declared", lambda one: ", ".join(one.asked.event.facts.activities), "Activities declared beforehand."),
    _asked("revisions", lambda one: one.revisions, "How often it was changed; each starts approval anew."),
    _asked("rules", lambda one: ", ".join(one.asked.event.rules), "Rules of the policy that it was asked under."),
    _asked("policy_version", lambda one: one.asked.event.configuration_version, "Version of the configuration then."),
    _asked("policy_sha256", lambda one: one.asked.event.configuration_digest, "Hash of that configuration."),
    _asked("approvals_needed", lambda one: one.asked.event.approvals, "How many different people had to approve."),
    _asked("approvers", _approvers, "Who approved; `b for a`: b in the place of a, who was away."),
    _asked("approved_at", _approved_at, "When no approval was missing any more (UTC)."),
    _asked("denied_by", lambda one: one.denial.event.person if one.denial else None, "Who denied it."),
    _asked("activated_at", lambda one: one.activated_at, "When the approval was spent (UTC)."),
    _given("access_start", lambda one: one.window.start, "Start of the access (UTC, included)."),
    _given("access_end", lambda one: one.window.end, "Its end with all extensions (UTC, not included)."),
    _given("extensions", lambda one: len(one.extended_by), "How often its end was moved, each by an event of its own."),
    _given("provisioned_at", lambda one: one.provisioned_at, "When the privilege was read back from the target (UTC)."),
    _given("privileges", lambda one: "; ".join(one.observed), "What was read back."),
    Cell("sessions", lambda event: len(event.access.given.uses) if event.access.given else 0, "Sessions.", total=True),
    _total("actions", "Actions recorded."),
    _total("writes", "Of these, labelled as able to write."),
    _total("failed", "Of these, refused by the target."),
    _total("unanswered", "Of these, without an outcome on record."),
    _total("rows", "Rows read or changed, as the target told."),
    _total("bytes_out", "Bytes that the target sent."),
    _ended("ended_at", lambda one: one.at, "When it was over (UTC)."),
    _ended("end_cause", lambda one: one.event.cause.value, "Why."),
    _ended("ended_by", lambda one: one.event.ended_by, "By whom, if not by time."),
    _removed("removed_at", lambda one: one.at, "When its absence was read back from the target (UTC)."),
    _removed("sessions_cut", lambda one: one.event.sessions_terminated, "Sessions still open at the target then."),
    _given("removal_failures", lambda one: one.removal_failures, "Tries of the removal that failed."),
    _review("review_due", lambda one: one.opened.event.due, "When its review is due (UTC)."),
    _review("reviewer", lambda one: one.concluded.event.person if one.concluded else None, "Who reviewed it."),
    _review("reviewed_at", lambda one: one.concluded.at if one.concluded else None, "When (UTC)."),
    _review("outcome", lambda one: one.concluded.event.outcome.value if one.concluded else None, "What they found."),
    _asked("refused_attempts", lambda one: one.attempts_total, "Attempts about it that were refused."),
    *map(_letter, Letter),
    Cell("exceptions", _failed, "Letters of the tests that failed."),
    _asked("first_entry", lambda one: one.submitted.seq, "Place of its first entry in the record."),
)
"""The columns of the population, in order."""
