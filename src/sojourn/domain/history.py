"""What the domain and the ledger say to each other: changes to be recorded, and what is on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .events import Event
from .identifiers import StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An event to be recorded in a stream.

    `seen` is the stream's version that the decision was made on (0 for a stream that must be new); the writer
    refuses the whole append if the stream has moved on. None appends at whatever version the stream has.
    """

    stream: StreamName
    event: Event
    seen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A stream that the decision relied on without writing to it; the append is refused if it has moved on."""

    stream: StreamName
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event on record: `seq` is its place in the ledger, `version` (from 1) its place in its stream."""

    seq: int
    at: datetime
    stream: StreamName
    version: int
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof of a durable append: its first place in the ledger, the ledger's size after it, and its time."""

    first: int
    size: int
    at: datetime
