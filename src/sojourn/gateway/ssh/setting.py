"""What all channels of one session share, and how what passes through them is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sojourn.domain.ssh import HostAccess
from sojourn.errors import SojournError
from sojourn.gateway.entries import Intention, Result
from sojourn.workflow.ports import Clock

from .intents import Intents
from .tape import Desk
from .upstream import Upstreams


class Keeper(Protocol):
    """What keeps the content of a channel: everything passes through it, and goes on when it says so."""

    @property
    def holding(self) -> bool:
        """Whether output waits."""
        ...

    def input(self, data: bytes) -> None:
        """The client has sent this."""
        ...

    def output(self, data: bytes, datatype: int | None) -> None:
        """The host has said this."""
        ...

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size."""
        ...

    def mark(self, text: str) -> None:
        """Something of our own is said to the person."""
        ...

    async def finish(self, how: str) -> None:
        """Nothing more comes; returns when all is on record, or cannot be."""
        ...


class Startable(Protocol):
    """Something that the session runs in a task of its own until it is over."""

    async def run(self, setting: Setting, /) -> None:
        """Its whole life."""
        ...

    def say(self, text: str) -> None:
        """Tell the person something."""
        ...

    def cut(self, text: str) -> None:
        """End it now, and say why."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all channels of a session share. `note` records what was refused; `moved` counts bytes.

    `screen` gives what the client has asked for windows of this channel of its own, if the role allows that.
    """

    access: HostAccess
    upstreams: Upstreams
    intents: Intents
    desk: Desk
    clock: Clock
    marks: Mapping[str, str]
    note: Callable[[Intention, Result], None]
    complete: Callable[[int, Result], None]
    moved: Callable[[int, int], None]
    fail: Callable[[SojournError], None]
    start: Callable[[Startable], None]
    screen: Callable[[object], object | None]


@dataclass(slots=True, eq=False)
class Flow:
    """One direction of one stream: how many bytes, and their hash."""

    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def take(self, data: bytes) -> None:
        """Count it."""
        self.size += len(data)
        self.digest.update(data)

    def __str__(self) -> str:
        """As it stands in an outcome."""
        return f"{self.size} bytes sha256 {self.digest.hexdigest()}"
