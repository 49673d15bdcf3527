"""From the first byte of a connection to a person who has shown who they are.

- Before TLS exactly the bytes of one packet are read, so nothing in clear can hide behind an SSLRequest.
- A client learns nothing about grants before it has authenticated, and cannot tell an unknown name from a wrong
  secret: both get the same exchange and the same refusal.
- What is no PostgreSQL client is told so in the words of the protocol, and is on record.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sojourn.domain import credential
from sojourn.domain.account import Token
from sojourn.domain.credential import ITERATIONS, ScramVerifier, gateway_salt
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal, SojournError
from sojourn.gateway.tls import ALPN, ClientCertificate, DoorTls, read_certificate

from . import backend, frontend, startup
from .backend import Severity
from .frontend import AUTHENTICATION_LIMITS
from .line import Line
from .scram import Mechanism, ScramError, ScramFault, ServerExchange, decoy_verifier
from .startup import CancelRequest, GssEncRequest, Sniff, SslRequest, StartupMessage
from .wire import Splitter, WireError

INVALID_AUTHORIZATION = "28000"
INVALID_PASSWORD = "28P01"  # noqa: S105 - an SQLSTATE
PROTOCOL_VIOLATION = "08P01"
TLS_HANDSHAKE = b"\x16"
DRAIN_SECONDS = 0.5
DRAIN_READS_MAX = 16
REFUSED_PARAMETERS = frozenset({"role", "session_authorization"})
"""Settings that would change who the session is; the target would refuse most of them, the gateway all."""

REPLICATION = "replication"


class RefusedError(Exception):
    """The client is not let in: what to say to it, under which SQLSTATE, and who it said it was."""

    def __init__(self, refusal: Refusal, sqlstate: str, *, actor: str = "", subject: str = "") -> None:
        super().__init__(refusal.code)
        self.refusal, self.sqlstate, self.actor, self.subject = refusal, sqlstate, actor, subject

    def message(self) -> bytes:
        """The ErrorResponse."""
        return backend.error_response(
            self.sqlstate,
            self.refusal.sentence,
            severity=Severity.FATAL,
            hint=self.refusal.next_step,
            detail=str(self.refusal.code),
        )


@dataclass(slots=True)
class Opening:
    """A connection whose start-up packet has been read.

    `tls` describes the encryption, empty for none; `binding` is what a log-in can be bound to, empty for nothing;
    `certificate` is what the client has shown and proven to hold.
    """

    line: Line
    packet: StartupMessage | CancelRequest
    tls: str = ""
    binding: bytes = b""
    certificate: ClientCertificate | None = None


async def open_connection(client: socket.socket, tls: DoorTls, *, require_tls: bool) -> Opening:
    """Read up to and including the start-up packet, putting TLS around the connection when it is asked for.

    Raises RefusedError, WireError, OSError. The caller sets the deadline.
    """
    loop = asyncio.get_running_loop()
    if await _first_byte(client) == TLS_HANDSHAKE:
        return await _open_encrypted(client, tls, direct=True)
    while True:
        packet = await _read_packet(client)
        if isinstance(packet, GssEncRequest):
            await loop.sock_sendall(client, b"N")
        elif isinstance(packet, SslRequest):
            if _sends_clear_text(client):
                raise await _told(client, WireError("received unencrypted data after SSL request"))
            await loop.sock_sendall(client, b"S")
            return await _open_encrypted(client, tls, direct=False)
        else:
            line = await _accept(client, None)
            if require_tls and isinstance(packet, StartupMessage):
                line.send(RefusedError(Refusal(Code.GATEWAY_TLS_REQUIRED), INVALID_AUTHORIZATION).message())
                line.hang_up()
                raise RefusedError(
                    Refusal(Code.GATEWAY_TLS_REQUIRED),
                    INVALID_AUTHORIZATION,
                    actor=packet.parameters.get("user", ""),
                )
            return Opening(line, packet)


async def _open_encrypted(client: socket.socket, tls: DoorTls, *, direct: bool) -> Opening:
    """Put TLS around the connection and read the start-up packet in it.

    A client that begins with TLS (`sslnegotiation=direct`) has to name the protocol by ALPN, so that no other
    protocol's client can be made to speak to this port (manual section 54.2.11).
    """
    line = await _accept(client, tls.context)
    connection = line.transport.get_extra_info("ssl_object")
    try:
        if direct and connection.selected_alpn_protocol() != ALPN:
            raise WireError("direct TLS needs the protocol's name by ALPN (postgresql)")
        described = f"{connection.version()} {connection.cipher()[0]}"
        shown = connection.getpeercert(binary_form=True)
        certificate = read_certificate(shown) if shown else None
        return Opening(line, await _read_start(line), described, tls.binding, certificate)
    except WireError as error:
        line.send(_violation(error))
        line.hang_up()
        raise


async def _first_byte(client: socket.socket) -> bytes:
    """The first byte of the connection, which stays there to be read; empty when the client has hung up."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(client.fileno(), wake)
    try:
        await readable
    finally:
        loop.remove_reader(client.fileno())
    return client.recv(1, socket.MSG_PEEK)


