"""Deciding on a request: yes, yes to less, or no; in one's own place, or in that of somebody who is away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import Event, RequestApproved, RequestDenied, RequestRevised, RequestSubmitted
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import PersonKind
from sojourn.domain.policy import ApproverGroup, Terms, counts, escalated, missing_in_all
from sojourn.domain.target import narrower
from sojourn.errors import Code, Refusal

from .commands import Approve, ApproveLess, Deny
from .content import question
from .entitlement import not_entitled
from .state import Approval, Request, Status
from .submitting import narrowed

Groups = tuple[ApproverGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What a decision stands on: the groups as they were frozen, and as the policy in force has them now."""

    then: Groups
    now: Groups

    def counts(self, person: PersonId) -> bool:
        """Whether the word of `person` counts both then and now."""
        return counts(self.then, person) and counts(self.now, person)


def judge(
    state: Request, command: Approve | ApproveLess | Deny, adopted: Adopted, now: datetime
) -> tuple[Event, ...] | Refusal:
    """What follows from somebody's word on the request, or why it does not count."""
    asked = state.submitted
    names = ", ".join(asked.approvers)
    if command.person == asked.person:
        return Refusal(Code.APPROVAL_SELF, {"person": command.person, "approvers": names})
    ground = _ground(asked, adopted, now)
    place = None if ground is None else _place(state, command.person, asked, ground, adopted, now)
    if ground is None or place is None:
        return not_entitled(command.person, asked, frozen_groups(asked, now), adopted, now)
    refusal = open_refusal(state, now)
    if refusal is not None:
        return refusal
    if command.digest != asked.digest:
        return Refusal(Code.REQUEST_CHANGED, {"request": state.id})
    match command:
        case Deny():
            return (_denied(state, command, place, adopted),)
        case ApproveLess():
            return _approve_less(state, command, place, adopted, now)
        case Approve():
            return _approve(state, command, place, ground, adopted, now)
        case _:
            assert_never(command)


def open_refusal(state: Request, now: datetime, *, unless: Status = Status.PENDING) -> Refusal | None:
    """Why the request (pending, or `unless`) is no longer open, judged at this moment and not by a sweeper."""
    if state.status not in (Status.PENDING, unless):
        return Refusal(Code.REQUEST_NOT_PENDING, {"request": state.id, "status": state.status})
    if state.due is not None and now >= state.due:
        return Refusal(Code.REQUEST_EXPIRED, {"request": state.id, "at": state.due.isoformat()})
    return None


def missing(state: Request, terms: Terms, adopted: Adopted, now: datetime) -> int:
    """How many approvals are still missing, by the stricter of the terms then and the terms now."""
    ground = _Ground(then=frozen_groups(state.submitted, now), now=_groups(terms, state.submitted, now))
    return _missing(state.approvals, state.submitted, ground, adopted.catalogue)


def frozen_groups(asked: RequestSubmitted, now: datetime) -> Groups:
    """The groups that were frozen when it was asked; with more people once it is escalated."""
    if asked.escalate_at is None or now < asked.escalate_at:
        return asked.groups
    return tuple(replace(group, people=tuple(sorted({*group.people, *asked.escalate_to}))) for group in asked.groups)


def _groups(terms: Terms, asked: RequestSubmitted, now: datetime) -> Groups:
    """The groups of the policy in force, escalated when the request is."""
    due = asked.escalate_at is not None and now >= asked.escalate_at
    return escalated(terms).groups if due else terms.groups


def _ground(asked: RequestSubmitted, adopted: Adopted, now: datetime) -> _Ground | None:
    terms = adopted.judge(question(asked, now))
    if isinstance(terms, Refusal):
        return None
    return _Ground(then=frozen_groups(asked, now), now=_groups(terms, asked, now))


def _place(
    state: Request, person: PersonId, asked: RequestSubmitted, ground: _Ground, adopted: Adopted, now: datetime
) -> PersonId | None:
    """Whose place the word of `person` fills: their own, or that of somebody away who named them. None for nobody's.

    Whoever may not decide on this request (its requester by another account, whoever the rules leave out) does not
    get to through a delegation. An own place comes first; of several who are away, the first whose place is free.
    """
    known = adopted.catalogue.person(person)
    if known is None:
        return None
    if ground.counts(person):
        return person
    # A program decides for nobody, whoever has named it.
    if known.kind is not PersonKind.HUMAN or person in adopted.excluded(question(asked, now)):
        return None
    delegators = [one for one in adopted.standing.delegators(person, now) if _present(one, asked, ground, adopted)]
    free = [one for one in delegators if one not in state.approved_by]
    return next(iter(free or delegators), None)


