"""The two sides of a relay, as the loop sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sojourn.gateway.signal import Signal


class Side(asyncio.Protocol):
    """One side of a relay; `gone` is set when its connection is.

    `hold` is told to stop, and to go on, reading from the other side while this one does not take what is written.
    """

    def __init__(
        self, received: Callable[[bytes], None], lost: Callable[[], None], hold: Callable[[bool], None]
    ) -> None:
        # In place of a method that would only pass it on: this is called for every piece of every stream.
        self.data_received = received  # type: ignore[assignment]  # asked of the instance, by asyncio and uvloop
        self._lost = lost
        self.gone = Signal()
        self.hold = hold

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        self._lost()

    def pause_writing(self) -> None:
        self.hold(True)

    def resume_writing(self) -> None:
        self.hold(False)


def hold(side: asyncio.Transport | None, reasons: set[str], reason: str, wait: bool) -> None:
    """Stop reading a side for this reason, or no longer; it is read while there is none."""
    before = bool(reasons)
    (reasons.add if wait else reasons.discard)(reason)
    if side is None or side.is_closing() or before == bool(reasons):
        return
    side.resume_reading() if before else side.pause_reading()
