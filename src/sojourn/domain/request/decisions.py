"""What follows from what is said to a request."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import (
    ApprovalWithdrawn,
    Event,
    LapseCause,
    RequestCommented,
    RequestEscalated,
    RequestExpired,
    RequestWithdrawn,
)
from sojourn.errors import Code, Refusal

from .commands import (
    Activate,
    Approve,
    ApproveLess,
    Command,
    Comment,
    Deny,
    EscalateRequest,
    LapseRequest,
    Revise,
    Withdraw,
    WithdrawApproval,
)
from .judging import judge, open_refusal
from .spending import activate
from .state import Request, Status
from .submitting import revise

COMMENTS_MAX = 200


def decide(state: Request, command: Command, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does. Pure: the same inputs give the same answer."""
    match command:
        case Approve() | ApproveLess() | Deny():
            return judge(state, command, adopted, now)
        case Revise():
            return revise(state, command, adopted, now)
        case Comment():
            return _comment(state, command, adopted, now)
        case Withdraw():
            return _withdraw(state, command, now)
        case WithdrawApproval():
            return _withdraw_approval(state, command, now)
        case Activate():
            return activate(state, command, adopted, now)
        case LapseRequest():
            return _lapse(state, adopted, now)
        case EscalateRequest():
            asked = state.submitted
            due = asked.escalate_at is not None and now >= asked.escalate_at
            if state.status is not Status.PENDING or state.escalated or not due:
                return ()
            return (RequestEscalated(request=state.id, people=asked.escalate_to),)
        case _:
            assert_never(command)


def concerns(state: Request, adopted: Adopted, person: str, now: datetime) -> bool:
    """Whether the request is any business of `person`: they asked, may decide on it, administer or audit."""
    asked = state.submitted
    known = next((one for one in adopted.catalogue.people if one.id == person), None)
    if known is None:
        return False
    deciding = {*asked.approvers, *asked.escalate_to}
    return (
        known.id == asked.person
        or known.administrator
        or known.auditor
        or known.id in deciding
        or not deciding.isdisjoint(adopted.standing.delegators(known.id, now))
    )


def _comment(state: Request, command: Comment, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    if not concerns(state, adopted, command.person, now):
        return Refusal(Code.REQUEST_UNKNOWN, {"request": state.id})
    if state.comments >= COMMENTS_MAX:
        return Refusal(Code.REQUEST_COMMENTS_FULL, {"request": state.id, "limit": str(COMMENTS_MAX)})
    if command.answers is not None and command.answers not in state.questions:
        return Refusal(Code.REQUEST_QUESTION_UNKNOWN, {"request": state.id, "number": str(command.answers)})
    return (
        RequestCommented(
            request=state.id,
            person=command.person,
            number=state.comments + 1,
            text=command.text,
            question=command.question,
            answers=command.answers,
            source=command.source,
        ),
    )


def _withdraw(state: Request, command: Withdraw, now: datetime) -> tuple[Event, ...] | Refusal:
    if command.person != state.submitted.person:
        return Refusal(Code.REQUEST_NOT_YOURS, {"request": state.id, "owner": state.submitted.person})
    refusal = open_refusal(state, now, unless=Status.APPROVED)
    if refusal is not None:
        return refusal
    return (RequestWithdrawn(request=state.id, person=command.person, source=command.source),)


def _withdraw_approval(state: Request, command: WithdrawApproval, now: datetime) -> tuple[Event, ...] | Refusal:
    """Whoever has lost the authority since may take their yes back all the same: that opens nothing."""
    given = next((one for one in state.approvals if one.person == command.person), None)
    if given is None:
        return Refusal(Code.APPROVAL_NOT_GIVEN, {"person": command.person, "request": state.id})
    refusal = open_refusal(state, now, unless=Status.APPROVED)
    if refusal is not None:
        return refusal
    return (
        ApprovalWithdrawn(
            request=state.id,
            person=command.person,
            decide_by=state.submitted.decide_by,
            source=command.source,
            on_behalf_of=None if given.place == given.person else given.place,
        ),
    )


def _lapse(state: Request, adopted: Adopted, now: datetime) -> tuple[Event, ...]:
    if state.due is None:
        return ()
    if now >= state.due:
        return (RequestExpired(request=state.id, due=state.due),)
    if adopted.catalogue.person(state.submitted.person) is None:
        return (RequestExpired(request=state.id, due=state.due, cause=LapseCause.REQUESTER_LEFT),)
    return ()
