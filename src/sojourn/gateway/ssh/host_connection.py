"""One connection of the gateway to a host: as asyncssh makes it, but for its windows and its packets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import AnyStr

import asyncssh
from asyncssh.channel import SSHX11Channel
from asyncssh.packet import SSHPacket

from .packets import CarefulConnection
from .windows import Screen, Show


class HostConnection(CarefulConnection, asyncssh.SSHClientConnection):
    """The host may open windows by `show`, and is asked for screens as they were asked for at the gateway."""

    show: Show

    async def attach_x11_listener(
        self, chan: asyncssh.SSHClientChannel[AnyStr], display: str | None, auth_path: str | None, single: bool
    ) -> tuple[bytes, bytes, int]:
        """See asyncssh, whose way wants a display of this machine's."""
        screen = Screen.read(display or "")
        return screen.protocol, screen.cookie, screen.number

    # asyncssh's own opens a display of this machine, and says so in its type.
    def _process_x11_open(  # type: ignore[override]
        self, packet: SSHPacket
    ) -> tuple[SSHX11Channel, Awaitable[asyncssh.SSHTCPSession[bytes]]]:
        """See asyncssh."""
        host, port = packet.get_string().decode("utf-8", "backslashreplace"), packet.get_uint32()
        packet.check_end()
        channel = self.create_x11_channel()
        channel.set_inbound_peer_names(host, port)
        return channel, self.show(host, port)


async def connect(options: asyncssh.SSHClientConnectionOptions, show: Show) -> HostConnection:
    """A connection that has logged in. Raises asyncssh.Error and OSError; a caller who gives up leaves nothing open."""
    loop = asyncio.get_running_loop()
    options.waiter = loop.create_future()
    connection = HostConnection(loop, options, wait="auth")
    connection.show = show
    try:
        await loop.create_connection(lambda: connection, options.host, options.port)
        await options.waiter
    except BaseException:
        connection.abort()
        raise
    return connection
