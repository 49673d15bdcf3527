"""What may be said to a grant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.identifiers import PersonId, RequestId, SessionId
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLease:
    """A control node wants to work on it at its target, alone until then."""

    node: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmProvisioned:
    """The target took the privilege from `node`; `observed` was read back, and `identity` is how the login is known
    again.
    """

    observed: tuple[str, ...]
    secret: Sealed
    identity: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUpProvisioning:
    """The target would not take the privilege from `node`; or two nodes made it at once, so that nobody knows whose
    password it has (`torn`).
    """

    problem: str
    node: str = ""
    torn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Somebody takes the access away."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSession:
    """Somebody ends one session, and leaves the access as it is."""

    person: PersonId
    session: SessionId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEarly:
    """The holder is done."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """Time has passed: end the grant if it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndForLeaver:
    """The configuration no longer knows the holder, or no rule of it lets them have this any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRemoved:
    """What was read back from the target after removal; `left` is what may run on."""

    role_present: bool
    sessions_present: int
    sessions_terminated: int
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRemovalFailed:
    """The target did not let go yet."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOverdue:
    """The access has been over since `since`, and is still not read back as gone."""

    since: datetime
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """The approval of `request` moves the end from `since`, where its approvers saw it, to `until`."""

    request: RequestId
    since: datetime
    until: datetime
    configuration_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmProlonged:
    """The target took the new end; `observed` was read back."""

    until: datetime
    observed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProlongingFailed:
    """The target would not take the new end yet."""

    until: datetime
    problem: str


Command = (
    TakeLease
    | ConfirmProvisioned
    | GiveUpProvisioning
    | Revoke
    | StopSession
    | EndEarly
    | Expire
    | EndForLeaver
    | ConfirmRemoved
    | ReportRemovalFailed
    | ReportOverdue
    | Extend
    | ConfirmProlonged
    | ReportProlongingFailed
)
