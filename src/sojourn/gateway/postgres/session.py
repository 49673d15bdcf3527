"""One connection from accept to close: hand-shake, verdict, record, log-in at the target, relay, end on record."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from dataclasses import dataclass, field, replace

import structlog

from sojourn.domain.account import Token
from sojourn.domain.events import CancelRequested, CloseCause, SessionOpened
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, TokenId, session_stream
from sojourn.domain.target import Recording, Target
from sojourn.errors import Code, Refusal, SojournError
from sojourn.gateway.deadline import deadline
from sojourn.gateway.gate import Gate
from sojourn.gateway.limits import limits
from sojourn.gateway.opening import record_end, record_opening
from sojourn.gateway.recorder import SessionRecorder
from sojourn.gateway.stopping import stoppable
from sojourn.gateway.tls import ClientCertificate

from . import backend
from .admission import Admission, Admitted
from .backend import Severity
from .handshake import PROTOCOL_VIOLATION, Opening, RefusedError, open_connection
from .line import Line, LineClosedError
from .relay import ADMIN_SHUTDOWN, CONNECTION_FAILURE, IO_ERROR, Relay
from .startup import CancelRequest, StartupMessage
from .upstream import TargetRefusedError, Upstream, log_in, send_cancel
from .wire import WireError

log = structlog.get_logger("gateway")

SECRET_BYTES = 32
IDLE_SESSION_TIMEOUT = "57P05"
LONG_KEYS_MINOR = 2
"""From protocol 3.2 on a cancel key may be longer than four bytes."""


@dataclass(slots=True)
class PostgresDoor:
    """Serves PostgreSQL connections of one gate."""

    gate: Gate
    admission: Admission
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
                        known = await self.admission.authenticate(opening)
            except TimeoutError:
                seconds = f"{settings.handshake_seconds:g}"
                raise RefusedError(
                    Refusal(Code.GATEWAY_HANDSHAKE_TIMEOUT, {"seconds": seconds}), PROTOCOL_VIOLATION, actor=actor
                ) from None
            if isinstance(opening.packet, CancelRequest):
                await self._cancel(opening.line, opening.packet, source)
            else:
                await self._open(opening, await self.admission.admit(known, opening), source)
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

    async def _open(self, opening: Opening, admitted: Admitted, source: str) -> None:
        """Record the session, log in at the target, relay, and record the end."""
        gate, line = self.gate, opening.line
        session = SessionId(gate.new_id("s"))
        recorder = SessionRecorder(gate.journal, gate.ledger, gate.sealer, session, admitted.known.person)
        try:
            admitted = await self._record_opening(opening, admitted, session, source)
        except SojournError as error:
            refused = RefusedError(error.refusal, IO_ERROR, actor=admitted.known.person)
            line.send(refused.message())
            line.hang_up()
            # It may have been recorded all the same; then its end has to be as well.
            recorder.in_doubt = True
            await self._record_end(recorder, None, CloseCause.RECORD_UNAVAILABLE, None)
            raise refused from error
        cause, relay, lag = CloseCause.GATEWAY_STOPPED, None, None
        try:
            upstream, cause, lag = await self._log_in_in_time(line, admitted)
            if upstream is None:
                return
            recorder.connected(upstream.key.pid if upstream.key is not None else 0)
            target = admitted.known.target
            role = target.role(admitted.grant.created.role)
            recorder.mark_rows_over = 0 if role is None else role.mark_rows_over
            relay = Relay(
                recorder,
                cancel=lambda: _cancel_at(target, upstream.key),
                # Both the configuration and the target itself say that this role only reads.
                reading=role is not None and role.recording is Recording.BEFORE_RELEASE and upstream.read_only,
            )
            with (
                deadline(gate, admitted.grant, relay.cut, relay.warn) as reached,
                limits(gate.settings, relay, lambda refusal: relay.expel(refusal, _sqlstate(refusal))),
                stoppable(
                    gate,
                    admitted.grant,
                    recorder.session,
                    lambda refusal: relay.expel(refusal, ADMIN_SHUTDOWN, CloseCause.STOPPED),
                ),
            ):
                cause = CloseCause.GATEWAY_STOPPED
                cause = await self._relay(line, upstream, relay, admitted)
            if cause is CloseCause.GRANT_ENDED and reached.passed_at is not None and relay.cut_at is not None:
                lag = round((relay.cut_at - reached.passed_at) * 1e6)
        except Exception:
            # A fault of ours; `serve` says which.
            cause = CloseCause.INTERRUPTED
            raise
        finally:
            await self._record_end(recorder, relay, cause, lag)

    async def _record_opening(self, opening: Opening, admitted: Admitted, session: SessionId, source: str) -> Admitted:
        """Put the session on record under the grant as it is now. Raises SojournError, RefusedError."""
        known = admitted.known

        def opened(grant: Grant) -> SessionOpened:
            return SessionOpened(
                session=session,
                grant=grant.id,
                person=known.person,
                target=known.target.name,
                role=grant.created.role,
                database=known.database,
                token=known.proof.issued.token if isinstance(known.proof, Token) else TokenId(""),
                certificate=known.proof.digest if isinstance(known.proof, ClientCertificate) else "",
                node=self.gate.node,
                source=source,
                application=known.application,
                tls=opening.tls,
            )

        def again(grant: Grant) -> Grant:
            return self.admission.judge(replace(known, role=grant.created.role)).grant

        grant = await record_opening(self.gate, admitted.grant, opened=opened, again=again)
        return replace(admitted, grant=grant)

    async def _log_in_in_time(self, line: Line, admitted: Admitted) -> tuple[Upstream | None, CloseCause, int | None]:
        """Log in at the target, unless the grant ends or the client goes before that has come about.

        Gives the target, or None with the reason and, for a grant that ended, with the lag in microseconds.
        """
        loop = asyncio.get_running_loop()
        ended: list[Refusal] = []
        try:
            async with asyncio.timeout(None) as allowed:

                def stop(refusal: Refusal | None = None) -> None:
                    ended.extend([refusal] if refusal is not None else ())
                    if allowed.when() is None:
                        allowed.reschedule(loop.time())

                with deadline(self.gate, admitted.grant, stop, lambda _: None) as reached:
                    line.lost = stop
                    try:
                        upstream = await self._log_in(line, admitted)
                    finally:
                        line.lost = lambda: None
        except TimeoutError:
            if not ended:
                return None, CloseCause.CLIENT_CLOSED, None
            line.send(RefusedError(ended[0], ADMIN_SHUTDOWN).message())
            line.hang_up()
            lag = round((loop.time() - reached.passed_at) * 1e6) if reached.passed_at is not None else None
            return None, CloseCause.GRANT_ENDED, lag
        return upstream, CloseCause.TARGET_UNREACHABLE, None

    async def _log_in(self, line: Line, admitted: Admitted) -> Upstream | None:
        """Log in at the target with the grant's own credential; None after telling the client why not."""
        grant, known = admitted.grant, admitted.known
        assert grant.secret is not None, "an active grant has its credential"
        try:
            password = (await self.gate.live.open(grant.secret)).decode()
            return await log_in(
                known.target,
                user=grant.created.credential,
                password=password,
                database=known.database,
                parameters=known.parameters,
                minor=known.minor,
                random_nonce=self.admission.authenticator.random_nonce,
            )
        except TargetRefusedError as error:
            line.send(error.raw)
        except SojournError as error:
            text = f"{error.refusal.sentence} {error.refusal.next_step}"
            line.send(backend.error_response(CONNECTION_FAILURE, text, severity=Severity.FATAL))
        line.hang_up()
        return None

    async def _relay(self, line: Line, upstream: Upstream, relay: Relay, admitted: Admitted) -> CloseCause:
        """Give the client its greeting with a cancel key of our own, and relay."""
        known, key = admitted.known, upstream.key
        secret = self.gate.random_bytes(SECRET_BYTES if known.minor >= LONG_KEYS_MINOR else 4)
        own = backend.backend_key_data(key.pid, secret) if key is not None else b""
        welcome = b"" if admitted.greeted else backend.authentication_ok()
        line.send(welcome + upstream.greeting + own + relay.first_notice() + upstream.left)
        if key is not None:
            self._running[key.pid, secret] = (relay.recorder, known.target, key)
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
        await record_end(self.gate, recorder, cause, bytes_in=bytes_in, bytes_out=bytes_out, lag=lag)

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


def _sqlstate(limit: Refusal) -> str:
    """What PostgreSQL calls it when a session has reached this limit."""
    return IDLE_SESSION_TIMEOUT if limit.code is Code.GATEWAY_SESSION_IDLE else ADMIN_SHUTDOWN
