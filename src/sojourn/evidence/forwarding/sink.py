"""Where events go: what a forwarder asks of a destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class SinkError(Exception):
    """The destination did not take it, in a sentence without its full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event: the place of its entry, its time, its OCSF severity (1 to 6), its kind, and its JSON."""

    place: int
    at: datetime
    severity: int
    kind: str
    body: bytes


class Sink(Protocol):
    """A destination."""

    @property
    def name(self) -> str:
        """Its name in the settings and on record."""
        ...

    async def send(self, messages: Sequence[Message]) -> None:
        """Have these taken, in order. When it returns, the destination has them. Raises SinkError."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