async def _accept(client: socket.socket, context: ssl.SSLContext | None) -> Line:
    """The connection as a line. (What the loop gives back as protocol may be its own layer for TLS.)"""
    line = Line()
    await asyncio.get_running_loop().connect_accepted_socket(lambda: line, client, ssl=context)
    return line


async def _read_packet(client: socket.socket) -> startup.StartupPacket:
    header = await _read_exactly(client, startup.SNIFF_BYTES)
    found = startup.sniff(header)
    if found is not Sniff.STARTUP:
        refusal = Refusal(Code.GATEWAY_NOT_POSTGRES, {"found": _FOUND[found]})
        error = RefusedError(refusal, PROTOCOL_VIOLATION)
        await _say_and_drain(client, error.message())
        raise error
    rest = await _read_exactly(client, startup.startup_length(header) - len(header))
    try:
        return startup.parse_startup(header + rest)
    except WireError as error:
        raise await _told(client, error) from error


def _violation(error: WireError) -> bytes:
    return backend.error_response(error.sqlstate, error.reason, severity=Severity.FATAL)


async def _told(client: socket.socket, error: WireError) -> WireError:
    """The error, after the client has been told in clear."""
    await _say_and_drain(client, _violation(error))
    return error


_FOUND = {
    Sniff.HTTP: "an HTTP request",
    Sniff.SSH: "an SSH greeting",
    Sniff.TLS: "TLS in the middle of the start",
    Sniff.PROXY: "a PROXY header",
    Sniff.GARBAGE: "something else",
    Sniff.INCOMPLETE: "too little",
}


