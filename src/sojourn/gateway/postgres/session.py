"""One connection from accept to close: hand-shake, verdict, record, log-in at the target, relay, end on record."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
from dataclasses import dataclass, field

import structlog

from sojourn.domain.account import Token, check_token
from sojourn.domain.credential import ScramVerifier
from sojourn.domain.events import CancelRequested, CloseCause, SessionOpened, TokenPurpose
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change, Guard
from sojourn.domain.identifiers import (
    GrantId,
    PersonId,
    RoleName,
    SessionId,
    TargetName,
    grant_stream,
    session_stream,
)
from sojourn.domain.session import admit
from sojourn.domain.target import Recording, Target
from sojourn.errors import Code, Refusal, SojournError
from sojourn.gateway.deadline import deadline
from sojourn.gateway.gate import Gate
from sojourn.gateway.recorder import SessionRecorder

from . import backend
from .backend import Severity
from .handshake import (
    INVALID_AUTHORIZATION,
    PROTOCOL_VIOLATION,
    Authenticator,
    Opening,
    RefusedError,
    check_parameters,
    decode_token_verifier,
    open_connection,
)
from .line import Line, LineClosedError
from .relay import CONNECTION_FAILURE, IO_ERROR, Relay
from .startup import CancelRequest, StartupMessage
from .upstream import TargetRefusedError, Upstream, log_in, send_cancel
from .wire import WireError

log = structlog.get_logger("gateway")

STALE_TRIES_MAX = 10
STALE_PAUSE_SECONDS = 0.02
CLOSE_RECORD_SECONDS = 3.0
UNDEFINED_DATABASE = "3D000"
TOO_MANY_CONNECTIONS = "53300"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Admitted:
    """Who was let in, under what, where to."""

    person: PersonId
    token: Token
    grant: Grant
    target: Target
    parameters: dict[str, str]


@dataclass(slots=True)
class PostgresDoor:
    """Serves PostgreSQL connections of one gate."""

    gate: Gate
    authenticator: Authenticator
    _running: dict[tuple[int, bytes], tuple[SessionRecorder, Target, backend.BackendKey]] = field(default_factory=dict)

    async def serve(self, client: socket.socket, source: str) -> None:
        """Serve one accepted connection to its end. Never raises but for cancellation."""
        settings = self.gate.settings
        opening: Opening | None = None
        actor = ""
        try:
            try:
                async with asyncio.timeout(settings.handshake_seconds):
                    opening = await open_connection(client, self.gate.tls, require_tls=settings.require_tls)
                    if isinstance(opening.packet, StartupMessage):
                        actor = opening.packet.parameters.get("user", "")
                        admitted = await self._admit(opening.line, opening.packet)
            except TimeoutError:
                seconds = f"{settings.handshake_seconds:g}"
                raise RefusedError(
                    Refusal(Code.GATEWAY_HANDSHAKE_TIMEOUT, {"seconds": seconds}), PROTOCOL_VIOLATION, actor=actor
                ) from None
            if isinstance(opening.packet, CancelRequest):
                await self._cancel(opening.line, opening.packet, source)
            else:
                await self._open(opening, admitted, source)
        except RefusedError as error:
            await self._turn_away(opening, error, source)
        except WireError as error:
            refusal = Refusal(Code.GATEWAY_PROTOCOL_VIOLATION, {"problem": error.reason})
            await self._turn_away(opening, RefusedError(refusal, error.sqlstate, actor=actor), source)
        except SojournError as error:
            await self._turn_away(opening, RefusedError(error.refusal, IO_ERROR, actor=actor), source)
        except (OSError, ssl.SSLError) as error:
            refusal = Refusal(Code.GATEWAY_PROTOCOL_VIOLATION, {"problem": f"it hung up in the handshake ({error})"})
            await self._turn_away(opening, RefusedError(refusal, PROTOCOL_VIOLATION, actor=actor), source)
        except Exception:
            log.exception("a connection failed", source=source)
        finally:
            if opening is not None:
                opening.line.hang_up()
            else:
                client.close()

    async def _turn_away(self, opening: Opening | None, error: RefusedError, source: str) -> None:
        if opening is not None and not opening.line.transport.is_closing():
            opening.line.send(error.message())
            opening.line.hang_up()
        await self.gate.attempts.refused(actor=error.actor, refusal=error.refusal, subject=error.subject, source=source)

    async def _admit(self, line: Line, packet: StartupMessage) -> _Admitted:
        """Authenticate the client, and find the one grant that lets it in. Raises RefusedError, WireError."""
        if packet.minor or packet.options:
            line.send(backend.negotiate_protocol_version(0, sorted(packet.options)))
        name, _, role = packet.parameters.get("user", "").partition("+")
        if not name:
            raise WireError("no user name in the start-up packet", INVALID_AUTHORIZATION)
        live, now = self.gate.live, self.gate.clock.now()
        await live.ready.wait()
        known: list[tuple[Token, ScramVerifier]] = []
        for token in live.tokens(PersonId(name), now):
            if token.issued.scram is not None:
                known.append((token, decode_token_verifier(await live.open(token.issued.scram))))
        if not known:
            # As much work as for somebody who is known, so that time tells a stranger nothing either.
            await self.gate.ledger.matter([hashlib.sha256(name.encode()).hexdigest()])
        token = await self.authenticator.authenticate(line, name, tuple(known))
        person = PersonId(name)
        if len(self.gate.connections) > self.gate.settings.connections_max:
            limit = str(self.gate.settings.connections_max)
            raise RefusedError(Refusal(Code.GATEWAY_BUSY, {"limit": limit}), TOO_MANY_CONNECTIONS, actor=person)
        parameters = check_parameters(packet)
        wanted = TargetName(packet.parameters.get("database") or name)
        target = live.target(wanted)
        if target is None:
            raise RefusedError(Refusal(Code.TARGET_UNKNOWN, {"target": wanted}), UNDEFINED_DATABASE, actor=person)
        grant = self._verdict(person, token, target, RoleName(role) if role else None)
        return _Admitted(person=person, token=token, grant=grant, target=target, parameters=parameters)

    def _verdict(self, person: PersonId, token: Token, target: Target, role: RoleName | None) -> Grant:
        """The grant under which the person may connect now. Raises RefusedError."""
        now, live = self.gate.clock.now(), self.gate.live
        assert live.catalogue is not None, "the view is ready and knows a target"
        owner = check_token(token, purpose=TokenPurpose.GATEWAY, catalogue=live.catalogue, now=now)
        if isinstance(owner, Refusal):
            raise RefusedError(owner, INVALID_AUTHORIZATION, actor=person)
        verdict = admit(live.grants(person), person=person, target=target.name, role=role, now=now)
        if isinstance(verdict, Refusal):
            subject = grant_stream(GrantId(verdict.details["grant"])) if "grant" in verdict.details else ""
            raise RefusedError(verdict, INVALID_AUTHORIZATION, actor=person, subject=subject)
        return verdict

    async def _open(self, opening: Opening, admitted: _Admitted, source: str) -> None:
        """Record the session, log in at the target, relay, and record the end."""
        gate, line = self.gate, opening.line
        session = SessionId(gate.new_id("s"))
        recorder = SessionRecorder(gate.journal, gate.ledger, gate.sealer, session, admitted.person)
        try:
            admitted = await self._record_opening(opening, admitted, session, source)
        except SojournError as error:
            refused = RefusedError(error.refusal, IO_ERROR, actor=admitted.person)
            line.send(refused.message())
            line.hang_up()
            # It may have been recorded all the same; then its end has to be as well.
            recorder.in_doubt = True
            await self._record_end(recorder, None, CloseCause.RECORD_UNAVAILABLE, None)
            raise refused from error
        cause, relay, lag = CloseCause.TARGET_UNREACHABLE, None, None
        try:
            upstream = await self._log_in(line, admitted)
            if upstream is None:
                return
            recorder.connected(upstream.key.pid if upstream.key is not None else 0)
            role = admitted.target.role(admitted.grant.created.role)
            relay = Relay(
                recorder,
                cancel=lambda: _cancel_at(admitted.target, upstream.key),
                # Both the configuration and the target itself say that this role only reads.
                reading=role is not None and role.recording is Recording.BEFORE_RELEASE and upstream.read_only,
            )
            with deadline(gate, admitted.grant, relay.cut) as reached:
                cause = CloseCause.GATEWAY_STOPPED
                cause = await self._relay(line, upstream, relay, admitted.target)
            if cause is CloseCause.GRANT_ENDED and reached.passed_at is not None and relay.cut_at is not None:
                lag = round((relay.cut_at - reached.passed_at) * 1e6)
        finally:
            await self._record_end(recorder, relay, cause, lag)

    async def _record_opening(
        self, opening: Opening, admitted: _Admitted, session: SessionId, source: str
    ) -> _Admitted:
        """Put the session on record under the grant as it is now. Raises SojournError, RefusedError."""
        assert isinstance(opening.packet, StartupMessage)
        for tried in range(STALE_TRIES_MAX):
            grant = admitted.grant
            event = SessionOpened(
                session=session,
                grant=grant.id,
                person=admitted.person,
                target=admitted.target.name,
                role=grant.created.role,
                database=admitted.target.database,
                token=admitted.token.issued.token,
                node=self.gate.node,
                source=source,
                application=opening.packet.parameters.get("application_name", "")[:200],
                tls=opening.tls,
            )
            guard = Guard(stream=grant_stream(grant.id), seen=self.gate.live.version(grant.id))
            change = Change(stream=session_stream(session), event=event, seen=0)
            try:
                await self.gate.ledger.append([change], guards=[guard])
            except SojournError as error:
                if error.code is not Code.RECORD_STALE or tried + 1 == STALE_TRIES_MAX:
                    raise
                # The grant has changed under us: see what it is now, and decide again.
                await asyncio.sleep(STALE_PAUSE_SECONDS)
                grant = self._verdict(admitted.person, admitted.token, admitted.target, grant.created.role)
                admitted = _Admitted(
                    person=admitted.person,
                    token=admitted.token,
                    grant=grant,
                    target=admitted.target,
                    parameters=admitted.parameters,
                )
            else:
                return admitted
        raise AssertionError("the last try returns or raises")

    async def _log_in(self, line: Line, admitted: _Admitted) -> Upstream | None:
        """Log in at the target with the grant's own credential; None after telling the client why not."""
        grant = admitted.grant
        assert grant.secret is not None, "an active grant has its credential"
        try:
            password = (await self.gate.live.open(grant.secret)).decode()
            return await log_in(
                admitted.target,
                user=grant.created.credential,
                password=password,
                parameters=admitted.parameters,
                random_nonce=self.authenticator.random_nonce,
            )
        except TargetRefusedError as error:
            line.send(error.raw)
        except SojournError as error:
            text = f"{error.refusal.sentence} {error.refusal.next_step}"
            line.send(backend.error_response(CONNECTION_FAILURE, text, severity=Severity.FATAL))
        line.hang_up()
        return None

    async def _relay(self, line: Line, upstream: Upstream, relay: Relay, target: Target) -> CloseCause:
        """Give the client its greeting with a cancel key of our own, and relay."""
        secret = self.gate.random_bytes(4)
        key = upstream.key
        own = backend.backend_key_data(key.pid, secret) if key is not None else b""
        line.send(backend.authentication_ok() + upstream.greeting + own + upstream.left)
        if key is not None:
            self._running[key.pid, secret] = (relay.recorder, target, key)
        try:
            client, there = line.transport, upstream.line.transport
            client_side, target_side = relay.client_side(), relay.target_side()
            try:
                late = upstream.line.hand_over(target_side)
            except LineClosedError:
                line.hang_up()
                return CloseCause.TARGET_CLOSED
            try:
                early = line.hand_over(client_side)
            except LineClosedError:
                return CloseCause.CLIENT_CLOSED
            return await relay.run(client, there, from_client=early, from_target=late)
        finally:
            upstream.line.hang_up()
            if key is not None:
                self._running.pop((key.pid, secret), None)

    async def _record_end(
        self, recorder: SessionRecorder, relay: Relay | None, cause: CloseCause, lag: int | None
    ) -> None:
        bytes_in = relay.bytes_in if relay is not None else 0
        bytes_out = relay.bytes_out if relay is not None else 0
        closing = recorder.close(cause, bytes_in=bytes_in, bytes_out=bytes_out, cut_lag_us=lag)
        if cause is CloseCause.GATEWAY_STOPPED:
            # What cannot be recorded within this time is closed on record at the next start.
            try:
                async with asyncio.timeout(CLOSE_RECORD_SECONDS):
                    await closing
            except TimeoutError:
                return
        else:
            await closing

    async def _cancel(self, line: Line, packet: CancelRequest, source: str) -> None:
        """Pass on a cancel request that carries the key of a session of ours; record and ignore any other."""
        known = self._running.get((packet.pid, packet.secret))
        if known is None:
            refusal = Refusal(Code.CREDENTIALS_INVALID, {"pid": str(packet.pid)})
            await self.gate.attempts.refused(actor="", refusal=refusal, subject="cancel", source=source)
            return
        recorder, target, key = known
        event = CancelRequested(session=recorder.session, source=source)
        try:
            await self.gate.ledger.append([Change(stream=session_stream(recorder.session), event=event, seen=None)])
        except SojournError:
            # Unrecorded, nothing goes to the target. The client sees its statement go on, as with a lost cancel.
            return
        await send_cancel(target, key)


async def _cancel_at(target: Target, key: backend.BackendKey | None) -> None:
    if key is not None:
        await send_cancel(target, key)


def nonce(random: bytes) -> bytes:
    """A SCRAM nonce from random bytes (printable, without a comma)."""
    return base64.b64encode(random)
