"""What somebody who owns the ledger's file can do to it: every trigger dropped, every hash computed again.

The triggers are put back at the end, so that nothing but the record itself tells what happened.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import Tree, leaf_hash
from sojourn.ledger.note import SigningKey
from sojourn.scribe.edges import Edges
from sojourn.scribe.rows import EntryRow, named, pack, unpack
from sojourn.scribe.sqlite_schema import SCHEMA


def read(path: Path) -> list[bytes]:
    """Every entry of a store, in order."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first")
        return [data for row in rows for _, _, data in unpack(row)]


def rewrite(path: Path, history: Sequence[bytes]) -> None:
    """Replace all entries, with hashes and tiles that are right for them. The checkpoints stay."""
    rows = [_row(seq, data) for seq, data in enumerate(history)]
    tiles = Edges().extend([row[4] for row in rows])
    with opened(path) as connection:
        for table in ("batch", "stream_part", "indexed", "tile"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        connection.executemany("INSERT INTO batch VALUES (?, ?, ?, ?)", pack(rows))
        connection.executemany("INSERT INTO tile VALUES (?, ?, ?)", tiles)


def sign(path: Path, sizes: Sequence[int], key: SigningKey) -> str:
    """Replace all checkpoints by ones of these sizes over the entries that are there; gives the last."""
    history, note = read(path), ""
    with opened(path) as connection:
        connection.execute("DELETE FROM checkpoint")
        for size in sizes:
            tree = Tree()
            tree.extend(list(map(leaf_hash, history[:size])))
            note = checkpoints.sign(Checkpoint(origin=key.name, size=size, root=tree.root()), key)
            connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (size, note))
    return note


def flip(path: Path, place: int) -> None:
    """Change one bit of an entry's bytes where they lie, and nothing else."""
    with opened(path) as connection:
        row = connection.execute("SELECT first, entries FROM batch WHERE first <= ? ORDER BY first DESC", (place,))
        first, bundle = row.fetchone()
        changed = bytearray(bundle)
        changed[len(changed) // 2] ^= 1
        connection.execute("UPDATE batch SET entries = ? WHERE first = ?", (bytes(changed), first))


def altered(data: bytes) -> bytes:
    """The same entry, saying something else."""
    one = entries.parse(data)
    body = json.loads(one.body)
    body["altered"] = "by the drill"
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


def _row(seq: int, data: bytes) -> EntryRow:
    return named(seq, leaf_hash(data), data)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file without its triggers while the context lasts."""
    triggers = {name: statement for name, statement in SCHEMA.items() if statement.startswith("CREATE TRIGGER")}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for statement in triggers.values():
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