async def _read_exactly(client: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < count:
        more = await loop.sock_recv(client, count - len(data))
        if not more:
            raise ConnectionResetError("the client hung up")
        data += more
    return data


def _sends_clear_text(client: socket.socket) -> bool:
    """Whether something waits behind an SSLRequest that does not begin a TLS handshake."""
    try:
        return client.recv(1, socket.MSG_PEEK) not in (b"", TLS_HANDSHAKE)
    except BlockingIOError:
        return False


async def _say_and_drain(client: socket.socket, message: bytes) -> None:
    """Tell a stranger something, and read what it sent, so that the closed socket does not swallow the answer."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, message)
    client.shutdown(socket.SHUT_WR)
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(DRAIN_SECONDS):
            for _ in range(DRAIN_READS_MAX):
                if not await loop.sock_recv(client, 65_536):
                    return


async def _read_start(line: Line) -> StartupMessage | CancelRequest:
    header = await line.take(4)
    rest = await line.take(startup.startup_length(header) - 4)
    packet = startup.parse_startup(header + rest)
    if isinstance(packet, SslRequest | GssEncRequest):
        raise WireError("encryption was asked for twice")
    return packet


class Verifiers(Protocol):
    """What a log-in is checked against."""

    async def __call__(self, *, newest: bool) -> Mapping[ScramVerifier, Token]:
        """Every token that would do, by its verifier; the `newest` as of now and no earlier."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """Checks who a client is. `decoy_key` makes up the verifiers of names that nobody has."""

    random_nonce: Callable[[], bytes]
    decoy_key: bytes

    async def authenticate(self, line: Line, name: str, verifiers: Verifiers, *, binding: bytes = b"") -> Token:
        """SCRAM-SHA-256 with the client (RFC 5802, RFC 7677); gives the token whose secret it knows.

        `verifiers` are asked for once, and once more when none of them fits: a token may be a moment old.

        With a `binding` the log-in may be bound to the TLS channel, and a client that was not shown this offer, though
        it was made, is refused.

        Raises RefusedError 28P01 when it knows none, WireError when it breaks the protocol.
        """
        decoy = decoy_verifier(name, self.decoy_key, ITERATIONS)
        unknown = ScramVerifier(
            salt=gateway_salt(PersonId(name)),
            iterations=ITERATIONS,
            stored_key=decoy.stored_key,
            server_key=decoy.server_key,
        )
        known = await verifiers(newest=False)
        splitter = Splitter(AUTHENTICATION_LIMITS)
        offered = [Mechanism.PLUS, Mechanism.PLAIN] if binding else [Mechanism.PLAIN]
        line.send(backend.authentication_sasl(offered))
        try:
            initial = frontend.parse_sasl_initial(await _next_message(line, splitter))
            if initial.mechanism not in offered or initial.data is None:
                raise WireError("the client chose a mechanism that was not offered")
            exchange = ServerExchange(
                [*known] or [unknown],
                self.random_nonce(),
                mechanism=Mechanism(initial.mechanism),
                binding=binding or None,
            )
            line.send(backend.authentication_sasl_continue(exchange.first(initial.data)))
            proof = await _next_message(line, splitter)
            try:
                last = exchange.final(proof)
            except ScramError as error:
                if error.fault is not ScramFault.WRONG_PROOF:
                    raise
                known = await verifiers(newest=True)
                exchange.learn([*known] or [unknown])
                last = exchange.final(proof)
        except ScramError as error:
            raise RefusedError(Refusal(Code.CREDENTIALS_INVALID), INVALID_PASSWORD, actor=name) from error
        line.send(backend.authentication_sasl_final(last))
        assert exchange.matched is not None, "the proof was right"
        return known[exchange.matched]


async def _next_message(line: Line, splitter: Splitter) -> bytes:
    while True:
        frames = splitter.feed(await line.take_some())
        if len(frames) > 1 or (frames and splitter.buffered):
            raise WireError("the client sent more than it was asked for")
        if frames:
            return frames[0].payload


def check_parameters(packet: StartupMessage) -> dict[str, str]:
    """The start-up parameters that go on to the target.

    Raises RefusedError for one that would change who the session is. Whether it may replicate is the role's to say
    (`asks_to_replicate`), and only by the parameter of that name, never within `options`.
    """
    passed = {name: value for name, value in packet.parameters.items() if name not in ("user", "database")}
    names = [name.lower() for name in passed]
    if "options" in passed:
        hidden = [name for name, _ in startup.settings_in_options(passed["options"])]
        names += ["options: replication" if name == REPLICATION else name for name in hidden]
    for name in names:
        if name in REFUSED_PARAMETERS or name.startswith("options: "):
            raise RefusedError(Refusal(Code.GATEWAY_PARAMETER_REFUSED, {"parameter": name}), INVALID_AUTHORIZATION)
    return passed


def asks_to_replicate(parameters: Mapping[str, str]) -> bool:
    """Whether the session wants to speak the replication protocol; what is not a clear no counts as yes."""
    asked = [value.lower() for name, value in parameters.items() if name.lower() == REPLICATION]
    return any(value not in ("false", "off", "no", "0") for value in asked)


def decode_token_verifier(data: bytes) -> ScramVerifier:
    """A token's verifier as it was sealed for the gateway. Raises SojournError `record.damaged`."""
    try:
        return credential.decode_verifier(data)
    except (ValueError, KeyError) as error:
        raise SojournError(Code.RECORD_DAMAGED, problem="a token's verifier", path="ledger.db") from error
