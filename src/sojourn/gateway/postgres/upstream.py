"""Logging in to a target: the gateway as a client (manual section 54.2.1), under the grant's own role.

- By SCRAM the target proves that it knows the password, so it may be used on any connection; bound to the TLS channel
  where the target offers that.
- Any other method (password, MD5, none at all, a certificate) says nothing about the target. It is used only where
  the target has shown who it is already: by its certificate, checked in full, or by a socket of this machine.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sojourn.domain.credential import salted_password
from sojourn.domain.target import Target, TlsMode
from sojourn.errors import Code, SojournError
from sojourn.gateway.tls import ALPN, end_point_binding

from . import frontend, startup
from .backend import (
    TARGET_LOGIN_LIMITS,
    AuthenticationCode,
    BackendKey,
    parse_authentication,
    parse_backend_key_data,
    parse_error,
    parse_negotiate_protocol_version,
)
from .line import Line, LineClosedError
from .scram import ClientExchange, Mechanism, ScramError
from .wire import Frame, Splitter, WireError

CONNECT_SECONDS = 10.0
CONTEXTS_MAX = 256
GREETING_BYTES_MAX = 1024 * 1024
SALTED_MAX = 1_024
_READ_ONLY = b"default_transaction_read_only\0on\0"


@dataclass(slots=True)
class Upstream:
    """A session at the target that is ready for its first query.

    `greeting` are the bytes that a client is to see (parameters, notices, ReadyForQuery), `key` the target's own
    cancel key, which no client is given. `read_only` says that the target itself has promised it: transactions are
    read-only unless a statement asks for something else (reported since PostgreSQL 14).
    """

    line: Line
    greeting: bytes
    key: BackendKey | None
    left: bytes
    read_only: bool = False


class TargetRefusedError(Exception):
    """The target answered with an ErrorResponse, kept here to be passed on as it came."""

    def __init__(self, raw: bytes, fields: Mapping[str, str]) -> None:
        super().__init__(fields.get("M", "the target refused"))
        self.raw = raw
        self.fields = fields


def tls_context(target: Target) -> ssl.SSLContext | None:
    """How to check who the target is; None for a target without TLS. Raises OSError, ssl.SSLError for unfit files."""
    if target.tls is TlsMode.DISABLE:
        return None
    files = (target.tls_authority, target.tls_certificate, target.tls_key)
    # A certificate that was renewed is another file; reading all of them for each session would cost milliseconds.
    return _tls_context(target.tls, *files, tuple(Path(one).stat().st_mtime_ns if one else 0 for one in files))


@lru_cache(maxsize=CONTEXTS_MAX)
def _tls_context(
    mode: TlsMode, authority: str, certificate: str, key: str, changed_at: tuple[int, ...]
) -> ssl.SSLContext:
    if mode is TlsMode.VERIFY_FULL:
        context = ssl.create_default_context(cafile=authority or None)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN])
    if certificate:
        context.load_cert_chain(certificate, key or None)
    return context


def proves_itself(target: Target) -> bool:
    """Whether the target has shown who it is before anything is said to it."""
    return target.tls is TlsMode.VERIFY_FULL or target.host.startswith("/")


_salted_before = lru_cache(maxsize=SALTED_MAX)(salted_password)
"""Each session of a grant logs in with the same password and salt, and deriving the key costs a millisecond or more.
The password is good for nothing any more once the grant's role is gone."""


