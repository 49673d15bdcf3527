"""Evidence from a running installation: the ledger's client and the read models as the sources of a pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sojourn.domain.identifiers import GrantId, SessionId
from sojourn.domain.sealed import SealedMatter, SealingKey
from sojourn.projections import queries
from sojourn.projections.projector import Projections
from sojourn.scribe.client import ScribeClient, read_entry

from .material import OpenedValue, Sources, gather
from .pack import build_pack


async def pack_of(
    grant: str,
    *,
    ledger: ScribeClient,
    projections: Projections,
    open_sealed: Callable[[SealedMatter, SealingKey], OpenedValue],
) -> bytes:
    """The evidence pack (ZIP) of one grant. Raises SojournError `grant.unknown`, or the ledger's."""

    async def sessions(name: GrantId) -> Sequence[SessionId]:
        with projections.reading() as connection:
            return [SessionId(row.id) for row in queries.sessions(connection, grant=name)]

    async def attempts(subjects: Sequence[str]) -> Sequence[int]:
        with projections.reading() as connection:
            return [row.seq for row in queries.attempts(connection, subjects=subjects)]

    sources = Sources(
        ledger=ledger, read_entry=read_entry, open_sealed=open_sealed, sessions=sessions, attempts=attempts
    )
    return build_pack(await gather(sources, GrantId(grant)))
