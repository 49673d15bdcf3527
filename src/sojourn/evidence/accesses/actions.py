"""The entries of actions, read only as far as the fold of access events looks at them.

Nearly all entries of a year are actions. Reading them whole takes longer than all else that a report does with them,
and the fold wants few of their fields; that they are what was recorded shows in their hashes, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import msgspec

from sojourn.domain.events import ActionCompleted, ActionIntended, Outcome
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import SessionId, StreamName


class Intended(msgspec.Struct, gc=False):
    """Of an `ActionIntended`."""

    session: SessionId
    number: int
    may_write: bool
    verb: str
    kind: ClassVar[str] = ActionIntended.kind


class Completed(msgspec.Struct, gc=False):
    """Of an `ActionCompleted`."""

    session: SessionId
    outcome: Outcome
    rows: int
    bytes_in: int
    bytes_out: int
    kind: ClassVar[str] = ActionCompleted.kind


class IntendedEntry(msgspec.Struct, gc=False, tag_field="kind", tag=ActionIntended.kind):
    """In the place of a `Recorded`."""

    seq: int
    at: datetime
    stream: StreamName
    version: int
    event: Intended = msgspec.field(name="body")


class CompletedEntry(msgspec.Struct, gc=False, tag_field="kind", tag=ActionCompleted.kind):
    """In the place of a `Recorded`."""

    seq: int
    at: datetime
    stream: StreamName
    version: int
    event: Completed = msgspec.field(name="body")


Taken = Recorded | IntendedEntry | CompletedEntry
"""What the fold takes."""

_decoder: msgspec.json.Decoder[IntendedEntry | CompletedEntry] = msgspec.json.Decoder(IntendedEntry | CompletedEntry)


def reader(read_entry: Callable[[bytes], Recorded]) -> Callable[[bytes], Taken]:
    """Reads actions as far as they are needed, and everything else with `read_entry`, which says what is no entry."""

    def read(data: bytes) -> Taken:
        try:
            return _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Another kind, or no entry at all.
            return read_entry(data)

    return read
