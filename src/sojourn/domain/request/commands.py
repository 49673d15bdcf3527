"""What may be said to a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn.domain.confirmation import Confirmation
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from sojourn.domain.policy import NO_FACTS, Facts
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Ask for `role` on `target` for `duration`, from `start` on if there is one.

    `sealed_reason` is `reason` in its sealed form.
    """

    request: RequestId
    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    reason: str
    sealed_reason: Sealed
    source: str
    facts: Facts = NO_FACTS
    start: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitExtension:
    """Ask that an access of one's own lasts `duration` longer than it does."""

    request: RequestId
    person: PersonId
    duration: timedelta
    reason: str
    sealed_reason: Sealed
    source: str
    facts: Facts = NO_FACTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise:
    """Ask for something else instead; what stays as it was is said again."""

    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    reason: str
    sealed_reason: Sealed
    source: str
    facts: Facts = NO_FACTS
    start: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Say yes to what has this digest."""

    person: PersonId
    digest: str
    source: str
    comment: Sealed | None = None
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveLess:
    """Say yes to less than what has this digest: a narrower role, a shorter time, or both."""

    person: PersonId
    digest: str
    role: RoleName
    duration: timedelta
    source: str
    comment: Sealed | None = None
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Say no to what has this digest."""

    person: PersonId
    digest: str
    source: str
    comment: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Say something about the request, ask something, or answer what was asked."""

    person: PersonId
    text: Sealed
    source: str
    question: bool = False
    answers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take the request back."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApproval:
    """Take back one's own yes, while nothing has come of it."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate:
    """Spend the approval: begin the access now. `credential` names the login to be made, if the role brings none."""

    person: PersonId
    grant: GrantId
    credential: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseRequest:
    """Time has passed, or the requester has left: end the request if it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateRequest:
    """Time has passed: say that more people may decide, if that is due."""


Command = (
    Approve
    | ApproveLess
    | Deny
    | Revise
    | Comment
    | Withdraw
    | WithdrawApproval
    | Activate
    | LapseRequest
    | EscalateRequest
)
