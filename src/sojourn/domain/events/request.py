"""What can happen to a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, RuleName, TargetName
from sojourn.domain.policy import NO_FACTS, ApproverGroup, Facts, approvers
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSubmitted:
    """Somebody asks. `digest` covers all that is asked; every decision names it. The terms are frozen here.

    `groups` have to approve: all of them, by different people. `automatic` says why there is none. `facts` are what
    was known when it was asked.
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

    @property
    def approvers(self) -> tuple[PersonId, ...]:
        """Everybody whose word counts in some group, each once, in order."""
        return approvers(self.groups)

    @property
    def approvals(self) -> int:
        """How many different people have to approve."""
        return sum(group.needed for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestApproved:
    """Somebody entitled said yes to exactly `digest`. `complete` says that no further approval is missing."""

    kind: ClassVar[str] = "request.approved"
    request: RequestId
    person: PersonId
    digest: str
    complete: bool
    activate_by: datetime
    configuration_version: int
    source: str
    comment: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDenied:
    """Somebody entitled said no to exactly `digest`."""

    kind: ClassVar[str] = "request.denied"
    request: RequestId
    person: PersonId
    digest: str
    configuration_version: int
    source: str
    comment: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn:
    """The requester no longer wants it."""

    kind: ClassVar[str] = "request.withdrawn"
    request: RequestId
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExpired:
    """Nobody decided in time, or the approval was not used in time."""

    kind: ClassVar[str] = "request.expired"
    request: RequestId
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestActivated:
    """The approval was spent: it became this one grant."""

    kind: ClassVar[str] = "request.activated"
    request: RequestId
    person: PersonId
    grant: GrantId
    source: str
