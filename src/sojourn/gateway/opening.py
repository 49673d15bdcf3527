"""How a session begins and ends on record, whatever its protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sojourn.domain.events import CloseCause, SessionOpened
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change, Guard
from sojourn.domain.identifiers import grant_stream, session_stream
from sojourn.errors import Code, SojournError

from .gate import Gate
from .recorder import SessionRecorder

STALE_TRIES_MAX = 10
CLOSE_RECORD_SECONDS = 3.0


async def record_opening(
    gate: Gate, grant: Grant, *, opened: Callable[[Grant], SessionOpened], again: Callable[[Grant], Grant]
) -> Grant:
    """Put the session on record under the grant as it is now; gives that.

    If the grant has changed, `again` decides anew. Raises SojournError, and what `again` raises.
    """
    for tried in range(STALE_TRIES_MAX):
        event = opened(grant)
        gate.sessions.setdefault(event.session, gate.live.following)
        guard = Guard(stream=grant_stream(grant.id), seen=gate.live.version(grant.id))
        change = Change(stream=session_stream(event.session), event=event, seen=0)
        try:
            await gate.ledger.append([change], guards=[guard])
        except SojournError as error:
            if error.code is not Code.RECORD_STALE or tried + 1 == STALE_TRIES_MAX:
                raise
            # The grant has changed under us: see what it is now, and decide again.
            await gate.live.catch_up()
            gate.sessions.pop(event.session, None)
            grant = again(grant)
        else:
            return grant
    raise AssertionError("the last try returns or raises")


async def record_end(
    gate: Gate, recorder: SessionRecorder, cause: CloseCause, *, bytes_in: int, bytes_out: int, lag: int | None
) -> None:
    """Put the end of the session on record; when the gateway stops, within a few seconds or at the next start."""
    closing = recorder.close(cause, bytes_in=bytes_in, bytes_out=bytes_out, cut_lag_us=lag)
    if cause is not CloseCause.GATEWAY_STOPPED:
        await closing
        gate.sessions.pop(recorder.session, None)
        return
    try:
        async with asyncio.timeout(CLOSE_RECORD_SECONDS):
            await closing
    except TimeoutError:
        return
