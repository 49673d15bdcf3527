"""A review: somebody who had no part in an access looks at what was done under it.

- It is opened when the access is over, if its terms ask for one and it was used; after break-glass always.
- Its reviewers are named when it is opened: whom the rules name, less the holder (by any account), everybody who
  decided on it, and everybody whom a separation of duties bars. If nobody is left, auditors and administrators of whom
  the same is true. Separations are asked again when it is concluded.
- Every point of the checklist is answered, and the outcome is one of four. It is appropriate only if no answer is no.
- Reviewers ask, the holder replies, and both are on record.
- When it is overdue, auditors and administrators may conclude it too, and the holder's teams are given nothing new
  until somebody does.
- It is concluded once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from sojourn.errors import Code, Refusal

from .catalogue import Adopted
from .events import (
    Event,
    ReviewConcluded,
    ReviewNoted,
    ReviewOpened,
    ReviewOutcome,
    ReviewOverdue,
    TeamsBlocked,
    TeamsUnblocked,
)
from .grant import Grant, Status
from .identifiers import GrantId, PersonId
from .policy import NOTHING_DONE, Done, Duty, apart_refusal, barred
from .request import Request
from .sealed import Sealed

CHECKLIST = (
    "What was done fits the reason that was given.",
    "What was done fits what had been declared.",
    "No more was read or changed than that needed.",
    "Nothing was left behind in the system.",
    "What has to follow is on a ticket.",
)
ANSWERS = ("yes", "no", "not_applicable")
NOTES_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review as its stream tells it."""

    opened: ReviewOpened
    notes: int = 0
    questions: frozenset[int] = frozenset()
    overdue: ReviewOverdue | None = None
    concluded: ReviewConcluded | None = None

    @property
    def grant(self) -> GrantId:
        """The access that it is about."""
        return self.opened.grant

    @property
    def reviewers(self) -> tuple[PersonId, ...]:
        """Who may conclude it."""
        more = () if self.overdue is None else self.overdue.escalated_to
        return tuple(sorted({*self.opened.reviewers, *more}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Say something, ask something, or reply to a question."""

    person: PersonId
    text: Sealed
    source: str
    question: bool = False
    answers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """Answer the checklist and come to an outcome. The numbers are what was seen to have been done.

    `certified` are those who, by now, confirmed that the holder may have the access, and `executing` those who, by now,
    were named to carry out what it was for.
    """

    person: PersonId
    outcome: ReviewOutcome
    answers: tuple[str, ...]
    sessions: int
    actions: int
    writes: int
    source: str
    remark: Sealed | None = None
    certified: tuple[PersonId, ...] = ()
    executing: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReviewOverdue:
    """Time has passed: say that it is overdue, if it is."""


Command = Note | Conclude | ReportReviewOverdue


def evolve(state: Review | None, event: Event) -> Review | None:
    """The review after `event`. Events of other streams leave it as it is."""
    match event:
        case ReviewOpened():
            return Review(opened=event)
        case _ if state is None:
            return None
        case ReviewNoted():
            asked = state.questions | {event.number} if event.question else state.questions
            return replace(state, notes=event.number, questions=asked - {event.answers})
        case ReviewOverdue():
            return replace(state, overdue=event)
        case ReviewConcluded():
            return replace(state, concluded=event)
        case _:
            return state


def open_review(
    grant: Grant,
    asked: tuple[Request, ...],
    adopted: Adopted,
    *,
    ended_at: datetime,
    used: bool,
    certified: Iterable[PersonId] = (),
    executing: Iterable[PersonId] = (),
) -> ReviewOpened | None:
    """The review that the access asks for, or None if it is not over or asks for none.

    `asked` are the requests that gave it: the one that it began with, and those that made it last longer. `certified`
    are those who confirmed that its holder may have it, and `executing` were named to carry out what it was for.
    """
    created = grant.created
    if grant.status not in (Status.ENDED, Status.REMOVED) or created.review is None:
        return None
    if not used and not created.break_glass:
        return None
    # Besides asking for it and deciding on it: that bars in every policy.
    done: Done = {Duty.EXECUTE: tuple(executing), Duty.CERTIFY: tuple(certified)}
    involved = _involved(asked, adopted) | barred(adopted.policy, Duty.REVIEW, done)
    named = tuple(sorted(set(created.review.people) - involved))
    teams = tuple(team.name for team in adopted.catalogue.teams if created.person in team.members)
    return ReviewOpened(
        grant=grant.id,
        request=created.request,
        person=created.person,
        reviewers=named or _others(adopted, involved),
        involved=tuple(sorted(involved)),
        due=ended_at + created.review.within,
        teams=teams,
        break_glass=created.break_glass,
        declared=asked[0].submitted.facts.activities,
        checklist=CHECKLIST,
        configuration_version=adopted.version,
    )


def decide(state: Review, command: Command, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does; what belongs to the standing of people comes last."""
    match command:
        case Note():
            return _note(state, command, adopted)
        case Conclude():
            return _conclude(state, command, adopted)
        case ReportReviewOverdue():
            opened = state.opened
            if state.concluded is not None or state.overdue is not None or now < opened.due:
                return ()
            others = _others(adopted, frozenset(opened.involved))
            return (
                ReviewOverdue(grant=state.grant, due=opened.due, escalated_to=others),
                TeamsBlocked(grant=state.grant, person=opened.person, teams=opened.teams),
            )
        case _:
            assert_never(command)


def _involved(asked: tuple[Request, ...], adopted: Adopted) -> frozenset[PersonId]:
    """Who had a part in it: its holder by any account, and everybody who decided on it or in whose place."""
    holder = asked[0].submitted.person
    decided = {person for request in asked for one in request.approvals for person in (one.place, one.person)}
    return frozenset(decided) | adopted.policy.accounts.get(holder, frozenset((holder,)))


def _others(adopted: Adopted, involved: frozenset[PersonId]) -> tuple[PersonId, ...]:
    """Auditors and administrators who had no part in it, and whom no duty that they hold bars."""
    out = involved | barred(adopted.policy, Duty.REVIEW, NOTHING_DONE)
    people = adopted.catalogue.people
    return tuple(sorted(one.id for one in people if (one.auditor or one.administrator) and one.id not in out))


def _note(state: Review, command: Note, adopted: Adopted) -> tuple[Event, ...] | Refusal:
    known = adopted.catalogue.person(command.person)
    if known is None or command.person not in {*state.reviewers, state.opened.person}:
        return Refusal(Code.REVIEW_UNKNOWN, {"grant": state.grant})
    if state.concluded is not None:
        return Refusal(Code.REVIEW_CONCLUDED, {"grant": state.grant, "person": state.concluded.person})
    if state.notes >= NOTES_MAX:
        return Refusal(Code.REVIEW_NOTES_FULL, {"grant": state.grant, "limit": str(NOTES_MAX)})
    if command.answers is not None and command.answers not in state.questions:
        return Refusal(Code.REVIEW_QUESTION_UNKNOWN, {"grant": state.grant, "number": str(command.answers)})
    return (
        ReviewNoted(
            grant=state.grant,
            person=command.person,
            number=state.notes + 1,
            text=command.text,
            question=command.question,
            answers=command.answers,
            source=command.source,
        ),
    )


def _conclude(state: Review, command: Conclude, adopted: Adopted) -> tuple[Event, ...] | Refusal:
    opened = state.opened
    known = adopted.catalogue.person(command.person)
    if known is None or command.person not in state.reviewers or command.person in opened.involved:
        details = {"person": command.person, "grant": state.grant, "reviewers": ", ".join(state.reviewers)}
        return Refusal(Code.REVIEW_NOT_ENTITLED, details)
    done: Done = {Duty.EXECUTE: command.executing, Duty.CERTIFY: command.certified}
    refusal = apart_refusal(adopted.policy, Duty.REVIEW, command.person, done)
    if refusal is not None:
        return refusal
    if state.concluded is not None:
        return Refusal(Code.REVIEW_CONCLUDED, {"grant": state.grant, "person": state.concluded.person})
    refusal = _checked(state, command)
    if refusal is not None:
        return refusal
    concluded = ReviewConcluded(
        grant=state.grant,
        person=command.person,
        outcome=command.outcome,
        answers=command.answers,
        remark=command.remark,
        sessions=command.sessions,
        actions=command.actions,
        writes=command.writes,
        source=command.source,
        configuration_version=adopted.version,
    )
    return (concluded,) if state.overdue is None else (concluded, TeamsUnblocked(grant=state.grant))


def _checked(state: Review, command: Conclude) -> Refusal | None:
    """Why the answers do not carry the outcome, or None."""
    points = len(state.opened.checklist)
    if len(command.answers) != points or not set(command.answers) <= set(ANSWERS):
        problem = f"The checklist has {points} points, and each is answered with one of {', '.join(ANSWERS)}"
        return Refusal(Code.REVIEW_INCOMPLETE, {"grant": state.grant, "problem": problem})
    if command.outcome is ReviewOutcome.APPROPRIATE and "no" in command.answers:
        problem = "What has a no in its checklist is not simply appropriate"
        return Refusal(Code.REVIEW_INCOMPLETE, {"grant": state.grant, "problem": problem})
    if command.outcome is not ReviewOutcome.APPROPRIATE and command.remark is None:
        problem = "This outcome needs a remark that says why"
        return Refusal(Code.REVIEW_INCOMPLETE, {"grant": state.grant, "problem": problem})
    if state.questions:
        numbers = ", ".join(map(str, sorted(state.questions)))
        problem = f"Questions are open: {numbers}"
        if command.outcome is ReviewOutcome.APPROPRIATE:
            return Refusal(Code.REVIEW_INCOMPLETE, {"grant": state.grant, "problem": problem})
    return None
