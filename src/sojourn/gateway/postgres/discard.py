"""After a refusal the client's messages are discarded up to its Sync, as a server does after an error (54.2.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from . import backend
from .backend import Status
from .wire import Frame

_SYNC = ord("S")


@dataclass(slots=True)
class Discarding:
    """Whether messages are discarded just now, and what the client is told for them."""

    active: bool = False

    def refuse(self, frames: Iterable[Frame], error: bytes, status: Status) -> bytes:
        """What a client is told whose messages do not go on: `error`, and ReadyForQuery where it waits for it."""
        reply = bytearray()
        for frame in frames:
            kind = chr(frame.kind)
            if kind == "S":
                reply += backend.ready_for_query(status)
                self.active = False
            elif kind in "QF" and not self.active:
                reply += error + backend.ready_for_query(status)
            elif kind in "PBEDC" and not self.active:
                reply += error
                self.active = True
        return bytes(reply)

    def discard(self, frames: deque[Frame], status: Status) -> bytes:
        """Take away what is to be discarded, up to Sync; gives the answer to that."""
        while self.active and frames:
            if frames.popleft().kind == _SYNC:
                self.active = False
                return backend.ready_for_query(status)
        return b""
