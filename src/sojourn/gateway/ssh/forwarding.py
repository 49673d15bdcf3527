"""What a client asks to be forwarded, by port or by socket, in either direction: judged, recorded, opened."""

from __future__ import annotations

from dataclasses import dataclass

import asyncssh

from sojourn.errors import SojournError

from .permission import forwards_to, listens_on, listens_on_socket, opens_socket
from .setting import Setting
from .tunnel import End, Listening, Tunnel, certificate_for, refuse


@dataclass(slots=True)
class Forwarding:
    """The forwarding of one client's connection."""

    client: asyncssh.SSHServerConnection

    async def to_port(self, setting: Setting, host: str, port: int, origin: tuple[str, int]) -> End:
        """A connection through the host (`-L`, `-D`, `-W`). Raises asyncssh.ChannelOpenError."""
        text = f"{host}:{port}"
        if not forwards_to(setting.access, host, port):
            raise refuse(setting, "forward", text, f"connections through the host to {text}")
        connection = await _reach(setting)
        tunnel = Tunnel(setting, "forward", text, origin=f"{origin[0]}:{origin[1]}")
        return await tunnel.open(lambda far: connection.create_connection(far, host, port, *origin, encoding=None))

    async def to_socket(self, setting: Setting, path: str) -> End:
        """A connection to a socket of the host. Raises asyncssh.ChannelOpenError."""
        if not opens_socket(setting.access, path):
            raise refuse(setting, "forward", path, f"connections to the socket {path}")
        connection = await _reach(setting)
        tunnel = Tunnel(setting, "forward", path)
        return await tunnel.open(lambda far: connection.create_unix_connection(far, path, encoding=None))

    async def to_screen(self, setting: Setting, host: str, port: int) -> End:
        """A connection from the host to the client's own screen. Raises asyncssh.ChannelOpenError."""
        tunnel = Tunnel(setting, "x11", "the person's screen", origin=f"{host}:{port}")
        return await tunnel.open(lambda far: self.client.create_x11_connection(far, host, port))

    async def on_port(self, setting: Setting, host: str, port: int) -> asyncssh.SSHListener | bool:
        """Have the host listen (`-R`); False if it may not."""
        text = f"{host}:{port}"
        if not listens_on(setting.access, host, port):
            refuse(setting, "listen", text, f"listening on the host at {text}")
            return False
        connection = await _reach(setting)
        listening = Listening(setting, text)

        async def accepted(origin_host: str, origin_port: int) -> End:
            listening.connections += 1
            tunnel = Tunnel(setting, "accept", text, origin=f"{origin_host}:{origin_port}")
            # The client knows the listener by what it asked for, and by the port that was chosen if it left that open.
            bound = listener.get_port() if port == 0 and isinstance(listener, asyncssh.SSHListener) else port
            return await tunnel.open(
                lambda far: self.client.create_connection(far, host, bound, origin_host, origin_port, encoding=None)
            )

        listener = await listening.open(lambda: connection.create_server(accepted, host, port, encoding=None))
        return listener

    async def on_socket(self, setting: Setting, path: str) -> asyncssh.SSHListener | bool:
        """Have the host listen on a socket; False if it may not."""
        if not listens_on_socket(setting.access, path):
            refuse(setting, "listen", path, f"listening on the host at {path}")
            return False
        connection = await _reach(setting)
        listening = Listening(setting, path)

        async def accepted() -> End:
            listening.connections += 1
            tunnel = Tunnel(setting, "accept", path)
            return await tunnel.open(lambda far: self.client.create_unix_connection(far, path, encoding=None))

        return await listening.open(lambda: connection.create_unix_server(accepted, path, encoding=None))


async def _reach(setting: Setting) -> asyncssh.SSHClientConnection:
    """The connection to the host that forwarding goes by. Raises asyncssh.ChannelOpenError."""
    try:
        return await setting.upstreams.reach(certificate_for(setting))
    except SojournError as error:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, error.refusal.sentence) from error
