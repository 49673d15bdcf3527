"""Recordings of terminals and commands, opened for those who may read a session."""

from __future__ import annotations

from sojourn.domain import cast
from sojourn.domain.events import ActionIntended, ChunkRecorded, SessionClosed
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.errors import Code, SojournError
from sojourn.web.exchange import PLACE_DIGITS_MAX, Exchange

from . import ssh_shapes
from .record import visible_session

PARTS_MAX = 50


async def read(exchange: Exchange) -> ssh_shapes.RecordingShown:
    """GET /sessions/{name}/recording?action=N&after=PART: the next parts of one recording; the first one by default."""
    services, row = exchange.services, visible_session(exchange, await exchange.caller())
    events = [one.event for one in await services.office.ledger.stream(session_stream(SessionId(row.id)))]
    chunks = [event for event in events if isinstance(event, ChunkRecorded)]
    numbers = tuple(dict.fromkeys(chunk.number for chunk in chunks))
    number = _number(exchange, "action") or (numbers[0] if numbers else 0)
    after = _number(exchange, "after")
    wanted = [chunk for chunk in chunks if chunk.number == number and chunk.part > after]
    parts = []
    for chunk in wanted[:PARTS_MAX]:
        held = await services.matter([chunk.content.commitment])
        try:
            lines = cast.unpack(services.open_value(*held[0])) if held else ()
        except (SojournError, ValueError):
            # Destroyed by key: what is left is that it was there.
            lines = ()
        parts.append(ssh_shapes.PartShown(part=chunk.part, size=chunk.size, readable=bool(lines), lines=lines))
    return ssh_shapes.RecordingShown(
        session=row.id,
        action=number,
        recorded=numbers,
        verb=next((one.verb for one in events if isinstance(one, ActionIntended) and one.number == number), ""),
        parts=tuple(parts),
        more=len(wanted) > PARTS_MAX,
        closed=any(isinstance(event, SessionClosed) for event in events),
    )


def _number(exchange: Exchange, name: str) -> int:
    text = exchange.query(name) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= PLACE_DIGITS_MAX):
        raise SojournError(Code.INPUT_INVALID, problem=f"`{name}` is not a number", expected="a number")
    return int(text)
