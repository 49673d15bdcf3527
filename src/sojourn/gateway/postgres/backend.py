"""Messages that a server sends: builders for the gateway as a server, parsers for the gateway as a client (54.7, 54.8).

Parsers read what a target sends, which may be hostile or broken: texts are cut at a limit, fields are counted.
Where an exact answer matters (a key, a log-in step) a malformed body raises `WireError`; a report for the record
(an error, a command tag) is read as far as it goes and never raises.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from sojourn.gateway.postgres.wire import Reader, WireError, decode_text, message, terminated

ERROR_FIELDS_MAX = 32
ERROR_TEXT_BYTES_MAX = 8_192
TAG_BYTES_MAX = 64

TARGET_LOGIN_LIMITS = {ord(kind): 65_536 for kind in "RESNKZv"}
"""What a target may send until it is ready for the first query. For `wire.Splitter`."""


class Severity(StrEnum):
    """How bad a report is; FATAL and PANIC end the session."""

    ERROR = "ERROR"
    FATAL = "FATAL"
    PANIC = "PANIC"
    WARNING = "WARNING"
    NOTICE = "NOTICE"
    INFO = "INFO"


class Status(StrEnum):
    """The transaction status in ReadyForQuery."""

    IDLE = "I"
    IN_TRANSACTION = "T"
    FAILED = "E"


class AuthenticationCode(IntEnum):
    """What a target asks for; other codes exist and are refused by the gateway."""

    OK = 0
    CLEARTEXT = 3
    MD5 = 5
    SASL = 10
    SASL_CONTINUE = 11
    SASL_FINAL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """One step of a target's log-in: the code, its data, and the mechanisms if the step offers any."""

    code: int
    data: bytes = field(default=b"", repr=False)
    mechanisms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendKey:
    """What a CancelRequest must carry to reach this session; the secret has 4 to 256 bytes."""

    pid: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The tag of a finished command and the rows it names, or None where it names none."""

    tag: str
    rows: int | None


def _authentication(code: AuthenticationCode, data: bytes = b"") -> bytes:
    return message(b"R", code.to_bytes(4, "big") + data)


def authentication_ok() -> bytes:
    """Encode AuthenticationOk."""
    return _authentication(AuthenticationCode.OK)


def authentication_sasl(mechanisms: Sequence[str]) -> bytes:
    """Encode AuthenticationSASL with the mechanisms in order of preference."""
    return _authentication(AuthenticationCode.SASL, b"".join(map(terminated, mechanisms)) + b"\0")


def authentication_sasl_continue(data: bytes) -> bytes:
    """Encode AuthenticationSASLContinue."""
    return _authentication(AuthenticationCode.SASL_CONTINUE, data)


def authentication_sasl_final(data: bytes) -> bytes:
    """Encode AuthenticationSASLFinal."""
    return _authentication(AuthenticationCode.SASL_FINAL, data)


def _report(kind: bytes, severity: Severity, sqlstate: str, fields: Mapping[str, str | None]) -> bytes:
    if len(sqlstate) != 5 or not (sqlstate.isascii() and sqlstate.isalnum()):
        raise WireError(f"{sqlstate!r} is no SQLSTATE")
    body = bytearray()
    for code, text in {"S": severity, "V": severity, "C": sqlstate, **fields}.items():
        if text is not None:
            # A NUL would end the field early; texts here may quote what a client sent.
            body += code.encode() + terminated(text.replace("\0", "\\0"))
    return message(kind, bytes(body) + b"\0")


def error_response(
    sqlstate: str,
    text: str,
    *,
    severity: Severity = Severity.ERROR,
    detail: str | None = None,
    hint: str | None = None,
) -> bytes:
    """Encode ErrorResponse; `Severity.FATAL` where the connection closes after it."""
    return _report(b"E", severity, sqlstate, {"M": text, "D": detail, "H": hint})


def notice_response(
    sqlstate: str, text: str, *, severity: Severity = Severity.NOTICE, hint: str | None = None
) -> bytes:
    """Encode NoticeResponse."""
    return _report(b"N", severity, sqlstate, {"M": text, "H": hint})


def parameter_status(name: str, value: str) -> bytes:
    """Encode ParameterStatus."""
    return message(b"S", terminated(name) + terminated(value))


def backend_key_data(pid: int, secret: bytes) -> bytes:
    """Encode BackendKeyData; four bytes of secret for protocol 3.0, up to 256 from 3.2 on."""
    if not 4 <= len(secret) <= 256:
        raise WireError("the secret of a session has 4 to 256 bytes")
    return message(b"K", pid.to_bytes(4, "big", signed=True) + secret)


def ready_for_query(status: Status = Status.IDLE) -> bytes:
    """Encode ReadyForQuery."""
    return message(b"Z", status.encode())


def negotiate_protocol_version(minor: int, unknown_options: Sequence[str]) -> bytes:
    """Encode NegotiateProtocolVersion: the newest 3.`minor` spoken here and the options not known.

    Goes out before any authentication message. The field is the whole version number, as servers send it since
    protocol 3.2 was defined.
    """
    version = (3 << 16 | minor).to_bytes(4, "big")
    count = len(unknown_options).to_bytes(4, "big")
    return message(b"v", version + count + b"".join(map(terminated, unknown_options)))


def parse_authentication(body: bytes) -> Authentication:
    """Parse R of a target."""
    reader = Reader(body, "Authentication")
    code = reader.int32()
    if code != AuthenticationCode.SASL:
        return Authentication(code=code, data=reader.rest())
    mechanisms: list[str] = []
    while name := reader.string():
        mechanisms.append(decode_text(name))
    reader.end()
    return Authentication(code=code, mechanisms=tuple(mechanisms))


def parse_backend_key_data(body: bytes) -> BackendKey:
    """Parse K of a target."""
    reader = Reader(body, "BackendKeyData")
    pid, secret = reader.int32(), reader.rest()
    if not 4 <= len(secret) <= 256:
        raise WireError("BackendKeyData: the secret must have 4 to 256 bytes")
    return BackendKey(pid=pid, secret=secret)


def parse_parameter_status(body: bytes) -> tuple[str, str]:
    """Parse S of a target: name and value."""
    reader = Reader(body, "ParameterStatus")
    name, value = reader.string(), reader.string()
    reader.end()
    return decode_text(name), decode_text(value)


def parse_ready_for_query(body: bytes) -> Status:
    """Parse Z of a target."""
    if body not in (b"I", b"T", b"E"):
        raise WireError("ReadyForQuery: unknown transaction status")
    return Status(body.decode())


def parse_negotiate_protocol_version(body: bytes) -> tuple[int, tuple[str, ...]]:
    """Parse v of a target: the minor version it speaks, and the options it does not know."""
    reader = Reader(body, "NegotiateProtocolVersion")
    version, count = reader.oid(), reader.oid()
    options: list[str] = []
    for _ in range(count):
        options.append(decode_text(reader.string()))
    reader.end()
    return version & 0xFFFF, tuple(options)


def parse_error(body: bytes) -> dict[str, str]:
    """Read the fields of ErrorResponse or NoticeResponse by their one-letter code (54.8): S, V, C, M, D, H …

    Never raises: at most 32 fields of at most 8,192 bytes, the first of a code counts, and what is not terminated is
    read to its end. `C` may be missing or no SQLSTATE when the server is broken.
    """
    fields: dict[str, str] = {}
    position = 0
    while position < len(body) and body[position] and len(fields) < ERROR_FIELDS_MAX:
        code = decode_text(body[position : position + 1])
        end = body.find(b"\0", position + 1)
        end = len(body) if end < 0 else end
        stop = min(end, position + 1 + ERROR_TEXT_BYTES_MAX)
        fields.setdefault(code, decode_text(body[position + 1 : stop]))
        position = end + 1
    return fields


def parse_command_complete(body: bytes) -> Completion:
    """Read the tag of CommandComplete: `INSERT 0 5` names 5 rows, `CREATE TABLE` none. Never raises."""
    tag = decode_text(body[: TAG_BYTES_MAX + 1].partition(b"\0")[0][:TAG_BYTES_MAX])
    last = tag.rpartition(" ")[2]
    named = last.isascii() and last.isdigit() and len(last) <= 20
    return Completion(tag=tag, rows=int(last) if named else None)