async def open_line(target: Target) -> Line:
    """A connection to the target, encrypted as its configuration says.

    Raises SojournError `target.unreachable`.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            loop = asyncio.get_running_loop()
            line = Line()
            if target.host.startswith("/"):
                await loop.create_unix_connection(lambda: line, f"{target.host}/.s.PGSQL.{target.port}")
                return line
            await loop.create_connection(lambda: line, target.host, target.port)
            context = tls_context(target)
            if context is None:
                return line
            line.send(startup.ssl_request())
            if await line.take(1) != b"S":
                raise _unreachable(target, "it does not offer TLS")
            await line.start_tls(context, target.host)
            return line
    except (OSError, TimeoutError, ssl.SSLError) as error:
        raise _unreachable(target, str(error) or type(error).__name__) from error


async def log_in(
    target: Target,
    *,
    user: str,
    password: str,
    database: str,
    parameters: Mapping[str, str],
    minor: int,
    random_nonce: Callable[[], bytes],
) -> Upstream:
    """Open a session at the target as `user`, with the client's start-up `parameters`, by protocol 3.`minor`.

    A target that speaks an older one says so, and that is taken.
    Raises SojournError `target.unreachable`, or TargetRefusedError with the target's own words.
    """
    line = await open_line(target)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            line.send(startup.startup_message({**parameters, "user": user, "database": database}, minor=minor))
            secrets = _Secrets(user, password, random_nonce(), _binding(line), proves_itself(target))
            return await _converse(line, secrets)
    except (LineClosedError, TimeoutError, WireError, ScramError) as error:
        line.hang_up()
        raise _unreachable(target, str(error) or type(error).__name__) from error
    except BaseException:
        line.hang_up()
        raise


@dataclass(slots=True)
class _Secrets:
    """What is needed to show who we are. `exchange` is there once SCRAM has begun; `proved` once the target has."""

    user: str
    password: str
    nonce: bytes
    binding: bytes
    proved: bool
    exchange: ClientExchange | None = None


def _binding(line: Line) -> bytes:
    """What the log-in can be bound to: the certificate that the target has shown, if there is TLS."""
    connection = line.transport.get_extra_info("ssl_object")
    shown = connection.getpeercert(binary_form=True) if connection is not None else None
    return end_point_binding(shown) if shown else b""


async def _converse(line: Line, secrets: _Secrets) -> Upstream:
    splitter = Splitter(TARGET_LOGIN_LIMITS)
    greeting = bytearray()
    key: BackendKey | None = None
    authenticated = False
    read_only = False
    while True:
        chunk = await line.take_some()
        frames = splitter.feed(chunk)
        for place, frame in enumerate(frames):
            match chr(frame.kind):
                case "E":
                    raise TargetRefusedError(frame.raw, parse_error(frame.payload))
                case "R":
                    authenticated = _authenticate(line, secrets, frame)
                case "v":
                    parse_negotiate_protocol_version(frame.payload)
                case "K":
                    key = parse_backend_key_data(frame.payload)
                case "Z" if authenticated:
                    if place + 1 != len(frames) or splitter.buffered:
                        raise WireError("the target went on after it was ready")
                    return Upstream(line=line, greeting=bytes(greeting), key=key, left=frame.raw, read_only=read_only)
                case "S" | "N":
                    greeting += frame.raw
                    if len(greeting) > GREETING_BYTES_MAX:
                        raise WireError("the target says more than anybody needs to know before it is ready")
                    read_only = read_only or frame.payload == _READ_ONLY
                case _:
                    raise WireError(f"unexpected message {chr(frame.kind)!r} during log-in")


def _authenticate(line: Line, secrets: _Secrets, frame: Frame) -> bool:
    """Answer one authentication message; gives whether that was the last. Raises WireError, ScramError."""
    step = parse_authentication(frame.payload)
    match step.code:
        case AuthenticationCode.OK:
            if not secrets.proved:
                raise WireError("the target let us in without a proof that it knows the password")
            return True
        case AuthenticationCode.SASL:
            plus = Mechanism.PLUS in step.mechanisms and bool(secrets.binding)
            mechanism = Mechanism.PLUS if plus else Mechanism.PLAIN
            if mechanism not in step.mechanisms:
                raise WireError("the target offers no SCRAM-SHA-256")
            secrets.exchange = ClientExchange(
                secrets.password,
                secrets.nonce,
                mechanism=mechanism,
                binding=secrets.binding or None,
                salt_password=_salted_before,
            )
            line.send(frontend.sasl_initial_response(mechanism, secrets.exchange.first()))
        case AuthenticationCode.SASL_CONTINUE if secrets.exchange is not None:
            line.send(frontend.sasl_response(secrets.exchange.final(step.data)))
        case AuthenticationCode.SASL_FINAL if secrets.exchange is not None:
            secrets.exchange.finish(step.data)
            secrets.proved = True
        case AuthenticationCode.CLEARTEXT | AuthenticationCode.MD5 if not secrets.proved:
            raise WireError("the target asks for the password and has not shown who it is: use SCRAM or verify-full")
        case AuthenticationCode.CLEARTEXT:
            line.send(frontend.password_message(secrets.password))
        case AuthenticationCode.MD5:
            line.send(frontend.password_message(frontend.md5_response(secrets.user, secrets.password, step.data)))
        case _:
            raise WireError(f"the target asks for authentication method {step.code}, which is not supported")
    return False


async def send_cancel(target: Target, key: BackendKey) -> None:
    """Ask the target to cancel what the session of `key` runs; returns once the target has taken it.

    Waiting for the target to close means that no later statement is hit by a late cancel. Failing is not an
    error: the session's connection is closed as well.
    """
    try:
        line = await open_line(target)
    except SojournError:
        return
    try:
        line.send(startup.cancel_request(key.pid, key.secret))
        async with asyncio.timeout(CONNECT_SECONDS):
            await line.take(1)
    except (OSError, TimeoutError):
        pass
    finally:
        line.hang_up()


def _unreachable(target: Target, problem: str) -> SojournError:
    return SojournError(Code.TARGET_UNREACHABLE, target=target.name, problem=problem)
