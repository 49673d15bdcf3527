"""The end of a relay: the client is told why where it can read that, and both sides are closed without waiting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

from sojourn.gateway.signal import Signal

from .walk import BackendWalker

LAST_WORDS_SECONDS = 0.1
CANCEL_SECONDS = 2.0


class LastWords:
    """What a client is told last, once it stands between two messages of the target.

    `told` is set while nothing waits to be told.
    """

    def __init__(self, walker: BackendWalker) -> None:
        """`walker` knows where the client stands."""
        self._walker = walker
        self._message = b""
        self.told = Signal()
        self.told.set()

    def say(self, client: asyncio.Transport, message: bytes, *, may_wait: bool) -> None:
        """Say it now, or after the message that the client is in the middle of if it `may_wait`, or not at all."""
        if self._walker.at_boundary:
            client.write(message)
        elif may_wait and self._walker.left:
            self._message = message
            self.told.clear()

    def finish(self, client: asyncio.Transport, chunk: bytes) -> int:
        """Let the client have the rest of its message from what the target still sends; gives how many bytes."""
        if self.told.is_set():
            return 0
        rest = chunk[: self._walker.left]
        self._walker.walk(rest)
        client.write(rest)
        if self._walker.at_boundary:
            client.write(self._message)
            self.told.set()
        return len(rest)


async def hang_up(
    client: asyncio.Transport,
    target: asyncio.Transport,
    gone: Iterable[Signal],
    words: LastWords,
    cancel: Callable[[], Awaitable[None]] | None,
) -> asyncio.Task[None] | None:
    """Close both sides: the client gets its last words, what runs is stopped by `cancel`, and nobody is waited for.

    They wait a moment for the end of the message in which the client stands.

    Gives the task that cancels, if it still does.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + LAST_WORDS_SECONDS
    loop.call_at(until, client.abort)
    stopping = loop.create_task(_quietly(cancel())) if cancel is not None else None
    if not words.told.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await words.told.wait()
    client.close()
    if stopping is None:
        target.close()
    else:
        # A target that does not even take the cancel request is left without waiting for it.
        await asyncio.wait({stopping}, timeout=max(0.0, until - loop.time()))
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
