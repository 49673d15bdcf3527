"""What all channels of one session share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sojourn.domain.ssh import HostAccess
from sojourn.errors import SojournError
from sojourn.gateway.entries import Intention, Result
from sojourn.workflow.ports import Clock

from .intents import Intents
from .tape import Desk
from .upstream import Upstreams

Terminal = tuple[str, tuple[int, int, int, int], Mapping[int, int]]
"""Its name, its columns and rows (and pixels), and its modes."""


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
