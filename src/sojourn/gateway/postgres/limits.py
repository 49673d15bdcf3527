"""How long a session may last, and how long it may be idle, where the settings set a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sojourn.errors import Code, Refusal
from sojourn.settings import GatewaySettings

from .relay import Relay

IDLE_SESSION_TIMEOUT = "57P05"
ADMIN_SHUTDOWN = "57P01"


@contextmanager
def limits(settings: GatewaySettings, relay: Relay) -> Iterator[None]:
    """End the session at its limits, while the context lasts. A statement that runs is not idle."""
    loop = asyncio.get_running_loop()
    timers: dict[str, asyncio.TimerHandle] = {}
    idle_max, life_max = settings.idle_seconds, settings.session_seconds

    def look() -> None:
        left = idle_max - (loop.time() - relay.active_at)
        if relay.busy or left > 0:
            timers["idle"] = loop.call_later(idle_max if relay.busy else left, look)
        else:
            relay.expel(Refusal(Code.GATEWAY_SESSION_IDLE, {"seconds": str(idle_max)}), IDLE_SESSION_TIMEOUT)

    def too_long() -> None:
        relay.expel(Refusal(Code.GATEWAY_SESSION_TOO_LONG, {"seconds": str(life_max)}), ADMIN_SHUTDOWN)

    if idle_max:
        timers["idle"] = loop.call_later(idle_max, look)
    if life_max:
        timers["life"] = loop.call_later(life_max, too_long)
    try:
        yield
    finally:
        for timer in timers.values():
            timer.cancel()
