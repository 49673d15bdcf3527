"""What can happen to a grant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, SessionId, TargetName
from sojourn.domain.policy import Review
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window


class EndCause(StrEnum):
    """Why a grant ended."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED_BY_HOLDER = "ended_by_holder"
    HOLDER_LEFT = "holder_left"
    HOLDER_MOVED = "holder_moved"
    PROVISIONING_FAILED = "provisioning_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCreated:
    """An access begins. Only a further approval moves its end (`grant.extended`).

    `credential` is the login in the target. `review` says who reviews the use, and by when.
    """

    kind: ClassVar[str] = "grant.created"
    grant: GrantId
    request: RequestId
    person: PersonId
    target: TargetName
    role: RoleName
    window: Window
    credential: str
    configuration_version: int
    break_glass: bool = False
    review: Review | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLeased:
    """A control node works on the grant at its target, and no other does before `until`."""

    kind: ClassVar[str] = "grant.leased"
    grant: GrantId
    node: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantProvisioned:
    """The privilege exists; `observed` is what was read back from the target. `secret` is sealed to the gateway.

    `identity` is how the target's login is known again whatever becomes of its name, and `node` made it; entries of
    old have neither.
    """

    kind: ClassVar[str] = "grant.provisioned"
    grant: GrantId
    observed: tuple[str, ...]
    secret: Sealed
    identity: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantEnded:
    """The access is over from here on; cutting and removal follow. `ended_by` is empty when time ended it."""

    kind: ClassVar[str] = "grant.ended"
    grant: GrantId
    cause: EndCause
    ended_by: str = ""
    source: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRemovalFailed:
    """The target did not let go yet. Tried again until it does."""

    kind: ClassVar[str] = "grant.removal_failed"
    grant: GrantId
    attempt: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRemoved:
    """Read back from the target: the role is gone. `sessions_terminated` were still open there.

    `left` is what runs on there because the role says that it is reported and not ended, one line each.
    """

    kind: ClassVar[str] = "grant.removed"
    grant: GrantId
    role_present: bool
    sessions_present: int
    sessions_terminated: int
    read_back_at: datetime
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantExtended:
    """The approval of `request` moved the end from `since` to `until`; there is no gap and nothing is counted twice."""

    kind: ClassVar[str] = "grant.extended"
    grant: GrantId
    request: RequestId
    since: datetime
    until: datetime
    configuration_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantProlonged:
    """The privilege lasts until the new end; `observed` is what was read back from the target."""

    kind: ClassVar[str] = "grant.prolonged"
    grant: GrantId
    until: datetime
    observed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantProlongingFailed:
    """The target keeps the old end for now. Tried again until it takes the new one, or the grant ends."""

    kind: ClassVar[str] = "grant.prolonging_failed"
    grant: GrantId
    until: datetime
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRemovalOverdue:
    """An alarm: the access has been over since `since`, and the target has not let go of it."""

    kind: ClassVar[str] = "grant.removal_overdue"
    grant: GrantId
    since: datetime
    attempts: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantSessionStopped:
    """Somebody entitled to end the access has ended one session of it; the access itself goes on."""

    kind: ClassVar[str] = "grant.session_stopped"
    grant: GrantId
    session: SessionId
    stopped_by: PersonId
    source: str
