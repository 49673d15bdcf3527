"""Logging in to a target: the gateway as a client (manual section 54.2.1), under the grant's own role."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sojourn.domain.target import Target, TlsMode
from sojourn.errors import Code, SojournError

from . import frontend, startup
from .backend import (
    TARGET_LOGIN_LIMITS,
    AuthenticationCode,
    BackendKey,
    parse_authentication,
    parse_backend_key_data,
    parse_error,
)
from .line import Line, LineClosedError
from .scram import ClientExchange, Mechanism, ScramError
from .wire import Frame, Splitter, WireError

CONNECT_SECONDS = 10.0
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
    """How to check who the target is; None for a target without TLS."""
    match target.tls:
        case TlsMode.DISABLE:
            return None
        case TlsMode.REQUIRE:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        case TlsMode.VERIFY_FULL:
            context = ssl.create_default_context(cafile=target.tls_authority or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


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
    parameters: Mapping[str, str],
    random_nonce: Callable[[], bytes],
) -> Upstream:
    """Open a session at the target as `user`, with the client's start-up `parameters`.

    Raises SojournError `target.unreachable`, or TargetRefusedError with the target's own words.
    """
    line = await open_line(target)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            line.send(startup.startup_message({**parameters, "user": user, "database": target.database}))
            return await _converse(line, password, random_nonce)
    except (LineClosedError, TimeoutError, WireError, ScramError) as error:
        line.hang_up()
        raise _unreachable(target, str(error) or type(error).__name__) from error
    except BaseException:
        line.hang_up()
        raise


async def _converse(line: Line, password: str, random_nonce: Callable[[], bytes]) -> Upstream:
    splitter = Splitter(TARGET_LOGIN_LIMITS)
    exchange = ClientExchange(password, random_nonce(), mechanism=Mechanism.PLAIN)
    greeting = bytearray()
    key: BackendKey | None = None
    authenticated = False
    proved = False
    read_only = False
    while True:
        chunk = await line.take_some()
        frames = splitter.feed(chunk)
        for place, frame in enumerate(frames):
            match chr(frame.kind):
                case "E":
                    raise TargetRefusedError(frame.raw, parse_error(frame.payload))
                case "R":
                    code = _authenticate(line, exchange, frame)
                    proved = proved or code == AuthenticationCode.SASL_FINAL
                    authenticated = code == AuthenticationCode.OK
                    if authenticated and not proved:
                        raise WireError("the target let us in without a proof that it knows the password")
                case "K":
                    key = parse_backend_key_data(frame.payload)
                case "Z" if authenticated:
                    if place + 1 != len(frames) or splitter.buffered:
                        raise WireError("the target went on after it was ready")
                    return Upstream(line=line, greeting=bytes(greeting), key=key, left=frame.raw, read_only=read_only)
                case "S" | "N":
                    greeting += frame.raw
                    read_only = read_only or frame.payload == _READ_ONLY
                case _:
                    raise WireError(f"unexpected message {chr(frame.kind)!r} during log-in")


def _authenticate(line: Line, exchange: ClientExchange, frame: Frame) -> int:
    """Answer one authentication message; gives its code. With SASL_FINAL the target has proved itself."""
    step = parse_authentication(frame.payload)
    match step.code:
        case AuthenticationCode.OK:
            pass
        case AuthenticationCode.SASL:
            if Mechanism.PLAIN not in step.mechanisms:
                raise WireError("the target offers no SCRAM-SHA-256")
            line.send(frontend.sasl_initial_response(Mechanism.PLAIN, exchange.first()))
        case AuthenticationCode.SASL_CONTINUE:
            line.send(frontend.sasl_response(exchange.final(step.data)))
        case AuthenticationCode.SASL_FINAL:
            exchange.finish(step.data)
        case _:
            raise WireError(f"the target asks for authentication method {step.code}, which is not supported")
    return step.code


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
