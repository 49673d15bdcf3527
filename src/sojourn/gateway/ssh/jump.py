"""`ssh -J PERSON@GATEWAY HOST`: a way to the gateway's own door, and to nowhere else.

A jump is a connection inside a connection, encrypted from end to end: a gateway that simply passed it on would see
nothing of it. Here the inner connection ends at the gateway as well: the host's name is the target, and all that holds
for any other connection holds for it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import asyncssh
from asyncssh.channel import SSHChannel

from sojourn.domain.identifiers import TargetName
from sojourn.gateway.live import LiveView

Serve = Callable[[socket.socket, TargetName], Coroutine[Any, Any, None]]
"""Serves a connection to that target."""


@dataclass(slots=True)
class Jump:
    """Where one person's jumps go. `tasks` holds the inner connections while the outer one lasts."""

    live: LiveView
    serve: Serve
    tasks: asyncio.TaskGroup

    async def to(self, host: str) -> asyncssh.SSHTCPSession[bytes]:
        """The door, for the target of that name. Raises asyncssh.ChannelOpenError."""
        name = TargetName(host)
        target = self.live.target(name)
        if target is None or target.ssh is None:
            text = f"There is no host {host[:100]} here; a jump goes to nowhere else."
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, text)
        ours, theirs = socket.socketpair()
        for one in (ours, theirs):
            one.setblocking(False)
        inner = Inner()
        await asyncio.get_running_loop().create_connection(lambda: inner.door, sock=ours)
        self.tasks.create_task(self.serve(theirs, name))
        return inner


class Inner(asyncssh.SSHTCPSession[bytes]):
    """The client's end of a jump; `door` is the other."""

    def __init__(self) -> None:
        self.door = _Door(self)
        self.channel: SSHChannel[bytes] | None = None

    def connection_made(self, chan: SSHChannel[bytes]) -> None:
        """See asyncssh."""
        self.channel = chan
        chan.set_encoding(None)
        self.door.flush()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """See asyncssh."""
        self.door.transport.write(data)

    def eof_received(self) -> bool:
        """See asyncssh: an SSH connection has no half."""
        self.door.transport.close()
        return False

    def pause_writing(self) -> None:
        """See asyncssh."""
        self.door.transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncssh."""
        self.door.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncssh."""
        self.channel = None
        self.door.transport.close()


class _Door(asyncio.Protocol):
    """The end that is a client of our own door."""

    def __init__(self, inner: Inner) -> None:
        self._inner = inner
        self._early: list[bytes] = []
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._inner.channel is None:
            self._early.append(data)
        elif not self._inner.channel.is_closing():
            self._inner.channel.write(data)

    def flush(self) -> None:
        """The other end is open now."""
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)

    def pause_writing(self) -> None:
        if self._inner.channel is not None:
            self._inner.channel.pause_reading()

    def resume_writing(self) -> None:
        if self._inner.channel is not None:
            self._inner.channel.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inner.channel is not None:
            self._inner.channel.close()
