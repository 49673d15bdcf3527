"""Put on record when accesses stop to begin for want of a copy of the record, and when they begin again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sojourn.codes import RECORD_WAITS
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION
from sojourn.domain.publication import is_suspended, suspend_or_readmit
from sojourn.errors import SojournError

from .deciding import append_unless_stale
from .ports import Late, Office

LOOK_SECONDS = 5.0
TRIES_MAX = 20


async def watch_copies(
    office: Office, late: Late, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Look every few seconds, for ever. Several nodes may: of two that see the same change, one records it."""
    while True:
        try:
            await look_once(office, late)
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
        await sleep(LOOK_SECONDS)


async def look_once(office: Office, late: Late) -> None:
    """Record a change, if there is one. Raises what the ledger raises."""
    for tried in range(TRIES_MAX):
        entries = await office.ledger.stream(PUBLICATION)
        event = suspend_or_readmit(is_suspended(one.event for one in entries), await late())
        if event is None:
            return
        change = Change(stream=PUBLICATION, event=event, seen=len(entries))
        if await append_unless_stale(office, tried, (change,), (), None):
            return
