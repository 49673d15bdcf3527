"""What all channels of one session share, and how what passes through them is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sojourn.domain.ssh import HostAccess
from sojourn.gateway.entries import Intention, Result

from .intents import Intents
from .upstream import Upstreams


class Startable(Protocol):
    """Something that the session runs in a task of its own until it is over."""

    async def run(self, setting: Setting) -> None:
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
    """What all channels of a session share. `note` records what was refused; `moved` counts bytes."""

    access: HostAccess
    upstreams: Upstreams
    intents: Intents
    marks: Mapping[str, str]
    note: Callable[[Intention, Result], None]
    complete: Callable[[int, Result], None]
    moved: Callable[[int, int], None]
    start: Callable[[Startable], None]


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
