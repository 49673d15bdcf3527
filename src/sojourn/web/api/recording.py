"""Recordings of terminals and commands, opened for those who may read a session; each viewing is on record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from starlette.responses import Response, StreamingResponse

from sojourn.domain import cast
from sojourn.domain.curtain import Curtain
from sojourn.errors import Code, SojournError
from sojourn.projections import timeline
from sojourn.projections.timeline import ChunkRow
from sojourn.web.exchange import PLACE_DIGITS_MAX, Exchange
from sojourn.web.services import Services

from . import ssh_shapes
from .answering import HEADERS
from .opening import opener, view

PARTS_MAX = 50
LINES = "application/x-ndjson"


async def read(exchange: Exchange) -> ssh_shapes.RecordingShown:
    """GET /sessions/{name}/recording?action=N&after=PART: the next parts of one recording; the first one by default."""
    services = exchange.services
    caller, row = await opener(exchange)
    with services.projections.reading() as connection:
        numbers = timeline.recorded(connection, row.id)
        number = number_in(exchange, "action") or (numbers[0] if numbers else 0)
        action = timeline.action(connection, row.id, number)
        wanted = timeline.chunks(connection, row.id, number, after=number_in(exchange, "after"), limit=PARTS_MAX + 1)
    await view(exchange, caller, row, number)
    parts = []
    for chunk in wanted[:PARTS_MAX]:
        lines = await opened(services, chunk)
        parts.append(ssh_shapes.PartShown(part=chunk.part, size=chunk.size, readable=bool(lines), lines=lines))
    return ssh_shapes.RecordingShown(
        session=row.id,
        action=number,
        recorded=numbers,
        verb="" if action is None else action.verb,
        parts=tuple(parts),
        more=len(wanted) > PARTS_MAX,
        closed=row.closed_at is not None,
    )


async def opened(services: Services, chunk: ChunkRow) -> tuple[str, ...]:
    """The lines of a part; none if it was destroyed by key: what is left is that it was there."""
    held = await services.matter([chunk.content])
    try:
        return cast.unpack(services.open_value(*held[0])) if held else ()
    except (SojournError, ValueError):
        return ()


async def replay(exchange: Exchange) -> Response:
    """GET /sessions/{name}/replay?action=N: a recording for a player, a JSON array `[seconds, code, text]` a line.

    Seconds count from its beginning. Of what was shown, only what writes, colours and moves the cursor is left in.
    """
    caller, row = await opener(exchange)
    with exchange.services.projections.reading() as connection:
        numbers = timeline.recorded(connection, row.id)
    number = number_in(exchange, "action") or (numbers[0] if numbers else 0)
    if number not in numbers:
        raise SojournError(Code.RECORDING_NONE, session=row.id)
    await view(exchange, caller, row, number)
    return StreamingResponse(_played(exchange.services, row.id, number), 200, HEADERS, media_type=LINES)


async def _played(services: Services, session: str, number: int) -> AsyncIterator[bytes]:
    showing, after = Showing(), 0
    while True:
        with services.projections.reading() as connection:
            parts = timeline.chunks(connection, session, number, after=after, limit=PARTS_MAX)
        if not parts:
            return
        for chunk in parts:
            yield b"".join(showing.part(chunk.part, await opened(services, chunk)))
        after = parts[-1].part


@dataclass(slots=True)
class Showing:
    """One showing of a recording from its beginning: its lines as a player gets them, behind the curtain."""

    _curtain: Curtain = field(default_factory=Curtain)
    _seconds: float = 0.0

    def part(self, part: int, lines: Sequence[str]) -> list[bytes]:
        """What a player gets of the next part; of one that was destroyed, that it was there."""
        if not lines:
            return [self._line("m", f"part {part} was destroyed by key")]
        told = [self._line("h", _size(line)) for line in lines if line.startswith("{")]
        for one in cast.moments(lines):
            self._seconds += max(0.0, one.interval)
            text = cast.shown(one.text)
            if one.code in "oe":
                # Output and errors go to one screen, in the order in which they came.
                text = self._curtain.shown(text)
            told.append(self._line("o" if one.code == "e" else one.code, text))
        return told

    def _line(self, code: str, text: str) -> bytes:
        return json.dumps([round(self._seconds, 3), code, text]).encode() + b"\n"


def _size(header: str) -> str:
    """The size of the terminal in a recording's first line, as `80x24`; that of an old terminal if it says none."""
    try:
        term = json.loads(header).get("term", {})
        return f"{int(term['cols'])}x{int(term['rows'])}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "80x24"


def number_in(exchange: Exchange, name: str) -> int:
    """A number in the query, 0 where there is none. Raises SojournError `input.invalid`."""
    text = exchange.query(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= PLACE_DIGITS_MAX):
        raise SojournError(Code.INPUT_INVALID, problem=f"`{name}` is not a number", expected="a number")
    return int(text)
