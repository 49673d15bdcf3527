"""What can happen to a session, and in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import GrantId, PersonId, RoleName, SessionId, TargetName, TokenId
from sojourn.domain.sealed import Sealed


class CloseCause(StrEnum):
    """Why a session closed."""

    CLIENT_CLOSED = "client_closed"
    GRANT_ENDED = "grant_ended"
    TARGET_CLOSED = "target_closed"
    TARGET_UNREACHABLE = "target_unreachable"
    RECORD_UNAVAILABLE = "record_unavailable"
    PROTOCOL_VIOLATION = "protocol_violation"
    GATEWAY_STOPPED = "gateway_stopped"
    LIMIT_REACHED = "limit_reached"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


class Outcome(StrEnum):
    """How an action ended. `interrupted` says that nobody saw its end."""

    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """A client was let in under a grant, before anything was sent to the target.

    It showed who it is by `token`, or, if that is empty, by the certificate with the SHA-256 `certificate` (hex).
    """

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
    certificate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConnected:
    """The target let the session in. `process` is the target's own number for it (0 if it tells none).

    An SSH session may have several connections to its host; each is told, and its number is the port the host sees.
    """

    kind: ClassVar[str] = "session.connected"
    session: SessionId
    process: int


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
class ChunkRecorded:
    """Part of the recording of the action of that number: `content` seals a chunk (`domain.cast`) of `size` bytes.

    Parts are numbered from 1 without a gap. What a person is shown is in a chunk that is on record, or lies sealed
    with the gateway, before it is shown.
    """

    kind: ClassVar[str] = "session.chunk_recorded"
    session: SessionId
    number: int
    part: int
    size: int
    content: Sealed


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