def _present(place: PersonId, asked: RequestSubmitted, ground: _Ground, adopted: Adopted) -> bool:
    return ground.counts(place) and place != asked.person and adopted.catalogue.person(place) is not None


def _counting(
    approvals: Iterable[Approval], asked: RequestSubmitted, ground: _Ground, catalogue: Catalogue
) -> frozenset[PersonId]:
    """The places that are filled: entitled then and now, by somebody who is still known and not the requester."""
    return frozenset(
        one.place
        for one in approvals
        if ground.counts(one.place)
        and asked.person not in (one.place, one.person)
        and catalogue.person(one.place) is not None
        and catalogue.person(one.person) is not None
    )


def _missing(approvals: Iterable[Approval], asked: RequestSubmitted, ground: _Ground, catalogue: Catalogue) -> int:
    counting = _counting(approvals, asked, ground, catalogue)
    return max(missing_in_all(ground.then, counting), missing_in_all(ground.now, counting))


def _approve(
    state: Request, command: Approve, place: PersonId, ground: _Ground, adopted: Adopted, now: datetime
) -> tuple[Event, ...] | Refusal:
    asked, catalogue = state.submitted, adopted.catalogue
    lacking = _missing(state.approvals, asked, ground, catalogue)
    taken = {person for one in state.approvals for person in (one.place, one.person)}
    if taken & {command.person, place}:
        details = {"person": command.person, "request": state.id, "missing": str(lacking)}
        return Refusal(Code.APPROVAL_REPEATED, details)
    approval = Approval(place=place, person=command.person)
    complete = _missing((*state.approvals, approval), asked, ground, catalogue) == 0
    return (_approved(asked, command, place, adopted, now, complete=complete),)


def _approve_less(
    state: Request, command: ApproveLess, place: PersonId, adopted: Adopted, now: datetime
) -> tuple[Event, ...] | Refusal:
    """Make it less, and say yes to just that. Approvals before were for more, and count no more."""
    asked = state.submitted
    refusal = _not_less(asked, command, adopted)
    if refusal is not None:
        return refusal
    content = narrowed(asked, role=command.role, duration=command.duration, adopted=adopted, now=now)
    if isinstance(content, Refusal):
        return content
    ground = _ground(content, adopted, now)
    if ground is None or (content.groups and not ground.counts(place)):
        return not_entitled(command.person, content, frozen_groups(content, now), adopted, now)
    approval = Approval(place=place, person=command.person)
    complete = _missing((approval,), content, ground, adopted.catalogue) == 0
    return (
        RequestRevised(
            request=state.id,
            person=command.person,
            revision=state.revision + 1,
            content=content,
            source=command.source,
        ),
        _approved(content, command, place, adopted, now, complete=complete),
    )


def _not_less(asked: RequestSubmitted, command: ApproveLess, adopted: Adopted) -> Refusal | None:
    """Why what an approver offers is not less than what was asked."""
    target = adopted.catalogue.target(asked.target)
    wide = None if target is None else target.role(asked.role)
    narrow = None if target is None else target.role(command.role)
    shorter, same = command.duration < asked.duration, command.duration == asked.duration
    inside = wide is not None and narrow is not None and narrower(narrow, wide)
    other = command.role != asked.role
    if (shorter and (not other or inside)) or (same and other and inside):
        return None
    return Refusal(Code.APPROVAL_NOT_LESS, {"request": asked.request, "role": asked.role, "asked": str(asked.duration)})


def _approved(
    asked: RequestSubmitted,
    command: Approve | ApproveLess,
    place: PersonId,
    adopted: Adopted,
    now: datetime,
    *,
    complete: bool,
) -> RequestApproved:
    # A planned access can be begun until its span is over; any other while its approval is fresh.
    activate_by = now + asked.activate_within if asked.start is None else asked.start + asked.duration
    return RequestApproved(
        request=asked.request,
        person=command.person,
        digest=asked.digest,
        complete=complete,
        activate_by=activate_by,
        configuration_version=adopted.version,
        source=command.source,
        comment=command.comment,
        on_behalf_of=None if place == command.person else place,
        confirmation=command.confirmation,
    )


def _denied(state: Request, command: Deny, place: PersonId, adopted: Adopted) -> RequestDenied:
    return RequestDenied(
        request=state.id,
        person=command.person,
        digest=command.digest,
        configuration_version=adopted.version,
        source=command.source,
        comment=command.comment,
        on_behalf_of=None if place == command.person else place,
    )
