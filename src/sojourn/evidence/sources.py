"""Evidence from a running installation: the ledger's client and the read models as the sources of a pack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sojourn.domain.identifiers import GrantId, SessionId
from sojourn.domain.sealed import SealedMatter, SealingKey
from sojourn.projections import queries
from sojourn.projections.projector import Projections
from sojourn.projections.sealing import key_uses
from sojourn.scribe.client import ScribeClient, read_entry

from .material import OpenedValue, Sources, gather
from .pack import build_pack


async def pack_of(
    name: str,
    *,
    ledger: ScribeClient,
    projections: Projections,
    open_sealed: Callable[[SealedMatter, SealingKey], OpenedValue],
    cosigned: Callable[[], str],
    build: str,
    confined: bool,
) -> bytes:
    """The evidence pack (ZIP) of the access event of a grant or a request; see `build_pack` for `confined`.

    Raises SojournError `grant.unknown` or `request.unknown`, or the ledger's.
    """

    async def sessions(name: GrantId) -> Sequence[SessionId]:
        with projections.reading() as connection:
            return [SessionId(session) for session in queries.session_ids(connection, name)]

    async def attempts(subjects: Sequence[str]) -> Sequence[int]:
        with projections.reading() as connection:
            return queries.attempt_places(connection, subjects)

    async def tombstones(keys: Sequence[str]) -> Sequence[int]:
        with projections.reading() as connection:
            known = key_uses(connection, keys).values()
        return sorted({use.tombstone for use in known if use.tombstone is not None})

    sources = Sources(
        ledger=ledger,
        read_entry=read_entry,
        open_sealed=open_sealed,
        sessions=sessions,
        attempts=attempts,
        tombstones=tombstones,
        cosigned=cosigned,
        build=build,
    )
    material = await gather(sources, name)
    # Telling, hashing and compressing a long access takes seconds of pure work; the loop has others to serve.
    return await asyncio.to_thread(build_pack, material, confined=confined)
