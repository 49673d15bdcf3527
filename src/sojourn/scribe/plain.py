"""A batch in which nothing is unusual is decided at once, column by column.

That is nearly every batch: appends without guards, keys or attachments, all of which fit, of canonical bodies, whose
sealed values are new and lie under keys that are on record. What is decided, and every byte of it, is what
`batch.accept` makes of the same appends one after the other. When anything is unusual nothing is decided here, and
`batch.accept` looks at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sojourn.ledger import entry as entries
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import leaf_hashes

from .batch import LOOKED_AT, Batch, OnRecord
from .codec import all_canonical
from .protocol import Append, Appended, Draft, Matter, all_hex

FEW = 8
"""Fewer entries than that are decided sooner one after the other."""


def accept_all(calls: Sequence[Append], batch: Batch, record: OnRecord) -> bool:
    """Add all appends and their answers to an empty batch, if they are many and plain; False leaves it as it was."""
    drafts: list[Draft] = []
    matter: list[Matter] = []
    ends = [batch.first]
    for call in calls:
        if call.guards or call.keys or call.attachments:
            return False
        drafts += call.drafts
        matter += call.matter
        ends.append(batch.first + len(drafts))
    if len(drafts) < FEW:
        return False
    sealed = _fresh(matter, batch, record) if matter else {}
    versions: dict[str, int] = {}
    numbers = _numbers(drafts, versions, record)
    kinds = [draft.kind for draft in drafts]
    bodies = [draft.body for draft in drafts]
    if sealed is None or numbers is None or not _canonical(kinds, bodies):
        return False
    places, streams = range(batch.first, ends[-1]), [draft.stream for draft in drafts]
    try:
        found = entries.assemble_all(batch.at, places, streams, numbers, kinds, bodies)
    except LedgerError:
        return False
    batch.rows += zip(places, streams, numbers, kinds, leaf_hashes(found), found, strict=True)
    batch.versions.update(versions)
    batch.matter.update(sealed)
    batch.answers += [
        Appended(call.id, first, end, batch.at) for call, (first, end) in zip(calls, pairwise(ends), strict=True)
    ]
    return True


def _numbers(drafts: Sequence[Draft], versions: dict[str, int], record: OnRecord) -> list[int] | None:
    """The version that each entry gets, once each stream is at the one that was seen; `versions` are those after it."""
    numbers: list[int] = []
    for draft in drafts:
        stream, seen = draft.stream, draft.seen
        version = versions.get(stream)
        if version is None:
            version = record.version(stream)
        if seen is not None and seen != version:
            return None
        versions[stream] = version = version + 1
        numbers.append(version)
    return numbers


def _fresh(matter: Sequence[Matter], batch: Batch, record: OnRecord) -> dict[str, Matter] | None:
    """The sealed values by commitment, if each is new and its key is on record."""
    sealed = {one.commitment: one for one in matter}
    if batch.taken or len(sealed) < len(matter) or not all_hex(sealed):
        return None
    if not all(record.knows_key(key) for key in {one.key for one in matter}):
        return None
    return sealed


def _canonical(kinds: Sequence[str], bodies: Sequence[bytes]) -> bool:
    """Whether every body is a canonical one of its kind, and no kind is one that is looked at by itself."""
    kept: dict[str, list[bytes]] = {}
    for kind, body in zip(kinds, bodies, strict=True):
        some = kept.get(kind)
        if some is None:
            kept[kind] = [body]
        else:
            some.append(body)
    return LOOKED_AT.isdisjoint(kept) and all(all_canonical(kind, some) for kind, some in kept.items())
