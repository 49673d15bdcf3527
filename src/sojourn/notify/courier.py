"""The courier: follows the ledger and tells, each notice at least once over each channel.

- It goes on where it stopped: at the oldest entry of which a notice has not got there, or been given up. So a crash
  repeats notices and loses none. At its very first start it begins at the ledger's end.
- What does not get there is tried again, later each time; given up, it is on record (`notice.failed`).
- It holds up nobody: decisions and accesses never wait for it, and what it holds is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import NoticeFailed
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import NOTICES
from sojourn.errors import SojournError
from sojourn.workflow.deciding import shown
from sojourn.workflow.ports import Ledger

from .channels import Channel, DeliveryError
from .notices import PREFIXES, Notice, notice_of

TRIES_MAX = 8
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 2.0, 300.0
UNDERWAY_MAX = 500
RECORD_SECONDS = 1.0

log = structlog.get_logger("notify")


class Place(Protocol):
    """Where the courier keeps how far it is."""

    def read(self) -> int | None:
        """The place of the next entry; None at the very first start."""
        ...

    def write(self, place: int) -> None:
        """Keep it. Raises OSError."""
        ...


class Follow(Protocol):
    """How the ledger is read: see `scribe.client.ScribeClient.follow`."""

    def __call__(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """All entries of such streams from a place on, for ever."""
        ...


@dataclass(slots=True)
class Courier:
    """One installation's courier. `size` counts the ledger's entries; `pause` is the first wait between two tries."""

    ledger: Ledger
    follow: Follow
    size: Callable[[], Awaitable[int]]
    in_force: Callable[[], Adopted]
    channels: Sequence[Channel]
    place: Place
    pause: float = PAUSE_SECONDS
    _following: int = 0
    _underway: dict[tuple[int, str], None] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNDERWAY_MAX))

    async def run(self) -> None:
        """Tell for ever; until cancelled. Raises SojournError from the ledger."""
        start = self.place.read()
        self._following = await self.size() if start is None else start
        self._keep()
        async with asyncio.TaskGroup() as tasks:
            async for batch in self.follow(self._following, PREFIXES):
                for recorded in batch:
                    notice = notice_of(recorded, self.in_force())
                    for channel in self.channels if notice is not None and notice.people else ():
                        assert notice is not None
                        await self._room.acquire()
                        self._underway[notice.entry, channel.name] = None
                        tasks.create_task(self._tell(notice, channel))
                self._following = batch[-1].seq + 1
                self._keep()

    async def _tell(self, notice: Notice, channel: Channel) -> None:
        problem, pause = "", self.pause
        for attempt in range(1, TRIES_MAX + 1):
            try:
                await channel.send(notice)
                break
            except DeliveryError as error:
                problem = str(error)
                if error.final or attempt == TRIES_MAX:
                    await self._give_up(notice, channel, attempt, problem)
                    break
            except Exception as error:  # the top of a delivery: a fault in one must not end the others
                log.exception("a notice failed", channel=channel.name, entry=notice.entry)
                await self._give_up(notice, channel, attempt, f"{type(error).__name__} in the channel")
                break
            await asyncio.sleep(pause)
            pause = min(PAUSE_SECONDS_MAX, pause * 2)
        del self._underway[notice.entry, channel.name]
        self._room.release()
        self._keep()

    async def _give_up(self, notice: Notice, channel: Channel, attempts: int, problem: str) -> None:
        """Put it on record that somebody was not told; waits for the record."""
        event = NoticeFailed(
            entry=notice.entry,
            about=notice.kind,
            channel=channel.name,
            people=notice.people,
            attempts=attempts,
            problem=shown(problem),
        )
        while True:
            try:
                await self.ledger.append((Change(stream=NOTICES, event=event, seen=None),))
            except SojournError:
                await asyncio.sleep(RECORD_SECONDS)
            else:
                return

    def _keep(self) -> None:
        place = min((entry for entry, _ in self._underway), default=self._following)
        try:
            self.place.write(min(place, self._following))
        except OSError as error:
            log.warning("the courier's place is not kept", text=str(error))
