"""One SSH connection from accept to close: key exchange, who it is, verdict, record, channels, end on record."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import structlog

from sojourn.domain.events import CloseCause, SessionOpened
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import GrantId, SessionId, TargetName, grant_stream
from sojourn.domain.target import Role
from sojourn.errors import Code, Refusal, SojournError
from sojourn.gateway.deadline import deadline
from sojourn.gateway.gate import Gate
from sojourn.gateway.limits import limits
from sojourn.gateway.opening import record_end, record_opening
from sojourn.gateway.pending import WaitingRoom
from sojourn.gateway.recorder import SessionRecorder
from sojourn.gateway.stopping import stoppable

from .admission import Known, TurnedAwayError, admitted, know, pending, verdict
from .algorithms import COMPRESSION, ENCRYPTION, KEX, MAC, REKEY_BYTES, REKEY_SECONDS, SIGNATURES
from .channel import Channel
from .forwarding import Forwarding
from .identity import Connection, Shown, recognise
from .jump import Jump
from .session import Session
from .setting import Setting
from .tunnel import End, refuse

log = structlog.get_logger("gateway")

KEEPALIVE_SECONDS = 30
REFUSED = asyncssh.DISC_BY_APPLICATION


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorKeys:
    """The gateway's host key with its certificate, and the authority whose certificates people show.

    `spool` is the directory where recordings lie until they are entries.
    """

    host_key: Path
    host_certificate: Path
    people: str
    spool: Path


@dataclass(slots=True)
class SshDoor:
    """Serves SSH connections of one gate."""

    gate: Gate
    keys: DoorKeys
    _connections: Counter[GrantId] = field(default_factory=Counter)
    _options: asyncssh.SSHServerConnectionOptions = field(init=False)
    _room: WaitingRoom = field(init=False)

    def __post_init__(self) -> None:
        """Read the host key once."""
        self._room = WaitingRoom(self.gate.settings.wait_seconds)
        pair = (str(self.keys.host_key), str(self.keys.host_certificate))
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=Visitor,
            server_host_keys=[pair],
            server_version="Sojourn",
            config=None,
            encoding=None,
            line_editor=False,
            gss_host=None,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            agent_forwarding=True,
            x11_forwarding=False,
            allow_scp=False,
            login_timeout=self.gate.settings.handshake_seconds,
            keepalive_interval=KEEPALIVE_SECONDS,
            kex_algs=KEX,
            encryption_algs=ENCRYPTION,
            mac_algs=MAC,
            compression_algs=COMPRESSION,
            signature_algs=SIGNATURES,
            rekey_bytes=REKEY_BYTES,
            rekey_seconds=REKEY_SECONDS,
        )

    async def serve(self, client: socket.socket, source: str, jumped: TargetName | None = None) -> None:
        """Serve one accepted connection to its end. Never raises but for cancellation.

        `jumped` is the target that a jump has named.
        """
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self._options)
        connection.screens = {}
        address = source.rpartition(":")[0]
        visitor: Visitor | None = None
        try:
            connection.recognise = lambda shown: recognise(
                self.gate.live, shown, authority=self.keys.people, source=address, now=self.gate.clock.now()
            )
            await self.gate.live.ready.wait()
            await self.gate.live.catch_up()
            await loop.connect_accepted_socket(lambda: connection, client)
            visitor = Visitor.of(connection)
            connection.proved = visitor.proved
            connection.lends_agent, connection.shows_windows = visitor.lends_agent, visitor.shows_windows
            await self._receive(connection, visitor, source, jumped)
        except TurnedAwayError as error:
            await self._turn_away(connection, error, source)
        except SojournError as error:
            actor = visitor.person if visitor is not None else ""
            await self._turn_away(connection, TurnedAwayError(error.refusal, actor=actor), source)
        except OSError:
            log.warning("a connection was lost at once", source=source)
        except Exception:
            log.exception("a connection failed", source=source)
        finally:
            connection.abort()

    async def _receive(self, connection: Connection, visitor: Visitor, source: str, jumped: TargetName | None) -> None:
        await visitor.settled.wait()
        if visitor.shown is None or not visitor.authenticated:
            refusal = Refusal(Code.CREDENTIALS_INVALID)
            raise TurnedAwayError(refusal, actor=visitor.person or visitor.user)
        if (
            jumped is None
            and visitor.user == visitor.person
            and self.gate.live.target(TargetName(visitor.user)) is None
        ):
            await self._jump(visitor, source)
            return
        known = know(self.gate, visitor.shown.token, visitor.user, jumped)
        if self._room.admits(known.person) and pending(self.gate, known):
            await self._room.wait(known.person, lambda: verdict(self.gate, known), visitor.lost.is_set)
        await self._open(connection, visitor, known, source)

    @contextmanager
    def _counted(self, grant: Grant, role: Role) -> Iterator[None]:
        """Count a connection of the grant while it lasts. Raises TurnedAwayError when there are as many as may be."""
        if self._connections[grant.id] >= role.connections_max:
            refusal = Refusal(Code.GATEWAY_BUSY, {"limit": str(role.connections_max)})
            raise TurnedAwayError(refusal, actor=grant.created.person, subject=grant_stream(grant.id))
        self._connections[grant.id] += 1
        try:
            yield
        finally:
            self._connections[grant.id] -= 1
            self._connections += Counter()

    async def _jump(self, visitor: Visitor, source: str) -> None:
        """Let the person jump to targets, and do nothing else, until they hang up."""
        async with asyncio.TaskGroup() as tasks:
            jump = Jump(self.gate.live, lambda client, target: self.serve(client, source, target), tasks)
            visitor.let_jump(jump)
            await visitor.lost.wait()

    async def _turn_away(self, connection: Connection, error: TurnedAwayError, source: str) -> None:
        connection.disconnect(REFUSED, f"{error.refusal.sentence} {error.refusal.next_step}")
        await self.gate.attempts.refused(actor=error.actor, refusal=error.refusal, subject=error.subject, source=source)

    async def _open(self, connection: Connection, visitor: Visitor, known: Known, source: str) -> None:
        """Record the session, serve its channels, and record the end."""
        gate = self.gate
        name = SessionId(gate.new_id("s"))
        recorder = SessionRecorder(gate.journal, gate.ledger, gate.sealer, name, known.person)

        def opened(grant: Grant) -> SessionOpened:
            return SessionOpened(
                session=name,
                grant=grant.id,
                person=known.person,
                target=known.target.name,
                role=grant.created.role,
                database="",
                token=known.token.issued.token,
                node=gate.node,
                source=source,
                application=str(connection.get_extra_info("client_version", ""))[:200],
                tls=f"SSH {connection.get_extra_info('send_cipher', '')}",
            )

        try:
            grant = await record_opening(
                gate, admitted(gate, known), opened=opened, again=lambda _: admitted(gate, known)
            )
        except SojournError:
            # It may have been recorded all the same; then its end has to be as well.
            recorder.in_doubt = True
            await record_end(gate, recorder, CloseCause.RECORD_UNAVAILABLE, bytes_in=0, bytes_out=0, lag=None)
            raise
        role = known.target.role(grant.created.role)
        cause, lag, session = CloseCause.TARGET_UNREACHABLE, None, None
        try:
            if role is None or role.host is None:
                raise SojournError(Code.ROLE_UNKNOWN, target=known.target.name, role=grant.created.role, known="")
            session = Session(gate, recorder, connection, role.host, grant, self.keys.spool)
            await session.open()
            with (
                deadline(gate, grant, session.cut, session.warn) as reached,
                limits(gate.settings, session, session.expel),
                stoppable(gate, grant, name, session.stop),
                self._counted(grant, role),
            ):
                cause = CloseCause.GATEWAY_STOPPED
                visitor.let_in(session)
                cause = await session.run()
            if cause is CloseCause.GRANT_ENDED and reached.passed_at is not None and session.cut_at is not None:
                lag = round((session.cut_at - reached.passed_at) * 1e6)
        finally:
            received = session.bytes_in if session is not None else 0
            sent = session.bytes_out if session is not None else 0
            await record_end(gate, recorder, cause, bytes_in=received, bytes_out=sent, lag=lag)


class Visitor(asyncssh.SSHServer):
    """What asyncssh tells of one connection. `settled` is set once it is known who it is, or that nobody is."""

    def __init__(self) -> None:
        self.settled = asyncio.Event()
        self.shown: Shown | None = None
        self.authenticated = False
        self.user = ""
        self.session: Session | None = None
        self.lost = asyncio.Event()
        self._jump: Jump | None = None
        self._admitted = asyncio.Event()

    @staticmethod
    def of(connection: asyncssh.SSHServerConnection) -> Visitor:
        """The visitor of a connection."""
        visitor = connection.get_owner()
        assert isinstance(visitor, Visitor)
        return visitor

    @property
    def person(self) -> str:
        """Whose key has signed, or nobody's."""
        return self.shown.token.issued.person if self.shown is not None else ""

    def proved(self, shown: Shown) -> None:
        """This key has signed."""
        self.shown = shown

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncssh."""
        self.lost.set()
        self.settled.set()
        self._admitted.set()
        if self.session is not None:
            self.session.client_lost()

    def begin_auth(self, username: str) -> bool:
        """See asyncssh: everybody has to show who they are."""
        self.user = username
        return True

    def public_key_auth_supported(self) -> bool:
        """See asyncssh."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """See asyncssh. The connection has asked the record before it asks here."""
        return True

    def auth_completed(self) -> None:
        """See asyncssh."""
        self.authenticated = True
        self.settled.set()

    def let_in(self, session: Session) -> None:
        """Channels may begin."""
        self.session = session
        self._admitted.set()
        if self.lost.is_set():
            session.client_lost()

    def let_jump(self, jump: Jump) -> None:
        """Jumps may begin, and nothing else."""
        self._jump = jump
        self._admitted.set()

    async def _channel(self) -> Channel:
        await self._admitted.wait()
        if self.session is None or self.session.cause is not None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "nobody has been let in")
        return Channel(self._setting)

    def _setting(self) -> Setting | None:
        return None if self.session is None or self.session.cause is not None else self.session.setting

    async def lends_agent(self) -> bool:
        """Whether the role lends the person's agent to the host; what it does not is on record."""
        setting = await self._may_forward()
        if not setting.access.agent:
            refuse(setting, "agent", "", "the use of your agent on the host")
        return setting.access.agent

    async def shows_windows(self) -> bool:
        """Whether the role lets programs of the host open windows on the person's screen; a refusal is on record."""
        setting = await self._may_forward()
        if not setting.access.x11:
            refuse(setting, "x11", "", "windows of the host on your screen")
        return setting.access.x11

    async def _may_forward(self) -> Setting:
        await self._admitted.wait()
        setting = self._setting()
        if setting is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "nobody has been let in")
        return setting

    async def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> asyncssh.SSHTCPSession[bytes]:
        """See asyncssh."""
        await self._admitted.wait()
        if self._jump is not None:
            return await self._jump.to(dest_host)
        setting = await self._may_forward()
        return await self._forwarding.to_port(setting, dest_host, dest_port, (orig_host, orig_port))

    async def unix_connection_requested(self, dest_path: str) -> End:
        """See asyncssh."""
        return await self._forwarding.to_socket(await self._may_forward(), dest_path)

    def tun_requested(self, unit: int | None) -> Awaitable[asyncssh.SSHTunTapSession]:
        """See asyncssh: no role allows a network of packets, which nobody could read."""
        return self._no_network("3")

    def tap_requested(self, unit: int | None) -> Awaitable[asyncssh.SSHTunTapSession]:
        """See asyncssh."""
        return self._no_network("2")

    async def _no_network(self, layer: str) -> asyncssh.SSHTunTapSession:
        raise refuse(await self._may_forward(), "tunnel", f"layer {layer}", "a tunnel of packets (`ssh -w`)")

    async def server_requested(self, listen_host: str, listen_port: int) -> asyncssh.SSHListener | bool:
        """See asyncssh."""
        try:
            return await self._forwarding.on_port(await self._may_forward(), listen_host, listen_port)
        except asyncssh.ChannelOpenError:
            return False

    async def unix_server_requested(self, listen_path: str) -> asyncssh.SSHListener | bool:
        """See asyncssh."""
        try:
            return await self._forwarding.on_socket(await self._may_forward(), listen_path)
        except asyncssh.ChannelOpenError:
            return False

    def session_requested(
        self,
    ) -> tuple[asyncssh.SSHServerChannel[bytes], Awaitable[asyncssh.SSHServerSession[bytes]]]:
        """See asyncssh: the channel is opened once its person has been let in."""
        connection = self.connection
        channel = connection.create_server_channel(None, "strict")
        return channel, self._channel()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """See asyncssh."""
        self.connection = conn
        self._forwarding = Forwarding(conn)
