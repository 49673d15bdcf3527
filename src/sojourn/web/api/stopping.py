"""Ending one session while its access goes on."""

from __future__ import annotations

import asyncio

from sojourn.domain.identifiers import SessionId
from sojourn.errors import Code, SojournError
from sojourn.projections import queries
from sojourn.projections.queries import SessionRow
from sojourn.web.exchange import Exchange
from sojourn.workflow.stop import stop

from . import bodies, shapes
from .access import POLL_SECONDS, WAIT_SECONDS, visible
from .record import show_session


async def session(exchange: Exchange) -> shapes.SessionShown:
    """POST /sessions/{name}/stop: end one session, and wait until its end is on record; the access goes on."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    visible(exchange, caller, _row(exchange).grant)
    settled = await stop(
        exchange.services.office, session=SessionId(exchange.name), person=caller.id, source=exchange.source
    )
    if settled is not None:
        exchange.settled(settled)
    for _ in range(int(WAIT_SECONDS / POLL_SECONDS)):
        row = _row(exchange)
        if row.closed_at is not None:
            break
        await asyncio.sleep(POLL_SECONDS)
    return show_session(row)


def _row(exchange: Exchange) -> SessionRow:
    with exchange.services.projections.reading() as connection:
        row = queries.session(connection, exchange.name)
    if row is None:
        raise SojournError(Code.SESSION_UNKNOWN, session=exchange.name[:100])
    return row
