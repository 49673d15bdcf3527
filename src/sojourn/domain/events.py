"""Everything that can have happened. Each class is one kind of ledger entry; its fields are the entry's body.

Fields are plain: ids, text, integers, UTC datetimes, timedeltas, tuples and the small values of this package.
Anything that a person typed, and anything secret, is `Sealed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, get_args

from .identifiers import GrantId, PersonId, RequestId, RoleName, RuleName, SessionId, TargetName, TokenId
from .sealed import Sealed
from .window import Window


class EndCause(StrEnum):
    """Why a grant ended."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED_BY_HOLDER = "ended_by_holder"
    HOLDER_LEFT = "holder_left"
    PROVISIONING_FAILED = "provisioning_failed"


class CloseCause(StrEnum):
    """Why a session closed."""

    CLIENT_CLOSED = "client_closed"
    GRANT_ENDED = "grant_ended"
    TARGET_CLOSED = "target_closed"
    TARGET_UNREACHABLE = "target_unreachable"
    RECORD_UNAVAILABLE = "record_unavailable"
    PROTOCOL_VIOLATION = "protocol_violation"
    GATEWAY_STOPPED = "gateway_stopped"
    INTERRUPTED = "interrupted"


class Outcome(StrEnum):
    """How an action ended. `interrupted` says that nobody saw its end."""

    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class TokenPurpose(StrEnum):
    """What a token opens."""

    API = "api"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFile:
    """One file of an adopted configuration, by its SHA-256 (hex); its text is kept as an attachment."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationAdopted:
    """The files were read and are in force from here on. `catalogue_sha256` names the attachment with the catalogue."""

    kind: ClassVar[str] = "configuration.adopted"
    catalogue_sha256: str
    files: tuple[ConfigurationFile, ...]
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStarted:
    """A process of Sojourn started; `node` is its name for this run."""

    kind: ClassVar[str] = "process.started"
    process: str
    node: str
    build: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInvited:
    """Somebody was invited to set up an account. `code_sha256` is the hash of the one-time code."""

    kind: ClassVar[str] = "account.invited"
    person: PersonId
    code_sha256: str
    expires_at: datetime
    invited_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnrolled:
    """The invited person chose a password; `password` seals its argon2id hash."""

    kind: ClassVar[str] = "account.enrolled"
    person: PersonId
    password: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued:
    """A short-lived credential. `secret_sha256` recognises it; `scram` seals the verifier that a gateway needs."""

    kind: ClassVar[str] = "token.issued"
    token: TokenId
    person: PersonId
    purpose: TokenPurpose
    secret_sha256: str
    expires_at: datetime
    source: str
    scram: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked:
    """The credential is dead from here on."""

    kind: ClassVar[str] = "token.revoked"
    token: TokenId
    revoked_by: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSubmitted:
    """Somebody asks. `digest` covers all that is asked; every decision names it. The terms are frozen here."""

    kind: ClassVar[str] = "request.submitted"
    request: RequestId
    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    reason: Sealed
    digest: str
    rules: tuple[RuleName, ...]
    approvers: tuple[PersonId, ...]
    approvals: int
    decide_by: datetime
    activate_within: timedelta
    configuration_version: int
    configuration_digest: str
    source: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRefused:
    """Somebody tried something and the rules said no. `subject` is the stream it was about; texts are as typed."""

    kind: ClassVar[str] = "attempt.refused"
    verb: str
    actor: str
    code: str
    subject: str
    source: str
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCreated:
    """An access begins. Its end never moves. `credential` is the name of the role to be made in the target."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """A client was let in under a grant, before anything was sent to the target."""

    kind: ClassVar[str] = "session.opened"
    session: SessionId
    grant: GrantId
    person: PersonId
    target: TargetName
    role: RoleName
    database: str
    token: TokenId
    node: str
    source: str
    application: str
    tls: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionIntended:
    """An action is about to go to the target; durable before its first byte does.

    `number` counts from 1 without gaps. `detail` seals statement text and bind values (canonical JSON).
    `verb`, `may_write` and `objects` are labels and guard nothing.
    """

    kind: ClassVar[str] = "action.intended"
    session: SessionId
    number: int
    protocol: str
    verb: str
    may_write: bool
    objects: tuple[str, ...]
    detail: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCompleted:
    """What became of the action of that number. `message` seals the target's error text, which may hold data."""

    kind: ClassVar[str] = "action.completed"
    session: SessionId
    number: int
    outcome: Outcome
    tags: tuple[str, ...]
    sqlstate: str
    rows: int
    bytes_in: int
    bytes_out: int
    duration_us: int
    message: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """The client asked the target to cancel what runs in this session."""

    kind: ClassVar[str] = "session.cancel_requested"
    session: SessionId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """The session is over. `cut_lag_us` is from the grant's end to the closed socket, when the grant ended it."""

    kind: ClassVar[str] = "session.closed"
    session: SessionId
    cause: CloseCause
    actions: int
    bytes_in: int
    bytes_out: int
    cut_lag_us: int | None = None


Event = (
    ConfigurationAdopted
    | ProcessStarted
    | AccountInvited
    | AccountEnrolled
    | TokenIssued
    | TokenRevoked
    | RequestSubmitted
    | RequestApproved
    | RequestDenied
    | RequestWithdrawn
    | RequestExpired
    | RequestActivated
    | AttemptRefused
    | GrantCreated
    | GrantProvisioned
    | GrantEnded
    | GrantRemovalFailed
    | GrantRemoved
    | SessionOpened
    | ActionIntended
    | ActionCompleted
    | CancelRequested
    | SessionClosed
)
"""Any event. Adding one here is all that makes a new kind of ledger entry."""

KINDS: dict[str, type[Event]] = {event.kind: event for event in get_args(Event)}
"""Every kind's name and its class."""
