"""Intents of many channels, one append at a time: what waits during one append goes with the next."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sojourn.errors import SojournError
from sojourn.gateway.entries import Intention
from sojourn.gateway.recorder import SessionRecorder

INTENTS_PER_APPEND_MAX = 500


@dataclass(slots=True)
class Intents:
    """The queue before one session's recorder. Bounded by what its channels may have under way."""

    recorder: SessionRecorder
    _waiting: list[tuple[Intention, asyncio.Future[int]]] = field(default_factory=list)
    _under_way: bool = False

    async def record(self, intention: Intention) -> int:
        """Wait until the intent is durable; gives its number. Raises SojournError: then it must not go on."""
        return await self.queue(intention)

    def queue(self, intention: Intention) -> asyncio.Future[int]:
        """As `record`, for a caller that waits elsewhere. Queued in this order, recorded in this order."""
        number: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((intention, number))
        self._go_on()
        return number

    def _go_on(self) -> None:
        if self._under_way or not self._waiting:
            return
        self._under_way = True
        batch, self._waiting = self._waiting[:INTENTS_PER_APPEND_MAX], self._waiting[INTENTS_PER_APPEND_MAX:]

        def recorded(outcome: tuple[int, ...] | SojournError) -> None:
            self._under_way = False
            for place, (_, future) in enumerate(batch):
                if future.done():
                    continue
                if isinstance(outcome, SojournError):
                    future.set_exception(outcome)
                    # Whoever waited for it may be gone; then nobody misses it.
                    future.exception()
                else:
                    future.set_result(outcome[place])
            self._go_on()

        self.recorder.intend([intention for intention, _ in batch], recorded)
