"""A connection while it is still being talked to step by step: read exactly so many bytes, each with a deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

LIMIT = 1 << 20


class LineClosedError(ConnectionError):
    """The peer hung up in the middle."""


class Line(asyncio.Protocol):
    """One connection in its log-in phase. Afterwards `hand_over` gives the transport to whoever relays."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._closed = False
        self._paused = False
        self.lost: Callable[[], None] = lambda: None
        """Called when the peer has hung up."""

    @property
    def transport(self) -> asyncio.Transport:
        """The transport, once connected."""
        assert self._transport is not None
        return self._transport

    @property
    def closed(self) -> bool:
        """Whether the peer has hung up."""
        return self._closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop; again after TLS has been put around the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self.received += data
        if len(self.received) > LIMIT and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Called by the loop: nobody goes on half closed in this phase."""
        self._lose()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._lose()

    def _lose(self) -> None:
        self._closed = True
        self._wake()
        self.lost()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def take(self, count: int) -> bytes:
        """Exactly `count` bytes. Raises LineClosedError when the peer hangs up before."""
        while len(self.received) < count:
            await self._more()
        taken = bytes(self.received[:count])
        del self.received[:count]
        return taken

    async def take_some(self) -> bytes:
        """Whatever is there, at least one byte."""
        while not self.received:
            await self._more()
        taken = bytes(self.received)
        self.received.clear()
        return taken

    def _read_on(self) -> None:
        if self._paused and not self._closed:
            self._paused = False
            self.transport.resume_reading()

    async def _more(self) -> None:
        self._read_on()
        if self._closed:
            raise LineClosedError("the connection was closed")
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        """Put TLS around a connection that we opened."""
        assert not self.received, "nothing may precede TLS in clear"
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(self.transport, self, context, server_hostname=server_hostname)
        assert transport is not None
        self._transport = transport

    def send(self, data: bytes) -> None:
        """Write without waiting; what is sent in this phase is small. Who has hung up is told nothing any more."""
        if not (self._closed or self.transport.is_closing()):
            self.transport.write(data)

    def hang_up(self) -> None:
        """Close after what was written has gone out."""
        if self._transport is not None:
            self._transport.close()

    def hand_over(self, protocol: asyncio.Protocol) -> bytes:
        """Give the transport to `protocol`; returns what has been received and not taken. Raises LineClosedError."""
        if self._closed:
            raise LineClosedError("the connection was closed")
        self.transport.set_protocol(protocol)
        left = bytes(self.received)
        self.received.clear()
        self._read_on()
        return left
