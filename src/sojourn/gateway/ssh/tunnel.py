"""Forwarded connections: each is an action of its own, with where it goes and how many bytes went through.

One class for every kind: to a port or a socket through the host, and from a port or socket of the host to the client.
Nothing is opened before its intent is durable, and a cut closes both ends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import asyncssh
from asyncssh.channel import SSHChannel

from sojourn.domain.events import Outcome
from sojourn.domain.ssh import FORWARDING
from sojourn.errors import Code, Refusal, SojournError
from sojourn.gateway.entries import Intention, Result

from .flow import Flow
from .permission import refusal
from .setting import Setting

PROTOCOL = "ssh"

Opener = Callable[[Callable[[], "End"]], Awaitable[object]]
"""Opens the far end: gives it the session that it is to have. Raises asyncssh.Error, OSError, SojournError."""


def intention(verb: str, text: str, **more: str) -> Intention:
    """The intent of something that is forwarded."""
    detail = json.dumps({"text": text, **more}, sort_keys=True).encode()
    return Intention(PROTOCOL, verb, may_write=True, objects=(text[:200],), detail=detail)


def certificate_for(setting: Setting) -> str:
    """What the certificate forces that forwarding goes by."""
    return "" if setting.access.shell else FORWARDING


def refuse(setting: Setting, verb: str, text: str, what: str) -> asyncssh.ChannelOpenError:
    """Put a refusal on record; gives the error that says so to the client."""
    why: Refusal = refusal(setting.access, what)
    result = Result(outcome=Outcome.SKIPPED, tags=("refused",), message=why.sentence.encode())
    setting.note(intention(verb, text, refused=str(Code.HOST_NOT_ALLOWED)), result)
    return asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, f"{why.sentence} {why.next_step}")


class Tunnel:
    """One connection that is forwarded: a `near` end, which asked for it, and a `far` end, which is opened for it."""

    def __init__(self, setting: Setting, verb: str, text: str, **more: str) -> None:
        self._setting, self._verb, self._text, self._more = setting, verb, text, more
        self.sent, self.received = Flow(), Flow()
        self.near, self.far = End(self, self.sent), End(self, self.received)
        self.near.other, self.far.other = self.far, self.near
        self._number = 0
        self._began = 0.0
        self._gone = asyncio.Event()
        self._cut = False

    async def open(self, opener: Opener) -> End:
        """Record it and open the far end; gives the near one. Raises asyncssh.ChannelOpenError."""
        self._began = asyncio.get_running_loop().time()
        try:
            self._number = await self._setting.intents.record(intention(self._verb, self._text, **self._more))
            await opener(lambda: self.far)
        except (SojournError, asyncssh.Error, OSError) as error:
            text = error.refusal.sentence if isinstance(error, SojournError) else str(error)
            self._complete(Outcome.FAILED, text)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, text) from error
        self._setting.start(self)
        return self.near

    async def run(self, setting: Setting) -> None:
        """Until both ends are closed; then record how much went through."""
        try:
            await self._gone.wait()
        finally:
            self._complete(Outcome.INTERRUPTED if self._cut else Outcome.COMPLETED, "")

    def _complete(self, outcome: Outcome, message: str) -> None:
        if not self._number:
            return
        result = Result(
            outcome=outcome,
            tags=(f"sent {self.sent}", f"received {self.received}"),
            bytes_in=self.sent.size,
            bytes_out=self.received.size,
            duration_us=round((asyncio.get_running_loop().time() - self._began) * 1e6),
            message=message.encode(),
        )
        self._setting.complete(self._number, result)

    def moved(self, flow: Flow, data: bytes) -> None:
        """Something goes through."""
        flow.take(data)
        self._setting.moved(*((len(data), 0) if flow is self.sent else (0, len(data))))

    def closed(self) -> None:
        """One end is closed: so is the other."""
        for end in (self.near, self.far):
            end.close()
        self._gone.set()

    def say(self, text: str) -> None:
        """Nothing can be said in a connection of somebody else's protocol."""

    def cut(self, text: str) -> None:
        """End it now."""
        self._cut = True
        self.closed()


class End(asyncssh.SSHTCPSession[bytes], asyncssh.SSHUNIXSession[bytes]):
    """One end of a tunnel. What it hears goes to the `other`, or waits for it."""

    def __init__(self, tunnel: Tunnel, flow: Flow) -> None:
        self._tunnel, self._flow = tunnel, flow
        self.other: End = self
        self._channel: SSHChannel[bytes] | None = None
        self._early: list[bytes] = []
        self._ended = False

    def connection_made(self, chan: SSHChannel[bytes]) -> None:
        """See asyncssh."""
        self._channel = chan
        chan.set_encoding(None)
        early, self._early = self._early, []
        for data in early:
            chan.write(data)
        if self._ended:
            chan.write_eof()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """See asyncssh."""
        self._tunnel.moved(self._flow, data)
        self.other.write(data)

    def write(self, data: bytes) -> None:
        """Pass this on; what comes before the end is open waits (it is bounded by the window)."""
        if self._channel is None:
            self._early.append(data)
        elif not self._channel.is_closing():
            self._channel.write(data)

    def eof_received(self) -> bool:
        """See asyncssh; the other direction stays open."""
        self.other.end()
        return True

    def end(self) -> None:
        """Nothing more comes this way."""
        self._ended = True
        if self._channel is not None:
            self._channel.write_eof()

    def pause_writing(self) -> None:
        """See asyncssh."""
        if self.other._channel is not None:
            self.other._channel.pause_reading()

    def resume_writing(self) -> None:
        """See asyncssh."""
        if self.other._channel is not None:
            self.other._channel.resume_reading()

    def close(self) -> None:
        """Close this end."""
        if self._channel is not None:
            self._channel.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncssh."""
        self._channel = None
        self._tunnel.closed()


class Listening:
    """A port or socket of the host that is listened on for the client. Closing it closes the host's."""

    def __init__(self, setting: Setting, text: str) -> None:
        self._setting, self._text = setting, text
        self._number = 0
        self._began = 0.0
        self._gone = asyncio.Event()
        self.connections = 0
        self._listener: asyncssh.SSHListener | None = None

    async def open(self, opener: Callable[[], Awaitable[asyncssh.SSHListener]]) -> asyncssh.SSHListener | bool:
        """Record it and have the host listen; False if that cannot be."""
        self._began = asyncio.get_running_loop().time()
        try:
            self._number = await self._setting.intents.record(intention("listen", self._text))
            self._listener = await opener()
        except (SojournError, asyncssh.Error, OSError) as error:
            self._complete(Outcome.FAILED, str(error))
            return False
        self._setting.start(self)
        return self._listener

    async def run(self, setting: Setting) -> None:
        """Until the host does not listen any more."""
        assert self._listener is not None
        waiting = asyncio.ensure_future(self._listener.wait_closed())
        try:
            await asyncio.wait({waiting, asyncio.ensure_future(self._gone.wait())}, return_when="FIRST_COMPLETED")
        finally:
            self._listener.close()
            self._complete(Outcome.COMPLETED, "")

    def _complete(self, outcome: Outcome, message: str) -> None:
        if self._number:
            duration = round((asyncio.get_running_loop().time() - self._began) * 1e6)
            result = Result(outcome=outcome, rows=self.connections, duration_us=duration, message=message.encode())
            self._setting.complete(self._number, result)

    def say(self, text: str) -> None:
        """Nobody reads here."""

    def cut(self, text: str) -> None:
        """End it now."""
        self._gone.set()
