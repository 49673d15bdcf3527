"""One connection of a person under one grant: its channels, its record, and its end."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import structlog
from asyncssh.packet import String, UInt32

from sojourn.domain.events import CloseCause
from sojourn.domain.grant import Grant
from sojourn.domain.ssh import HostAccess
from sojourn.errors import Refusal, SojournError
from sojourn.gateway.gate import Gate
from sojourn.gateway.recorder import SessionRecorder

from .forwarding import Forwarding
from .identity import Connection
from .intents import Intents
from .setting import Setting, Startable
from .spool import spool_of
from .tape import Desk
from .tunnel import End, refuse
from .upstream import Upstreams, certificates_of, key_of

log = structlog.get_logger("gateway")

LAST_WORDS_SECONDS = 0.1
CHANNELS_MAX = 200
GOODBYE_SECONDS = 0.4


@dataclass(slots=True, eq=False)
class Session:
    """Relays one client's channels until one side leaves or `cut` is called.

    `cut_at` is when both sides were closed after a cut, on the loop's clock, and `active_at` when either side last
    said something.
    """

    gate: Gate
    recorder: SessionRecorder
    connection: Connection
    access: HostAccess
    grant: Grant
    spool: Path
    bytes_in: int = 0
    bytes_out: int = 0
    cause: CloseCause | None = None
    cut_at: float | None = None
    active_at: float = 0.0
    setting: Setting | None = None
    _channels: dict[Startable, asyncio.Task[None]] = field(default_factory=dict)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _text: str = ""

    async def open(self) -> None:
        """Get ready for channels. Raises SojournError when the access's secret cannot be had."""
        assert self.grant.secret is not None, "an active grant has its credential"
        password = (await self.gate.live.open(self.grant.secret)).decode()
        target = self.gate.live.target(self.grant.created.target)
        assert target is not None, "admission has found it"
        upstreams = Upstreams(
            target=target,
            key=key_of(password),
            certificates=certificates_of(self.grant.observed),
            connected=self.recorder.connected,
            lost=self._target_lost,
            agent=lambda: self.connection.get_agent_path() or "",
            show=self._show,
        )
        self.active_at = asyncio.get_running_loop().time()
        self.setting = Setting(
            access=self.access,
            upstreams=upstreams,
            intents=Intents(self.recorder),
            desk=Desk(
                journal=self.gate.journal,
                sealer=self.gate.sealer,
                session=self.recorder.session,
                person=self.recorder.person,
                spool=lambda number: spool_of(self.spool, self.recorder.session, number),
            ),
            clock=self.gate.clock,
            fail=self.fail,
            marks={"SOJOURN_GRANT": self.grant.id, "SOJOURN_SESSION": self.recorder.session},
            note=self.recorder.note,
            complete=self.recorder.complete,
            moved=self._moved,
            start=self._start,
            screen=self.connection.screens.get,
        )

    async def _show(self, host: str, port: int) -> End:
        """A window of the host on the person's screen. Raises asyncssh.ChannelOpenError where nobody asked for it."""
        assert self.setting is not None, "only a channel of this session opens a connection to the host"
        if not self.access.x11 or not self.connection.screens:
            raise refuse(self.setting, "x11", "", "windows of the host on your screen")
        return await Forwarding(self.connection).to_screen(self.setting, host, port)

    def _moved(self, received: int, sent: int) -> None:
        self.bytes_in += received
        self.bytes_out += sent
        self.active_at = asyncio.get_running_loop().time()

    def _start(self, channel: Startable) -> None:
        assert self.setting is not None
        if self.cause is not None or len(self._channels) >= CHANNELS_MAX:
            channel.cut("There are too many channels on this connection.")
            return
        task = asyncio.get_running_loop().create_task(self._attend(channel, self.setting))
        self._channels[channel] = task

    async def _attend(self, channel: Startable, setting: Setting) -> None:
        try:
            await channel.run(setting)
        except Exception:  # the top of a channel's task: a fault of ours ends the session, and no other
            log.exception("a channel failed", session=self.recorder.session)
            self.end(CloseCause.INTERRUPTED)
        finally:
            self._channels.pop(channel, None)

    @property
    def busy(self) -> bool:
        """Whether something is under way that the client waits for: a command or a shell that says nothing is idle."""
        return False

    async def run(self) -> CloseCause:
        """Until the end; gives its reason."""
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self._text = "The gateway is stopping."
            self.end(CloseCause.GATEWAY_STOPPED)
            raise
        finally:
            await self._hang_up()
        assert self.cause is not None
        return self.cause

    def end(self, cause: CloseCause) -> None:
        """Say why it is over; the first reason counts."""
        self.cause = self.cause or cause
        self._over.set()

    def client_lost(self) -> None:
        """The client has hung up."""
        self._hung_up.set()
        self.end(CloseCause.CLIENT_CLOSED)

    def _target_lost(self) -> None:
        self._text = "The host has closed the connection."
        self.end(CloseCause.TARGET_CLOSED)

    def cut(self, refusal: Refusal) -> None:
        """End the session because its grant has ended."""
        self.expel(refusal, CloseCause.GRANT_ENDED)

    def expel(self, refusal: Refusal, cause: CloseCause = CloseCause.LIMIT_REACHED) -> None:
        """End the session for a reason of ours, and say which."""
        if self.cause is None:
            self._text = f"{refusal.sentence} {refusal.next_step}"
            self.end(cause)

    def stop(self, refusal: Refusal) -> None:
        """End the session because somebody says so."""
        self.expel(refusal, CloseCause.STOPPED)

    def fail(self, error: SojournError) -> None:
        """End the session because its record cannot be written."""
        self.expel(error.refusal, CloseCause.RECORD_UNAVAILABLE)

    def warn(self, text: str) -> None:
        """Tell the person something, on every channel that people read."""
        for channel in tuple(self._channels):
            channel.say(text)

    async def _say_goodbye(self) -> None:
        """The last message, behind whatever is on its way already; a client that does not read is not waited for."""
        if self._hung_up.is_set():
            return
        reason = (String(self._text or "Goodbye."), String("en"))
        self.connection.send_packet(asyncssh.constants.MSG_DISCONNECT, UInt32(asyncssh.DISC_BY_APPLICATION), *reason)
        # Who reads it hangs up. To hang up first would take back what the client's machine has not handed over yet.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._hung_up.wait()

    async def _hang_up(self) -> None:
        """Close both sides: the client gets its last words, what runs is killed, and nobody is waited for."""
        loop = asyncio.get_running_loop()
        for channel in tuple(self._channels):
            channel.cut(self._text or "The connection is closed.")
        if self._channels:
            # What was written has to leave before the connection does, and what was asked of the host as well.
            await asyncio.sleep(LAST_WORDS_SECONDS / 2)
        if self.setting is not None:
            self.setting.upstreams.close()
        await self._say_goodbye()
        self.connection.abort()
        self.cut_at = loop.time()
        tasks = tuple(self._channels.values())
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=2 * LAST_WORDS_SECONDS)
            for task in left:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
