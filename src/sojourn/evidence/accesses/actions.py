"""The entries of actions, read only as far as the fold of access events looks at them.

Nearly all entries of a year are actions. Reading them whole takes longer than all else that a report does with them,
and the fold wants few of their fields; that they are what was recorded shows in their hashes, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from sojourn.domain.events import ActionCompleted, ActionIntended, Outcome
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import SessionId


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


class IntendedEntry(msgspec.Struct, gc=False):
    """In the place of a `Recorded`."""

    at: datetime
    event: Intended = msgspec.field(name="body")
    kind: Literal["action.intended"]
    seq: int


class CompletedEntry(msgspec.Struct, gc=False):
    """In the place of a `Recorded`."""

    at: datetime
    event: Completed = msgspec.field(name="body")
    kind: Literal["action.completed"]
    seq: int


Taken = Recorded | IntendedEntry | CompletedEntry
"""What the fold takes."""

# The kind stands behind the body, so a decoder of both would look for it first. The first letter of a body, whose keys
# are in order, only tells which of the two to try; whether it is one, the decoder says.
_LETTER = len('{"at":"2026-01-01T00:00:00.000000Z","body":{"')
_DETAIL = ord("d")
_intended = msgspec.json.Decoder(IntendedEntry).decode
_completed = msgspec.json.Decoder(CompletedEntry).decode


def reader(read_entry: Callable[[bytes], Recorded]) -> Callable[[bytes], Taken]:
    """Reads actions as far as they are needed, and everything else with `read_entry`, which says what is no entry."""

    def read(data: bytes) -> Taken:
        try:
            return _intended(data) if data[_LETTER] == _DETAIL else _completed(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
            # Another kind, or no entry at all.
            return read_entry(data)

    return read
