"""What somebody who owns the ledger's tables can do to them: every trigger dropped, every hash computed again.

The triggers are put back at the end, so that nothing but the record itself tells what happened. Functions that take a
path are for a ledger in a file; those that take tables are for any.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import Tree, leaf_hash
from sojourn.ledger.note import SigningKey
from sojourn.scribe.edges import Edges
from sojourn.scribe.rows import EntryRow, named, pack, unpack
from sojourn.scribe.sqlite_schema import SCHEMA
from sojourn.scribe.store import TileRow


class Connection(Protocol):
    """The tables, open to whoever owns them. Values stand as `?` in a query."""

    def execute(self, query: str, parameters: Sequence[object] = ..., /) -> Any:
        """Run a query; gives a cursor."""

    def executemany(self, query: str, parameters: Sequence[Sequence[object]], /) -> Any:
        """Run a query for each of the rows."""


class Tables(Protocol):
    """The tables of one ledger, and how their owner replaces what is in them."""

    def opened(self) -> AbstractContextManager[Connection]:
        """The tables without their triggers while the context lasts; all that is done is one transaction."""

    def replace(self, connection: Connection, rows: Sequence[EntryRow], tiles: Sequence[TileRow]) -> None:
        """Put other entries in the place of all, with the index that belongs to them."""


@dataclass(frozen=True, slots=True)
class FileTables:
    """Implements `Tables` for a ledger in a file."""

    path: Path

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """See `Tables.opened`."""
        triggers = {name: statement for name, statement in SCHEMA.items() if statement.startswith("CREATE TRIGGER")}
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for name in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            yield connection
            for statement in triggers.values():
                connection.execute(statement)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def replace(self, connection: Connection, rows: Sequence[EntryRow], tiles: Sequence[TileRow]) -> None:
        """See `Tables.replace`. The indexes are made anew by whoever opens the file next."""
        for table in ("batch", "stream_part", "indexed", "sealed_place", "tile"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        write_rows(connection, rows, tiles)


def write_rows(connection: Connection, rows: Sequence[EntryRow], tiles: Sequence[TileRow]) -> None:
    """Write entries and tiles into empty tables."""
    connection.executemany("INSERT INTO batch (first, count, leaves, entries) VALUES (?, ?, ?, ?)", list(pack(rows)))
    connection.executemany("INSERT INTO tile (level, tile_index, hashes) VALUES (?, ?, ?)", tiles)


def read_from(tables: Tables) -> list[bytes]:
    """Every entry, in order."""
    with tables.opened() as connection:
        rows = connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first").fetchall()
    return [data for row in rows for _, _, data in unpack(row)]


def rewrite_in(tables: Tables, history: Sequence[bytes]) -> None:
    """Replace all entries, with hashes and tiles that are right for them. The checkpoints stay."""
    rows = [named(seq, leaf_hash(data), data) for seq, data in enumerate(history)]
    tiles = list(Edges().extend([row[4] for row in rows]))
    with tables.opened() as connection:
        tables.replace(connection, rows, tiles)


def sign_in(tables: Tables, sizes: Sequence[int], key: SigningKey) -> str:
    """Replace all checkpoints by ones of these sizes over the entries that are there; gives the last."""
    history, note = read_from(tables), ""
    with tables.opened() as connection:
        connection.execute("DELETE FROM checkpoint")
        for size in sizes:
            tree = Tree()
            tree.extend(list(map(leaf_hash, history[:size])))
            note = checkpoints.sign(Checkpoint(origin=key.name, size=size, root=tree.root()), key)
            connection.execute("INSERT INTO checkpoint (size, note) VALUES (?, ?)", (size, note))
    return note


def flip_in(tables: Tables, place: int) -> None:
    """Change one bit of an entry's bytes where they lie, and nothing else."""
    with tables.opened() as connection:
        query = "SELECT first, entries FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1"
        first, bundle = connection.execute(query, (place,)).fetchone()
        changed = bytearray(bundle)
        changed[len(changed) // 2] ^= 1
        connection.execute("UPDATE batch SET entries = ? WHERE first = ?", (bytes(changed), first))


def read(path: Path) -> list[bytes]:
    """Every entry of a file, in order."""
    return read_from(FileTables(path))


def rewrite(path: Path, history: Sequence[bytes]) -> None:
    """As `rewrite_in`, in a file."""
    rewrite_in(FileTables(path), history)


def sign(path: Path, sizes: Sequence[int], key: SigningKey) -> str:
    """As `sign_in`, in a file."""
    return sign_in(FileTables(path), sizes, key)


def flip(path: Path, place: int) -> None:
    """As `flip_in`, in a file."""
    flip_in(FileTables(path), place)


def opened(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """The tables of a file without their triggers while the context lasts."""
    return FileTables(path).opened()


def altered(data: bytes) -> bytes:
    """The same entry, saying something else."""
    one = entries.parse(data)
    body = json.loads(one.body)
    try:
        return with_body(one, body | {"altered": f"{body.get('altered', '')}by the drill"})
    except LedgerError:
        # It is as long as an entry may be; then it says this and nothing else.
        return with_body(one, {"altered": "by the drill"})


def with_body(one: entries.Entry, body: dict[str, object]) -> bytes:
    """An entry in the place of another, with another body."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _assembled(one, one.seq, one.version, text.encode())


def backdated(data: bytes) -> bytes:
    """The same entry, an hour earlier."""
    one = entries.parse(data)
    at = entries.format_time(one.at - timedelta(hours=1))
    return entries.assemble(seq=one.seq, at=at, stream=one.stream, version=one.version, kind=one.kind, body=one.body)


def renumbered(history: Sequence[bytes]) -> list[bytes]:
    """Entries with the places and versions that they would have, had they been recorded in this order."""
    versions: dict[str, int] = {}
    found = []
    for seq, data in enumerate(history):
        one = entries.parse(data)
        versions[one.stream] = versions.get(one.stream, 0) + 1
        found.append(_assembled(one, seq, versions[one.stream], one.body))
    return found


def _assembled(one: entries.Entry, seq: int, version: int, body: bytes) -> bytes:
    at = entries.format_time(one.at)
    return entries.assemble(seq=seq, at=at, stream=one.stream, version=version, kind=one.kind, body=body)
