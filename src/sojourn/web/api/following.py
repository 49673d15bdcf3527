"""The ledger as it grows: server-sent events from any entry on, each once and in order, for those who oversee.

- A message is one entry, byte for byte as it lies in the ledger, under its place there: what was said is in it as a
  commitment alone, as everywhere in the ledger.
- Whoever comes back says which one they had last (`Last-Event-ID`), and goes on with the next.
- Before anything is sent, whoever follows still has to be allowed to; a sign-in that is taken back ends its streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.responses import Response, StreamingResponse

from sojourn.domain.people import Person
from sojourn.errors import Code, SojournError
from sojourn.web.exchange import PLACE_DIGITS_MAX, Exchange
from sojourn.web.live import PACE_SECONDS, Message, Watcher

from .answering import HEADERS
from .watching import HERE, HERE_SECONDS, SILENCE, Permission

ENTRIES_MAX = 200
"""Entries that are read and sent at once."""

RESUMED = "last-event-id"
TRIED_AGAIN = b"retry: 2000\n\n"
"""How long a browser waits before it comes back, in milliseconds."""

log = structlog.get_logger("web")


async def entries(exchange: Exchange) -> Response:
    """GET /ledger/events?first=N: the ledger from entry N on, as server-sent events, and then whatever is added.

    `entry` holds an entry as it lies in the ledger, and its `id` is its number; `here` says that there are no more yet.
    """
    await overseer(exchange)
    place, size = _first(exchange), await exchange.services.size()
    if place > size:
        # Whoever has seen more than there is follows another ledger, and would miss what comes.
        raise SojournError(Code.ENTRY_UNKNOWN, number=str(place), size=str(size))
    if exchange.services.live.crowded:
        raise SojournError(Code.SERVICE_BUSY, what="Following the ledger")
    headers = {**HEADERS, "x-accel-buffering": "no"}
    return StreamingResponse(_told(exchange, place), 200, headers, media_type="text/event-stream")


async def overseer(exchange: Exchange) -> Person:
    """The caller, who may see every entry. Raises SojournError `permission.denied`."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action="see entries", who="an administrator or an auditor"
        )
    return caller


async def _told(exchange: Exchange, place: int) -> AsyncIterator[Message]:
    services, watcher = exchange.services, Watcher(token=exchange.token.token)
    permission, here = Permission(exchange, watcher, overseer), False
    services.live.follow(watcher)
    try:
        yield TRIED_AGAIN
        while True:
            while place < services.projections.following:
                places = range(place, min(place + ENTRIES_MAX, services.projections.following))
                content = await services.entries(places)
                if not await permission.still():
                    return
                yield b"".join(map(_entry, places, content))
                place, here = places.stop, False
            if not here:
                here = True
                yield HERE
            try:
                async with asyncio.timeout(HERE_SECONDS):
                    await watcher.waiting.get()
            except TimeoutError:
                yield SILENCE
            if not await permission.still():
                return
            # Entries that come one by one are told a few times a second and no oftener.
            await asyncio.sleep(PACE_SECONDS)
    except SojournError as error:
        # The record is away: whoever follows comes back, and goes on where this ends.
        log.warning("a follower is let go of", code=error.code)
    finally:
        services.live.unfollow(watcher)


def _entry(number: int, content: bytes) -> Message:
    """Canonical JSON is one line, so it is one `data` line whatever it holds."""
    return b"id: %d\nevent: entry\ndata: %b\n\n" % (number, content)


def _first(exchange: Exchange) -> int:
    """The entry to begin with: the one after `Last-Event-ID`, or `first`, or the ledger's own.

    Raises SojournError `input.invalid`.
    """
    resumed = exchange.http.headers.get(RESUMED)
    given = exchange.query("first") or "0" if resumed is None else resumed
    if not (given.isascii() and given.isdecimal() and len(given) <= PLACE_DIGITS_MAX):
        problem = "`first` is no number" if resumed is None else "Last-Event-ID is no number"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="the place of an entry in the ledger, from 0")
    return int(given) + (resumed is not None)
