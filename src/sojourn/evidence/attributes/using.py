"""Tests of what was done, and of how it ended: F, G, H and L."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.domain.duration import format_duration
from sojourn.domain.review import CHECKLIST
from sojourn.evidence.accesses import Access, Configurations

from .answer import AttributeTest, Letter, moment_text, not_applicable, passed

REMOVAL_ALLOWED = timedelta(minutes=5)
"""Cutting takes milliseconds; a target that is down for a moment is still in time, one that is down longer is not."""

DECLARED = CHECKLIST[1]
"""The point of the review's checklist that asks whether what was done fits what was declared."""

NO_GRANT = "no access of its own came of it"


def inside_window(access: Access) -> AttributeTest:
    """F: every session began and every action was recorded inside the window, and their numbers have no gap."""
    given = access.given
    if given is None:
        return not_applicable(Letter.F, NO_GRANT)
    if not given.uses:
        return not_applicable(Letter.F, "it was never used")
    if given.outside.count or given.misnumbered.count:
        outside, gaps = given.outside, given.misnumbered
        said = [f"{outside.count} outside the window ({_places(outside.first)})"] if outside.count else []
        said += [f"{gaps.count} out of sequence ({_places(gaps.first)})"] if gaps.count else []
        return passed(Letter.F, False, ", ".join(said))
    span = f"from {moment_text(given.window.start)} to {moment_text(given.window.end)}"
    return passed(Letter.F, True, f"{len(given.uses)} sessions, {given.total('actions')} actions, all {span}")


def as_declared(access: Access) -> AttributeTest:
    """G: the reviewer, who saw both, found that what was done fits what had been declared."""
    given, declared = access.given, access.asked.event.facts.activities
    if given is None:
        return not_applicable(Letter.G, NO_GRANT)
    if not declared:
        return not_applicable(Letter.G, "nothing had to be declared")
    if not given.uses:
        return not_applicable(Letter.G, "it was never used")
    words = f"declared: {', '.join(declared)}; done: {_done(access)}"
    review = given.review
    if review is None or review.concluded is None:
        return not_applicable(Letter.G, f"{words}; no reviewer has compared them yet")
    found = dict(zip(review.opened.event.checklist, review.concluded.event.answers, strict=False))
    answer = found.get(DECLARED, "no")
    reviewer = review.concluded.event.person
    return passed(Letter.G, answer == "yes", f"{words}; {reviewer} answered {answer} (entry {review.concluded.seq})")


def _done(access: Access) -> str:
    assert access.given is not None
    verbs: dict[str, int] = {}
    for use in access.given.uses.values():
        for verb, count in use.verbs.items():
            verbs[verb] = verbs.get(verb, 0) + count
    return ", ".join(f"{count} {verb}" for verb, count in sorted(verbs.items())) or "nothing"


def removed_in_time(access: Access, as_of: datetime) -> AttributeTest:
    """H: counts from the moment the access had to be over: its end, or earlier when somebody ended it."""
    given = access.given
    if given is None:
        return not_applicable(Letter.H, NO_GRANT)
    due = given.window.end if given.ended is None else min(given.ended.at, given.window.end)
    allowed = format_duration(REMOVAL_ALLOWED)
    if given.removed is None:
        if as_of <= due + REMOVAL_ALLOWED:
            return not_applicable(Letter.H, f"it is open until {moment_text(given.window.end)}")
        reason = f"it was over at {moment_text(due)}, and at {moment_text(as_of)} its absence had not been read back"
        return passed(Letter.H, False, f"{reason}; {given.last_problem}".rstrip("; "))
    gone, latency = given.removed.event, given.removed.at - due
    milliseconds = round(latency.total_seconds() * 1000)
    said = f"read back as gone {milliseconds} ms after it had to be over; {allowed} are allowed"
    if gone.role_present or gone.sessions_present:
        said += f"; seen there: {'the role, ' if gone.role_present else ''}{gone.sessions_present} sessions"
    return passed(Letter.H, latency <= REMOVAL_ALLOWED and not gone.role_present and gone.sessions_present == 0, said)


def credential_changed(access: Access, configurations: Configurations) -> AttributeTest:
    """L: an account that others use too got another password when the access was over."""
    given = access.given
    if given is None:
        return not_applicable(Letter.L, NO_GRANT)
    created = given.created.event
    adopted = configurations.under(created.configuration_version)
    role = None if adopted is None else adopted.catalogue.role(created.target, created.role)
    if role is None or not role.account:
        return not_applicable(Letter.L, "its credential was made for this access alone")
    if given.removed is None:
        return not_applicable(Letter.L, f"the account {role.account} is still open for it")
    said = f"the account {role.account} was shut and its password changed (entry {given.removed.seq})"
    return passed(Letter.L, not given.removed.event.role_present, said)


def _places(first: list[int]) -> str:
    return f"entries {', '.join(map(str, first))}"
