"""The packets that come before any typed message (manual sections 54.2.1 and 54.7), and what is none of them.

- A start-up packet has at most 10,000 bytes; it comes from somebody who has not said who they are.
- What speaks another protocol is named, so that the person behind it is told and the record says what it was.
- The `options` parameter is read as PostgreSQL reads it, so that no setting (`-c role=admin`) hides in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sojourn.gateway.postgres.wire import Reader, WireError, terminated

STARTUP_BYTES_MAX = 10_000
SECRET_BYTES_MAX = 256
PROTOCOL_OPTION_PREFIX = "_pq_."

_CANCEL, _SSL, _GSS_ENCRYPTION = 5678, 5679, 5680
_REQUEST_MAJOR = 1234
_FEATURE_NOT_SUPPORTED = "0A000"
_BAD_ENCODING = "22021"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupMessage:
    """A client opens a session: protocol `major`.`minor`, its parameters, and the `_pq_.` protocol options apart."""

    major: int
    minor: int
    parameters: Mapping[str, str]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SslRequest:
    """The client asks for TLS; the answer is one byte, S or N."""


@dataclass(frozen=True, slots=True)
class GssEncRequest:
    """The client asks for GSSAPI encryption; the answer is one byte, N."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """The client asks to cancel what the session with this key runs; the secret has 4 to 256 bytes (protocol 3.2)."""

    pid: int
    secret: bytes = field(repr=False)


StartupPacket = StartupMessage | SslRequest | GssEncRequest | CancelRequest


class Sniff(StrEnum):
    """What the first bytes of a connection look like."""

    INCOMPLETE = "incomplete"
    STARTUP = "startup"
    TLS = "tls"
    HTTP = "http"
    SSH = "ssh"
    PROXY = "proxy"
    GARBAGE = "garbage"


SNIFF_BYTES = 4
"""How many bytes `sniff` needs to decide."""

_HTTP_STARTS = (b"GET ", b"POST", b"HEAD", b"PUT ", b"DELE", b"OPTI", b"PATC", b"CONN", b"TRAC", b"PRI ")


def sniff(first_bytes: bytes) -> Sniff:
    """Say what the first bytes of a connection are; `INCOMPLETE` for fewer than four."""
    start = first_bytes[:SNIFF_BYTES]
    if len(start) < SNIFF_BYTES:
        return Sniff.INCOMPLETE
    if start[0] == 0x16 and start[1] == 0x03:
        return Sniff.TLS
    if start in _HTTP_STARTS:
        return Sniff.HTTP
    if start == b"SSH-":
        return Sniff.SSH
    if start in (b"PROX", b"\r\n\r\n"):
        return Sniff.PROXY
    return Sniff.STARTUP if 8 <= int.from_bytes(start, "big") <= STARTUP_BYTES_MAX else Sniff.GARBAGE


def startup_length(header: bytes) -> int:
    """Return how long the packet is that starts with these four bytes, itself included; 8 to 10,000."""
    length = int.from_bytes(header[:4], "big")
    if len(header) < 4 or not 8 <= length <= STARTUP_BYTES_MAX:
        raise WireError("invalid length of startup packet")
    return length


def parse_startup(packet: bytes) -> StartupPacket:
    """Parse one whole start-up packet, its length field included.

    Raises `WireError` 08P01 for anything malformed, 0A000 for a protocol other than 3, 22021 for text not in UTF-8.
    """
    if startup_length(packet) != len(packet):
        raise WireError("invalid length of startup packet")
    reader = Reader(packet[4:], "startup packet")
    major, minor = reader.count16(), reader.count16()
    if major == _REQUEST_MAJOR:
        return _parse_request(minor, reader)
    if major != 3:
        raise WireError(f"unsupported frontend protocol {major}.{minor}: the gateway speaks 3", _FEATURE_NOT_SUPPORTED)
    parameters: dict[str, str] = {}
    options: dict[str, str] = {}
    while name := _utf8(reader.string()):
        value = _utf8(reader.string())
        target = options if name.startswith(PROTOCOL_OPTION_PREFIX) else parameters
        if name in target:
            raise WireError(f"startup packet names the parameter {name[:64]!r} twice")
        target[name] = value
    reader.end()
    return StartupMessage(major=major, minor=minor, parameters=parameters, options=options)


def _parse_request(code: int, reader: Reader) -> SslRequest | GssEncRequest | CancelRequest:
    """Parse what follows the major version 1234."""
    if code == _CANCEL:
        pid = reader.int32()
        secret = reader.rest()
        if not 4 <= len(secret) <= SECRET_BYTES_MAX:
            raise WireError("cancel request: the secret must have 4 to 256 bytes")
        return CancelRequest(pid=pid, secret=secret)
    reader.end()
    if code == _SSL:
        return SslRequest()
    if code == _GSS_ENCRYPTION:
        return GssEncRequest()
    raise WireError(f"unknown request code 1234.{code}")


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise WireError("startup packet: a parameter is not valid UTF-8", _BAD_ENCODING) from None


def startup_message(
    parameters: Mapping[str, str], *, minor: int = 0, options: Mapping[str, str] | None = None
) -> bytes:
    """Encode a StartupMessage of protocol 3.`minor`; raises `WireError` where it would not be accepted."""
    body = bytearray((3).to_bytes(2, "big") + minor.to_bytes(2, "big"))
    for name, value in {**parameters, **(options or {})}.items():
        if not name:
            raise WireError("a startup parameter needs a name")
        body += terminated(name) + terminated(value)
    return _packet(bytes(body) + b"\0")


def ssl_request() -> bytes:
    """Encode an SSLRequest."""
    return _packet(_request(_SSL))


def gss_encryption_request() -> bytes:
    """Encode a GSSENCRequest."""
    return _packet(_request(_GSS_ENCRYPTION))


def cancel_request(pid: int, secret: bytes) -> bytes:
    """Encode a CancelRequest; `secret` has 4 to 256 bytes."""
    if not 4 <= len(secret) <= SECRET_BYTES_MAX:
        raise WireError("cancel request: the secret must have 4 to 256 bytes")
    return _packet(_request(_CANCEL) + pid.to_bytes(4, "big", signed=True) + secret)


def _request(code: int) -> bytes:
    return _REQUEST_MAJOR.to_bytes(2, "big") + code.to_bytes(2, "big")


def _packet(body: bytes) -> bytes:
    if len(body) + 4 > STARTUP_BYTES_MAX:
        raise WireError("startup packet: more than 10,000 bytes")
    return (len(body) + 4).to_bytes(4, "big") + body


def settings_in_options(options: str) -> tuple[tuple[str, str], ...]:
    """Read the start-up parameter `options` into the settings it makes, in order.

    Words are split at white space unless a backslash precedes it. `-c name=value`, `-cname=value` and `--name=value`
    are settings (a dash in a name stands for an underscore, names are lower case); any other switch of the server
    raises `WireError`, because it is a setting under another name.
    """
    words = _split_options(options)
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "-c" and position < len(words):
            word = words[position]
            position += 1
        elif word[:2] in ("-c", "--") and len(word) > 2:
            word = word[2:]
        else:
            raise WireError(f"startup options: the switch {word[:64]!r} is not supported, use -c name=value")
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise WireError(f"startup options: {word[:64]!r} is not name=value")
        found.append((name.replace("-", "_").lower(), value))
    return tuple(found)


def _split_options(options: str) -> list[str]:
    words: list[str] = []
    word: list[str] | None = None
    letters = iter(options)
    for letter in letters:
        if letter in " \t\n\r\v\f":
            if word is not None:
                words.append("".join(word))
                word = None
            continue
        word = [] if word is None else word
        word.append(next(letters, "") if letter == "\\" else letter)
    if word is not None:
        words.append("".join(word))
    return words


def describe(found: Sniff) -> str:
    """Say in one sentence what a connection that is no start-up looks like, for the client and the record."""
    match found:
        case Sniff.HTTP:
            return "this port speaks the PostgreSQL protocol, but the client sent an HTTP request"
        case Sniff.SSH:
            return "this port speaks the PostgreSQL protocol, but the client sent an SSH greeting"
        case Sniff.TLS:
            return "the client began TLS without asking for it first (sslnegotiation=direct)"
        case Sniff.PROXY:
            return "the client sent a PROXY protocol header, which this port does not expect"
        case Sniff.GARBAGE:
            return "the first bytes are no PostgreSQL start-up packet"
        case Sniff.STARTUP:
            return "a PostgreSQL start-up packet"
        case Sniff.INCOMPLETE:
            return "the client sent fewer than four bytes"
