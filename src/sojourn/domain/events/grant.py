"""What can happen to a grant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window


class EndCause(StrEnum):
    """Why a grant ended."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED_BY_HOLDER = "ended_by_holder"
    HOLDER_LEFT = "holder_left"
    PROVISIONING_FAILED = "provisioning_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCreated:
    """An access begins. Its end never moves. `credential` is the login in the target."""

    kind: ClassVar[str] = "grant.created"
    grant: GrantId
    request: RequestId
    person: PersonId
    target: TargetName
    role: RoleName
    window: Window
    credential: str
    configuration_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantProvisioned:
    """The privilege exists; `observed` is what was read back from the target. `secret` is sealed to the gateway."""

    kind: ClassVar[str] = "grant.provisioned"
    grant: GrantId
    observed: tuple[str, ...]
    secret: Sealed


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
    """Read back from the target: the role is gone. `sessions_terminated` were still open there."""

    kind: ClassVar[str] = "grant.removed"
    grant: GrantId
    role_present: bool
    sessions_present: int
    sessions_terminated: int
    read_back_at: datetime
