"""What is kept, wired: which keys still open, and processes that let go of keys when a tombstone names them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from sojourn.domain.events import KeysDestroyed
from sojourn.domain.identifiers import KEEPING, PersonId
from sojourn.domain.register import KeyUse
from sojourn.errors import SojournError
from sojourn.projections.projector import Projections
from sojourn.projections.sealing import key_uses
from sojourn.scribe.client import ScribeClient

RETRY_SECONDS = 0.5


class KeyHolder(Protocol):
    """Whatever keeps data keys in memory: a sealer or an opener."""

    def forget(self, keys: Collection[str]) -> None:
        """Let go of these keys."""
        ...


async def uses_of(ledger: ScribeClient, projections: Projections, person: PersonId | None) -> Sequence[KeyUse]:
    """The keys about somebody (about everybody, if None) that still open, with what they were used for.

    Waits until the read models show everything on record. Raises SojournError from the ledger.
    """
    await projections.wait_for(await ledger.size(), 10.0)
    held = [key for key in await ledger.keys(person or "") if not key.destroyed]
    mine = [key for key in held if person in (None, key.person)]
    with projections.reading() as connection:
        known = key_uses(connection, [key.key for key in mine])
    uses = []
    for key in mine:
        use = known.get(key.key)
        uses.append(
            KeyUse(
                key=key.key,
                person=PersonId(key.person),
                record_class=key.record_class,
                values=0 if use is None else use.values,
                first_at=None if use is None or use.first_at is None else datetime.fromisoformat(use.first_at),
                last_at=None if use is None or use.last_at is None else datetime.fromisoformat(use.last_at),
            )
        )
    return uses


async def forget_destroyed(ledger: ScribeClient, holders: Sequence[KeyHolder]) -> None:
    """Let every holder go of the keys that tombstones name from now on; runs until cancelled."""
    async for batch in ledger.follow(await _size(ledger), (KEEPING,)):
        for recorded in batch:
            if isinstance(recorded.event, KeysDestroyed):
                for holder in holders:
                    holder.forget(recorded.event.keys)


async def _size(ledger: ScribeClient) -> int:
    """The ledger's size, once the scribe is there: nothing was sealed before, so no tombstone is missed."""
    while True:
        try:
            return await ledger.size()
        except SojournError:
            await asyncio.sleep(RETRY_SECONDS)
