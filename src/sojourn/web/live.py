"""Who watches a session while it lasts, and how they are told what happens in it.

- What happened is encoded once for everybody who watches the same, and at most a few times a second.
- Whoever cannot keep up is let go of, and comes back to where things stand.
- A viewer whose sign-in was taken back is let go of in the same turn in which that is on record; a change of people or
  of the configuration makes every viewer ask anew whether they still may watch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from sojourn.domain.events import ActionCompleted, ActionIntended, ChunkRecorded, SessionClosed, TokenRevoked
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import CONFIGURATION, STANDING

PACE_SECONDS = 0.25
WAITING_MAX = 64
"""Messages that wait for one viewer."""

HAPPENED_MAX = 2_000
"""Events of one session that are told at once; more, and viewers are told to look anew."""

WATCHERS_MAX = 1_000

FOLLOWERS_MAX = 100
"""Who follows the whole ledger: each reads every entry."""

GROWN = b": grown\n\n"

Message = bytes


class Teller(Protocol):
    """Makes of what happened in a session what its viewers are sent; called by one task, in the order of the record."""

    async def tell(self, happened: Sequence[Recorded]) -> Sequence[Message]:
        """The messages, encoded once for all viewers."""
        ...


@dataclass(slots=True, eq=False)
class Watcher:
    """One viewer. `waiting` holds what is to be sent, None at its end; `doubted` is set when they have to ask anew.

    `gone` says that they were let go of.
    """

    token: str
    waiting: asyncio.Queue[Message | None] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX + 1))
    doubted: bool = False
    gone: bool = False

    def tell(self, message: Message) -> None:
        """Send this; a viewer who is too slow is let go of."""
        if self.waiting.qsize() >= WAITING_MAX:
            self.let_go()
        else:
            self.waiting.put_nowait(message)

    def let_go(self) -> None:
        """End it, whatever waits."""
        self.gone = True
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


@dataclass(slots=True, eq=False)
class Channel:
    """What is watched in one way by any number of viewers."""

    teller: Teller
    watchers: set[Watcher] = field(default_factory=set)
    happened: list[Recorded] = field(default_factory=list)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Tell viewers what happened, for ever."""
        while True:
            await self.stirred.wait()
            self.stirred.clear()
            happened, self.happened = self.happened, []
            for message in await self.teller.tell(happened):
                for watcher in tuple(self.watchers):
                    watcher.tell(message)
            await asyncio.sleep(PACE_SECONDS)


@dataclass(slots=True)
class Live:
    """All channels of this process, by session and what is watched of it."""

    _channels: dict[str, dict[object, Channel]] = field(default_factory=dict)
    _watchers: set[Watcher] = field(default_factory=set)
    _followers: set[Watcher] = field(default_factory=set)

    def take(self, batch: Sequence[Recorded]) -> None:
        """These entries are on record, and folded."""
        for recorded in batch:
            room, _, name = recorded.stream.partition("/")
            if room == "session":
                for channel in self._channels.get(name, {}).values():
                    _happen(channel, recorded)
            elif isinstance(recorded.event, TokenRevoked):
                for watcher in self._watchers:
                    if watcher.token == recorded.event.token:
                        watcher.let_go()
            elif recorded.stream in (STANDING, CONFIGURATION):
                for watcher in self._watchers:
                    watcher.doubted = True
                    watcher.tell(b": ask anew\n\n")
        for follower in self._followers:
            if follower.waiting.empty():
                follower.tell(GROWN)

    @property
    def full(self) -> bool:
        """Whether there are as many viewers as there may be."""
        return len(self._watchers) >= WATCHERS_MAX

    @property
    def crowded(self) -> bool:
        """Whether as many follow the ledger as may."""
        return self.full or len(self._followers) >= FOLLOWERS_MAX

    def follow(self, watcher: Watcher) -> None:
        """Wake this one whenever the ledger has grown; it reads what was added by itself."""
        self._followers.add(watcher)
        self._watchers.add(watcher)

    def unfollow(self, watcher: Watcher) -> None:
        """It has gone."""
        self._followers.discard(watcher)
        self._watchers.discard(watcher)

    def channel(self, session: str, what: object) -> Channel | None:
        """What is watched in this way, if anybody does."""
        return self._channels.get(session, {}).get(what)

    def watch(self, session: str, what: object, teller: Teller, watcher: Watcher) -> None:
        """Let a viewer in. Where nobody watched in this way, `teller` tells from here on."""
        kinds = self._channels.setdefault(session, {})
        channel = kinds.get(what)
        if channel is None:
            channel = kinds[what] = Channel(teller=teller)
            channel.task = asyncio.get_running_loop().create_task(channel.run())
        channel.watchers.add(watcher)
        self._watchers.add(watcher)

    def leave(self, session: str, what: object, watcher: Watcher) -> None:
        """A viewer has gone; a channel that nobody watches any more goes too."""
        self._watchers.discard(watcher)
        kinds = self._channels.get(session, {})
        channel = kinds.get(what)
        if channel is None:
            return
        channel.watchers.discard(watcher)
        if not channel.watchers:
            assert channel.task is not None
            channel.task.cancel()
            del kinds[what]
            if not kinds:
                del self._channels[session]


def _happen(channel: Channel, recorded: Recorded) -> None:
    if isinstance(recorded.event, ActionIntended | ActionCompleted | ChunkRecorded | SessionClosed):
        channel.happened.append(recorded)
        if len(channel.happened) > HAPPENED_MAX:
            for watcher in channel.watchers:
                watcher.let_go()
            channel.happened.clear()
        channel.stirred.set()


def message(kind: str, value: object) -> Message:
    """One message of a stream of server-sent events (HTML Living Standard, 9.2)."""
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"
