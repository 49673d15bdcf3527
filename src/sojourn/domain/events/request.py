"""What can happen to a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.confirmation import Confirmation
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, RuleName, TargetName
from sojourn.domain.policy import NO_FACTS, ApproverGroup, Facts, Review, approvers
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSubmitted:
    """Somebody asks. `digest` covers all that is asked; every decision names it. The terms are frozen here.

    `groups` have to approve: all of them, by different people. `automatic` says why there is none, or `break_glass`
    that there was no time. `facts` are what was known when it was asked. With a `start` the access is from then to
    `start` + `duration`. With `extends` it is that grant's end that moves, from `since` to `since` + `duration`. From
    `escalate_at` on those of `escalate_to` may fill any place as well. `review` says who reviews the use.
    """

    kind: ClassVar[str] = "request.submitted"
    request: RequestId
    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    reason: Sealed
    digest: str
    rules: tuple[RuleName, ...]
    groups: tuple[ApproverGroup, ...]
    decide_by: datetime
    activate_within: timedelta
    configuration_version: int
    configuration_digest: str
    source: str
    automatic: str = ""
    facts: Facts = NO_FACTS
    start: datetime | None = None
    extends: GrantId | None = None
    since: datetime | None = None
    break_glass: bool = False
    escalate_at: datetime | None = None
    escalate_to: tuple[PersonId, ...] = ()
    review: Review | None = None

    @property
    def approvers(self) -> tuple[PersonId, ...]:
        """Everybody whose word counts in some group, each once, in order."""
        return approvers(self.groups)

    @property
    def approvals(self) -> int:
        """How many different people have to approve."""
        return sum(group.needed for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRevised:
    """What is asked is now `content`: by its requester, or by an approver who gives less.

    Every approval before it was for something else and counts no more.
    """

    kind: ClassVar[str] = "request.revised"
    request: RequestId
    person: PersonId
    revision: int
    content: RequestSubmitted
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCommented:
    """Somebody whom the request concerns said something. A `question` waits for an answer; `answers` names one."""

    kind: ClassVar[str] = "request.commented"
    request: RequestId
    person: PersonId
    number: int
    text: Sealed
    question: bool
    answers: int | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEscalated:
    """Nobody has decided for long; these people may decide as well from here on."""

    kind: ClassVar[str] = "request.escalated"
    request: RequestId
    people: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestApproved:
    """Somebody entitled said yes to exactly `digest`. `complete` says that no further approval is missing.

    `on_behalf_of` is who was away and had named `person` to decide in their place; it is their place that is filled.
    """

    kind: ClassVar[str] = "request.approved"
    request: RequestId
    person: PersonId
    digest: str
    complete: bool
    activate_by: datetime
    configuration_version: int
    source: str
    comment: Sealed | None = None
    on_behalf_of: PersonId | None = None
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDenied:
    """Somebody entitled said no to exactly `digest`; as in `RequestApproved`, maybe in somebody's place."""

    kind: ClassVar[str] = "request.denied"
    request: RequestId
    person: PersonId
    digest: str
    configuration_version: int
    source: str
    comment: Sealed | None = None
    on_behalf_of: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWithdrawn:
    """Who had said yes takes it back; `on_behalf_of` is whose place it had filled, if not their own.

    The request waits for a decision again, until `decide_by`.
    """

    kind: ClassVar[str] = "request.approval_withdrawn"
    request: RequestId
    person: PersonId
    decide_by: datetime
    source: str
    on_behalf_of: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn:
    """The requester no longer wants it."""

    kind: ClassVar[str] = "request.withdrawn"
    request: RequestId
    person: PersonId
    source: str


class LapseCause(StrEnum):
    """Why a request ended without a decision or without being used."""

    TIME = "time"
    REQUESTER_LEFT = "requester_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExpired:
    """Nobody decided in time, or the approval was not used in time, or its requester has left."""

    kind: ClassVar[str] = "request.expired"
    request: RequestId
    due: datetime
    cause: LapseCause = LapseCause.TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestActivated:
    """The approval was spent: it became this one grant, or moved its end."""

    kind: ClassVar[str] = "request.activated"
    request: RequestId
    person: PersonId
    grant: GrantId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassUsed:
    """Somebody took an access without a decision beforehand. `told` hear of it at once.

    `confirmed_at` is when they last proved who they are. `uses` in `per` are allowed.
    """

    kind: ClassVar[str] = "break_glass.used"
    person: PersonId
    request: RequestId
    grant: GrantId
    told: tuple[PersonId, ...]
    taken_at: datetime
    confirmed_at: datetime
    uses: int
    per: timedelta
    confirmation: Confirmation | None = None
