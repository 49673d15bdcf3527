"""Tests of what came after the use: I, J and M."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sojourn.domain.events import ReviewOutcome
from sojourn.evidence.accesses import Access, Looked

from .answer import Answer, AttributeTest, Letter, moment_text, not_applicable, passed
from .using import NO_GRANT


def reviewed(access: Access, as_of: datetime) -> AttributeTest:
    """I: concluded by its due time, by somebody who was named for it and had no part in the access."""
    given = access.given
    if given is None:
        return not_applicable(Letter.I, NO_GRANT)
    asked = given.created.event
    if asked.review is None:
        return not_applicable(Letter.I, "its rules ask for no review")
    if given.ended is None:
        return not_applicable(Letter.I, "it is reviewed when it is over")
    if not given.uses and not asked.break_glass:
        return not_applicable(Letter.I, "it was never used")
    if given.review is None:
        late = as_of >= given.ended.at + asked.review.within
        if not late:
            return not_applicable(Letter.I, "its review has not been opened yet")
        return passed(Letter.I, False, "no review was opened")
    return _looked(given.review, as_of)


def _looked(review: Looked, as_of: datetime) -> AttributeTest:
    opened, concluded = review.opened.event, review.concluded
    due = moment_text(opened.due)
    if concluded is None:
        if not review.late_at(as_of):
            return not_applicable(Letter.I, f"it is open until {due}")
        return passed(Letter.I, False, f"nobody had concluded it by {due}")
    more = () if review.overdue is None else review.overdue.event.escalated_to
    person = concluded.event.person
    entitled = person in {*opened.reviewers, *more}
    apart = person not in opened.involved and person != opened.person
    said = f"{concluded.event.outcome} by {person} at {moment_text(concluded.at)}, due {due}"
    said += "" if entitled else f"; {person} was not named for it"
    said += "" if apart else f"; {person} had a part in the access"
    return passed(Letter.I, entitled and apart and not review.late_at(as_of), said)


def told_and_looked_at(access: Access, as_of: datetime) -> AttributeTest:
    """M: others heard of an emergency access in the same moment, and its review approved of it in time."""
    if not access.asked.event.break_glass:
        return not_applicable(Letter.M, "it was no emergency")
    used, given = access.break_glass, access.given
    if used is None or given is None:
        return passed(Letter.M, False, "nobody was told of it")
    told = ", ".join(used.event.told) or "nobody"
    said = f"told {told} at {moment_text(used.at)}, the access began at {moment_text(given.window.start)}"
    if not used.event.told:
        return passed(Letter.M, False, said)
    review = given.review
    if review is None or review.concluded is None:
        looking = reviewed(access, as_of)
        if looking.answer is Answer.FAIL:
            return passed(Letter.M, False, f"{said}; {looking.reason}")
        return not_applicable(Letter.M, f"{said}; {looking.reason}")
    fine = review.concluded.event.outcome in (ReviewOutcome.APPROPRIATE, ReviewOutcome.APPROPRIATE_WITH_REMARKS)
    in_time = not review.late_at(as_of)
    said += f"; found {review.concluded.event.outcome} at {moment_text(review.concluded.at)}"
    return passed(Letter.M, fine and in_time, said)


def followed_up(access: Access, others: Sequence[AttributeTest], dispositions: Sequence[str]) -> AttributeTest:
    """J: whatever failed above, and whatever a reviewer did not find appropriate, has a disposition on record."""
    failed = [one.letter for one in others if one.answer is Answer.FAIL]
    review = access.given.review if access.given is not None else None
    if review is not None and review.concluded is not None:
        outcome = review.concluded.event.outcome
        if outcome in (ReviewOutcome.INAPPROPRIATE, ReviewOutcome.NOT_DETERMINABLE):
            failed.append(f"review: {outcome}")
    if not failed:
        return not_applicable(Letter.J, "there is no exception")
    if dispositions:
        return passed(Letter.J, True, f"{', '.join(failed)}: {'; '.join(dispositions)}")
    return passed(Letter.J, False, f"nothing on record disposes of: {', '.join(failed)}")
