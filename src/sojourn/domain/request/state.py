"""A request as its stream tells it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sojourn.domain.events import (
    ApprovalWithdrawn,
    Event,
    RequestActivated,
    RequestApproved,
    RequestCommented,
    RequestDenied,
    RequestEscalated,
    RequestExpired,
    RequestRevised,
    RequestSubmitted,
    RequestWithdrawn,
)
from sojourn.domain.identifiers import GrantId, PersonId, RequestId


class Status(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ACTIVATED = "activated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's yes: `place` is whose place it fills, `person` who said it. Mostly they are the same."""

    place: PersonId
    person: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as its stream tells it. `submitted` is what is asked now, after `revision` versions of it.

    `due` is when it lapses if nothing happens; None once it is closed. `approvals` are those of the present revision.
    """

    submitted: RequestSubmitted
    status: Status = Status.PENDING
    revision: int = 1
    approvals: tuple[Approval, ...] = ()
    decided_by: PersonId | None = None
    due: datetime | None = None
    grant: GrantId | None = None
    comments: int = 0
    questions: frozenset[int] = frozenset()
    escalated: bool = False

    @property
    def id(self) -> RequestId:
        """The request's id."""
        return self.submitted.request

    @property
    def approved_by(self) -> tuple[PersonId, ...]:
        """Whose places are filled, in order."""
        return tuple(one.place for one in self.approvals)


def evolve(state: Request | None, event: Event) -> Request | None:
    """The request after `event`. Events of other streams leave it as it is."""
    match event:
        case RequestSubmitted():
            return Request(submitted=event, status=_begun(event), due=event.decide_by)
        case _ if state is None:
            return None
        case RequestRevised():
            return replace(
                state,
                submitted=event.content,
                revision=event.revision,
                status=_begun(event.content),
                due=event.content.decide_by,
                approvals=(),
                decided_by=None,
                escalated=False,
            )
        case RequestCommented():
            asked = state.questions | {event.number} if event.question else state.questions
            return replace(state, comments=event.number, questions=asked - {event.answers})
        case RequestEscalated():
            return replace(state, escalated=True)
        case RequestApproved():
            approvals = (*state.approvals, Approval(place=event.on_behalf_of or event.person, person=event.person))
            if not event.complete:
                return replace(state, approvals=approvals)
            return replace(
                state,
                status=Status.APPROVED,
                approvals=approvals,
                decided_by=event.person,
                due=event.activate_by,
            )
        case ApprovalWithdrawn():
            place = event.on_behalf_of or event.person
            left = tuple(one for one in state.approvals if (one.place, one.person) != (place, event.person))
            return replace(state, status=Status.PENDING, approvals=left, decided_by=None, due=event.decide_by)
        case _:
            return _closed(state, event)


def _begun(content: RequestSubmitted) -> Status:
    """Where a request stands when its content is new: approved as it is asked, where no decision is needed."""
    return Status.PENDING if content.groups else Status.APPROVED


def _closed(state: Request, event: Event) -> Request:
    """The request after what ends it."""
    match event:
        case RequestDenied():
            return replace(state, status=Status.DENIED, decided_by=event.person, due=None)
        case RequestWithdrawn():
            return replace(state, status=Status.WITHDRAWN, decided_by=event.person, due=None)
        case RequestExpired():
            return replace(state, status=Status.EXPIRED, due=None)
        case RequestActivated():
            return replace(state, status=Status.ACTIVATED, grant=event.grant, due=None)
        case _:
            return state
