"""A signal that one part of a session gives another, and that takes no room until somebody waits for it."""

from __future__ import annotations

import asyncio


class Signal:
    """As `asyncio.Event`, which has a queue of 700 bytes from the start; a session has half a dozen of them."""

    __slots__ = ("_event", "_given")

    def __init__(self) -> None:
        """Not given yet."""
        self._given = False
        self._event: asyncio.Event | None = None

    def is_set(self) -> bool:
        """Whether it has been given."""
        return self._given

    def set(self) -> None:
        """Give it: whoever waits goes on, and so does everybody who comes to wait."""
        self._given = True
        if self._event is not None:
            self._event.set()

    def clear(self) -> None:
        """Take it back."""
        self._given = False
        if self._event is not None:
            self._event.clear()

    async def wait(self) -> None:
        """Return once it is given."""
        if self._given:
            return
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()
