"""Where a gateway's reading of the record begins after a restart: before everything that may still matter to it.

A mark only says what need not be read, never what is so. One that is too early costs time; one that is too late, or
stands in another ledger than it was made in, lets nobody in: what was not read is not known, and opens nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from sojourn.errors import SojournError

from .gate import Gate
from .live import GatewayLedger

SECONDS = 30.0

log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`view` is where live grants, tokens and requests begin, `sessions` where the sessions of `node` that are open do.

    `at` is the time of the entry before the earlier of the two: a ledger that says another one is another ledger.
    """

    node: str
    view: int
    sessions: int
    at: datetime


class MarkPlace(Protocol):
    """Where the mark is kept between two runs."""

    def read(self) -> Mark | None:
        """The last mark, or None if there is none that can be read."""
        ...

    def write(self, mark: Mark) -> None:
        """Keep this one. Raises OSError."""
        ...


class NoMark:
    """Keeps nothing: the record is read from its beginning."""

    def read(self) -> Mark | None:
        """There is none."""
        return None

    def write(self, mark: Mark) -> None:
        """Forget it."""


async def fitting(ledger: GatewayLedger, mark: Mark | None, *, node: str) -> Mark | None:
    """The mark if it was made by this node in this very ledger, else None. Raises SojournError from the ledger."""
    if mark is None or mark.node != node or min(mark.view, mark.sessions) < 1:
        return None
    before = await ledger.read(min(mark.view, mark.sessions) - 1, 1)
    return mark if before and before[0].at == mark.at else None


async def keep_marks(gate: Gate, place: MarkPlace, seconds: float = SECONDS) -> None:
    """Tidy the view and keep its mark, every so often until cancelled."""
    last = (0, 0)
    while True:
        await asyncio.sleep(seconds)
        gate.live.tidy(gate.clock.now())
        view = gate.live.begins
        sessions = min(gate.sessions.values(), default=gate.live.following)
        if (view, sessions) == last or not min(view, sessions):
            continue
        last = (view, sessions)
        try:
            before = await gate.ledger.read(min(view, sessions) - 1, 1)
            place.write(Mark(node=gate.node, view=view, sessions=sessions, at=before[0].at))
        except (SojournError, OSError) as error:
            log.warning("the mark is not kept", text=str(error))
