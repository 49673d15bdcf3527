"""How long a session may last, and how long it may be idle, where the settings set a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from sojourn.errors import Code, Refusal
from sojourn.settings import GatewaySettings


class Limited(Protocol):
    """A session as its limits see it: when it was last active, and whether something is under way."""

    active_at: float

    @property
    def busy(self) -> bool:
        """Whether something runs that the client waits for."""
        ...


@contextmanager
def limits(settings: GatewaySettings, session: Limited, end: Callable[[Refusal], None]) -> Iterator[None]:
    """Call `end` with the reason at a limit of the session, while the context lasts. What is busy is not idle."""
    loop = asyncio.get_running_loop()
    timers: dict[str, asyncio.TimerHandle] = {}
    idle_max, life_max = settings.idle_seconds, settings.session_seconds

    def look() -> None:
        left = idle_max - (loop.time() - session.active_at)
        if session.busy or left > 0:
            timers["idle"] = loop.call_later(idle_max if session.busy else left, look)
        else:
            end(Refusal(Code.GATEWAY_SESSION_IDLE, {"seconds": str(idle_max)}))

    def too_long() -> None:
        end(Refusal(Code.GATEWAY_SESSION_TOO_LONG, {"seconds": str(life_max)}))

    if idle_max:
        timers["idle"] = loop.call_later(idle_max, look)
    if life_max:
        timers["life"] = loop.call_later(life_max, too_long)
    try:
        yield
    finally:
        for timer in timers.values():
            timer.cancel()
