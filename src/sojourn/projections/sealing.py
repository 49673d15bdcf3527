"""Which sealing keys the entries name: how many values each has sealed, when, and which tombstone destroyed it.

Counted over a batch first, because thousands of values share a key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from sojourn.domain.events import KINDS, Event, KeysDestroyed, RequestRevised
from sojourn.domain.history import Recorded
from sojourn.domain.sealed import Sealed

from .moments import text
from .tables import sealing_key

ASKED_AT_ONCE = 500
"""Below SQLite's bound on the values of one statement."""


@dataclasses.dataclass(slots=True)
class _Use:
    """What one batch says about a key."""

    values: int
    first_at: datetime
    last_at: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeyUseRow:
    """A sealing key that entries name. `tombstone` is the place of the entry that destroyed it."""

    key: str
    values: int
    first_at: str | None
    last_at: str | None
    tombstone: int | None


_SEALED = {
    kind: tuple(one.name for one in dataclasses.fields(kind) if "Sealed" in str(one.type)) for kind in KINDS.values()
}
"""The fields of each kind of event that may hold a sealed value."""


_BARE = frozenset(kind for kind, names in _SEALED.items() if not names) - {RequestRevised, KeysDestroyed}
"""Kinds of events that hold nothing sealed: most entries need no second look."""


def sealed_in(event: Event) -> Iterator[Sealed]:
    """Every sealed value of an event."""
    for name in _SEALED[type(event)]:
        value = getattr(event, name)
        if isinstance(value, Sealed):
            yield value
    if isinstance(event, RequestRevised):
        yield from sealed_in(event.content)


def fold_keys(connection: Connection, batch: Sequence[Recorded]) -> None:
    """Fold what a batch says about sealing keys into their table."""
    uses: dict[str, _Use] = {}
    destroyed: list[tuple[KeysDestroyed, int]] = []
    for recorded in batch:
        event, at = recorded.event, recorded.at
        if type(event) in _BARE:
            continue
        for sealed in sealed_in(event):
            use = uses.get(sealed.key)
            if use is None:
                uses[sealed.key] = use = _Use(0, at, at)
            use.values += 1
            # The times of entries never go backwards, but those of a record that was tampered with may.
            if at > use.last_at:
                use.last_at = at
            elif at < use.first_at:
                use.first_at = at
        if isinstance(event, KeysDestroyed):
            destroyed.append((event, recorded.seq))
    if uses:
        _add(connection, uses)
    for tombstone, seq in destroyed:
        _mark(connection, tombstone.keys, seq)


def _add(connection: Connection, uses: dict[str, _Use]) -> None:
    rows = [
        {"key": key, "values": use.values, "first_at": text(use.first_at), "last_at": text(use.last_at)}
        for key, use in uses.items()
    ]
    fresh = insert(sealing_key)
    known = sealing_key.c
    statement = fresh.on_conflict_do_update(
        index_elements=[known.key],
        set_={
            "values": known["values"] + fresh.excluded["values"],
            "first_at": func.min(func.coalesce(known.first_at, fresh.excluded.first_at), fresh.excluded.first_at),
            "last_at": func.max(func.coalesce(known.last_at, fresh.excluded.last_at), fresh.excluded.last_at),
        },
    )
    connection.execute(statement, rows)


def _mark(connection: Connection, keys: Iterable[str], seq: int) -> None:
    fresh = insert(sealing_key)
    statement = fresh.on_conflict_do_update(
        index_elements=[sealing_key.c.key], set_={"tombstone": fresh.excluded.tombstone}
    )
    rows = [{"key": key, "values": 0, "tombstone": seq} for key in keys]
    if rows:
        connection.execute(statement, rows)


def key_uses(connection: Connection, keys: Sequence[str]) -> dict[str, KeyUseRow]:
    """What is known about these keys; those that no entry names are left out."""
    found: dict[str, KeyUseRow] = {}
    for start in range(0, len(keys), ASKED_AT_ONCE):
        part = keys[start : start + ASKED_AT_ONCE]
        for row in connection.execute(select(sealing_key).where(sealing_key.c.key.in_(part))):
            found[row.key] = KeyUseRow(**row._mapping)
    return found
