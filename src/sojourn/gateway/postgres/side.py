"""One side of a relay as the loop sees it, and the reasons for not reading from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class Side(asyncio.Protocol):
    """Takes over a connection. While anybody holds it, nothing is read from its peer."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """`received` gets each chunk; `lost` is called once, when the connection is gone."""
        self._received = received
        self._lost = lost
        self._holders: set[object] = set()
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.BaseProtocol; also called by the relay, which takes over a connection that is there."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._received(data)

    def eof_received(self) -> bool:
        """See asyncio.Protocol: nobody goes on half closed."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.BaseProtocol."""
        if not self.gone.done():
            self.gone.set_result(None)
        if self.other is not None:
            self.other.release(self)
        self._lost()

    def pause_writing(self) -> None:
        """The peer does not keep up: read no more from the other side."""
        if self.other is not None:
            self.other.hold(self)

    def resume_writing(self) -> None:
        """The peer has caught up."""
        if self.other is not None:
            self.other.release(self)

    @property
    def open(self) -> bool:
        """Whether something can still be written."""
        return self.transport is not None and not self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send, without waiting; dropped once the connection is closing."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def hold(self, holder: object) -> None:
        """Stop reading on behalf of `holder`."""
        if not self._holders and self.open and self.transport is not None:
            self.transport.pause_reading()
        self._holders.add(holder)

    def release(self, holder: object) -> None:
        """Read again, if nobody else holds."""
        if holder in self._holders:
            self._holders.discard(holder)
            if not self._holders and self.open and self.transport is not None:
                self.transport.resume_reading()

    async def hang_up(self, seconds: float) -> None:
        """Close after what was written has gone out, by force after `seconds`; returns when the socket is gone."""
        if self.transport is None:
            return
        self.transport.close()
        await asyncio.wait([self.gone], timeout=seconds)
        if not self.gone.done():
            self.transport.abort()
            await asyncio.wait([self.gone], timeout=seconds)
