"""The two sides of a relay, as the loop sees them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

LAST_WORDS_SECONDS = 0.1
CANCEL_SECONDS = 2.0


class Side(asyncio.Protocol):
    """One side of a relay; `gone` is set when its connection is."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._received = received
        self._lost = lost
        self.gone = asyncio.Event()
        self.hold: Callable[[bool], None] = lambda _: None
        """Told to stop, and to go on, reading from the other side while this one does not take what is written."""

    def data_received(self, data: bytes) -> None:
        self._received(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        self._lost()

    def pause_writing(self) -> None:
        self.hold(True)

    def resume_writing(self) -> None:
        self.hold(False)


def hold(side: asyncio.Transport | None, reasons: set[str], reason: str, wait: bool) -> None:
    """Stop reading a side for this reason, or no longer; it is read while there is none."""
    before = bool(reasons)
    (reasons.add if wait else reasons.discard)(reason)
    if side is None or side.is_closing() or before == bool(reasons):
        return
    side.resume_reading() if before else side.pause_reading()


async def hang_up(
    client: asyncio.Transport,
    target: asyncio.Transport,
    gone: Iterable[asyncio.Event],
    cancel: Callable[[], Awaitable[None]] | None,
) -> asyncio.Task[None] | None:
    """Close both sides: the client gets its last words, what runs is stopped by `cancel`, and nobody is waited for.

    Gives the task that cancels, if it still does.
    """
    loop = asyncio.get_running_loop()
    client.close()
    loop.call_later(LAST_WORDS_SECONDS, client.abort)
    stopping = loop.create_task(_quietly(cancel())) if cancel is not None else None
    if stopping is None:
        target.close()
    else:
        # A target that does not even take the cancel request is left without waiting for it.
        await asyncio.wait({stopping}, timeout=LAST_WORDS_SECONDS)
        target.abort()
    loop.call_later(LAST_WORDS_SECONDS, target.abort)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2 * LAST_WORDS_SECONDS):
            for side in gone:
                await side.wait()
    return stopping


async def _quietly(stopping: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            await stopping
    except OSError:
        # The connection to the target is closed right after this; the statement then ends by that.
        return
