"""The ledger's store on SQLite: one file, one scribe.

- One read-write connection for each file; WAL with `synchronous=FULL`, so a commit is durable when it returns.
- Entries, their index, tiles, checkpoints, attachments and sealed values refuse UPDATE, DELETE and REPLACE by trigger.
- A sealing key can be destroyed, and nothing else: it is overwritten with zeros where it lies, for good.
- Rows are taken only at the next place of the ledger, parts of a stream only at its next version.
- A file whose tables or triggers are not exactly these is not opened: what was dropped is never made again in silence.
- Constraints are named after the rule that they state.

The indexes of streams and of sealed values are written for many commits together: a commit then touches the ends of
two tables and nothing else. What they lack is read at start, a few thousand rows at most.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from .protocol import Key, Matter
from .rows import (
    Bundle,
    EntryRow,
    bundle_of,
    damaged,
    entries_of,
    in_streams,
    named,
    pack,
    pack_places,
    singly,
    unpack,
    unpack_places,
)
from .sqlite_room import Room
from .sqlite_schema import SCHEMA
from .sqlite_sealed import SealedValues
from .sqlite_transaction import Transaction
from .store import TileRow

INDEXED_EVERY = 1024
"""So many entries may be ahead of the indexes."""

PAGE_BYTES = 4096
FRAME_BYTES = PAGE_BYTES + 24
"""A page in the write-ahead log."""

PAGES_A_COMMIT = 2
"""How many pages a commit fills only in part; more or less."""

LOOKED_EVERY = 16 * FRAME_BYTES
"""How far the write-ahead log may have come before its room is looked at again."""

FOLDED_EVERY = 4000 * PAGE_BYTES
"""So many bytes may lie in the write-ahead log before they are folded into the file."""

_INSERT_BATCH = "INSERT INTO batch VALUES (?, ?, ?, ?)"
_DESTROYED = "(length(wrapped) > 0 AND wrapped = zeroblob(length(wrapped)))"


class SqliteStore:
    """Implements `store.Store` on one file. Methods may raise `sqlite3.Error`, which the scribe does not survive."""

    shared = False

    def __init__(self, path: Path) -> None:
        """Open the file, making it (0600) if it is not there.

        Raises SojournError `record.damaged` when its tables and triggers are not those of a ledger.
        """
        self.directory = str(path.parent)
        path.touch(mode=0o600, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=64)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        # SQLite's own folding goes on after a failed sync as if nothing had been; `fold` does not.
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._connection.execute("PRAGMA trusted_schema = OFF")
        self._size = 0
        self._transaction = Transaction(self._connection, self.size)
        self._prepare()
        self._room = Room(path)
        self._size = self._end()
        self._unfolded = self._log_begins = self._look_at = 0
        self._recent: dict[str, tuple[int, list[int]]] = {}
        (self._indexed,) = self._connection.execute("SELECT coalesce(max(size), 0) FROM indexed").fetchone()
        self._sealed = SealedValues(self._connection, self._transaction)
        self._remember(self.rows(self._indexed, self._size))

    def _prepare(self) -> None:
        """Make the tables and triggers of a new file; compare those of any other."""
        found = dict(
            self._connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
        )
        if not found:
            with self._transaction:
                for statement in SCHEMA.values():
                    self._transaction.put(statement)
            return
        if odd := sorted(name for name in SCHEMA.keys() | found.keys() if SCHEMA.get(name) != found.get(name)):
            self._connection.close()
            raise damaged(f"its {', '.join(odd[:5])} is missing, was changed, or does not belong in a ledger")

    def _end(self) -> int:
        row = self._connection.execute("SELECT first + count FROM batch ORDER BY first DESC LIMIT 1").fetchone()
        return 0 if row is None else int(row[0])

    def _remember(self, rows: Iterable[EntryRow]) -> None:
        """Keep in memory where entries lie until the index says so."""
        recent = self._recent
        for seq, stream, version, _, _, _ in rows:
            known = recent.get(stream)
            if known is None:
                recent[stream] = (version, [seq])
            else:
                known[1].append(seq)

    def size(self) -> int:
        """See `store.Store.size`."""
        return self._size

    def remember(self, size: int, leaf: bytes) -> None:
        """See `store.Store.remember`. A file does not change behind the only one who writes it."""

    def close(self) -> None:
        """Close the file; SQLite folds the write-ahead log into it."""
        self._room.close()
        self._connection.close()

    def writing(self) -> Transaction:
        """See `store.Store.writing`."""
        return self._transaction

    def insert(
        self,
        entries: Sequence[EntryRow],
        *,
        keys: Collection[Key],
        matter: Collection[Matter],
        attachments: Collection[tuple[str, bytes]],
        tiles: Collection[TileRow],
    ) -> None:
        """See `store.Store.insert`."""
        many = self._transaction.put_all
        rows = pack(entries)
        if len(rows) == 1:
            self._transaction.put(_INSERT_BATCH, rows[0])
        else:
            many(_INSERT_BATCH, rows)
        self._unfolded += PAGES_A_COMMIT * PAGE_BYTES + sum([len(row[3]) for row in rows])
        self._remember(entries)
        self._size += len(entries)
        if keys:
            held = [(key.key, key.subject, key.recipient, key.wrapped) for key in keys]
            many("INSERT INTO sealing_key VALUES (?, ?, ?, ?)", held)
        if matter:
            self._unfolded += sum([len(one.ciphertext) for one in matter])
            self._sealed.insert(matter)
        if attachments:
            many("INSERT OR IGNORE INTO attachment VALUES (?, ?)", attachments)
        if tiles:
            many("INSERT INTO tile VALUES (?, ?, ?)", tiles)
        if self._size - self._indexed >= INDEXED_EVERY:
            self._write_index()

    def _write_index(self) -> None:
        """Write what the index lacks, in the order in which it lies."""
        parts = [(stream, version, pack_places(places)) for stream, (version, places) in sorted(self._recent.items())]
        self._transaction.put_all("INSERT INTO stream_part VALUES (?, ?, ?)", parts)
        self._sealed.write_index()
        self._transaction.put("INSERT INTO indexed VALUES (?, ?)", (self._size, self._sealed.count))
        self._recent.clear()
        self._indexed = self._size

    def destroy_keys(self, keys: Collection[str]) -> None:
        """See `store.Store.destroy_keys`. No page is moved: the bytes are replaced in the place where they lie."""
        overwrite = "UPDATE sealing_key SET wrapped = zeroblob(length(wrapped)) WHERE key_id = ?"
        self._transaction.put_all(overwrite, [(key,) for key in keys])

    def fold(self) -> None:
        """See `store.Store.fold`. Pages that somebody else still reads stay where they are until the next time.

        The log is begun over again once all of it is folded, and then has room from its start.
        """
        if self._unfolded >= FOLDED_EVERY:
            _, frames, folded = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._unfolded, self._log_begins = 0, 0 if frames == folded else frames * FRAME_BYTES
            self._look_at = self._room.length
        if (end := self._log_begins + self._unfolded) >= self._look_at:
            self._look_at = max(self._room.make(), end + LOOKED_EVERY)

    def forget_old_pages(self) -> bool:
        """Fold the write-ahead log into the file and truncate it, so that it holds no earlier state of a page.

        False while somebody else reads the file; then it has to be tried again.
        """
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._connection.execute("PRAGMA busy_timeout = 5000")
        if not busy:
            self._unfolded = self._log_begins = self._look_at = 0
        return not busy

    def insert_checkpoint(self, size: int, note: str) -> None:
        """See `store.Store.insert_checkpoint`."""
        self._transaction.put("INSERT OR IGNORE INTO checkpoint VALUES (?, ?)", (size, note))

    def extent(self) -> tuple[int, int, int]:
        """See `store.Store.extent`."""
        query = "SELECT sum(count), min(first), max(first + count - 1) FROM batch"
        count, lowest, highest = self._connection.execute(query).fetchone()
        return (count, lowest, highest) if count else (0, 0, -1)

    def gap(self) -> str | None:
        """See `store.Store.gap`."""
        rows = (
            "SELECT first, lag(first + count, 1, 0) OVER (ORDER BY first) AS due FROM batch",
            "SELECT first, due FROM ({}) WHERE first <> due ORDER BY first LIMIT 1",
        )
        row = self._connection.execute(rows[1].format(rows[0])).fetchone()
        if row is not None:
            return f"entries {row[1]} to {row[0] - 1} are missing"
        parts = (
            "SELECT stream FROM (SELECT stream, version, lag(version + length(places) / 8, 1, 1) "
            "OVER (PARTITION BY stream ORDER BY version) AS due FROM stream_part) WHERE version <> due LIMIT 1"
        )
        row = self._connection.execute(parts).fetchone()
        if row is not None:
            return f"the versions of stream {row[0]} have a gap"
        (places,) = self._connection.execute("SELECT coalesce(sum(length(places)), 0) / 8 FROM stream_part").fetchone()
        if places != self._indexed or self._indexed > self._size:
            return f"the index of streams names {places} entries and says that it has {self._indexed}"
        return self._sealed.gap()

    def version(self, stream: str) -> int:
        """See `store.Store.version`."""
        recent = self._recent.get(stream)
        if recent is not None:
            return recent[0] + len(recent[1]) - 1
        query = (
            "SELECT version + length(places) / 8 - 1 FROM stream_part WHERE stream = ? ORDER BY version DESC LIMIT 1"
        )
        row = self._connection.execute(query, (stream,)).fetchone()
        return 0 if row is None else int(row[0])

    def key(self, key_id: str) -> Key | None:
        """See `store.Store.key`."""
        row = self._connection.execute("SELECT * FROM sealing_key WHERE key_id = ?", (key_id,)).fetchone()
        return None if row is None else Key(*row)

    def usable_key(self, key_id: str) -> bool:
        """See `store.Store.usable_key`."""
        query = f"SELECT 1 FROM sealing_key WHERE key_id = ? AND NOT {_DESTROYED}"  # noqa: S608 - no value in it
        return self._connection.execute(query, (key_id,)).fetchone() is not None

    def keys(self, subject: str, after: str, limit: int) -> list[tuple[str, str, str, bool]]:
        """See `store.Store.keys`."""
        query = (
            f"SELECT key_id, subject, recipient, {_DESTROYED} FROM sealing_key "  # noqa: S608 - no value in it
            "WHERE key_id > ? AND subject >= ? AND subject < ? ORDER BY key_id LIMIT ?"
        )
        rows = self._connection.execute(query, (after, subject, subject + "\x7f", limit))
        return [(key, about, recipient, bool(gone)) for key, about, recipient, gone in rows]

    def rows(self, start: int, end: int) -> Iterator[EntryRow]:
        """See `store.Store.rows`."""
        return (named(*one) for one in singly(self.bundles(start, end)))

    def bundles(self, start: int, end: int) -> Iterator[Bundle]:
        """See `store.Store.bundles`."""
        query = (
            "SELECT first, count, CAST(leaves AS BLOB), CAST(entries AS BLOB) FROM batch WHERE first < ? "
            "AND first >= coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) ORDER BY first"
        )
        # SQLite keeps text where bytes belong if somebody puts it there; read as bytes it is what it is.
        for row in self._connection.execute(query, (end, start)):
            yield bundle_of(row, start, end)

    def hashed(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """See `store.Store.hashed`."""
        return singly(self.bundles(start, end))

    def matching(self, start: int, end: int, prefixes: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """See `store.Store.matching`."""
        return in_streams(singly(self.bundles(start, end)), prefixes)

    def stream(self, stream: str, after: int) -> Iterator[tuple[int, bytes]]:
        """See `store.Store.stream`."""
        query = (
            "SELECT version, places FROM stream_part WHERE stream = ? AND version >= coalesce("
            "(SELECT max(version) FROM stream_part WHERE stream = ? AND version <= ?), 1) ORDER BY version"
        )
        parts = [
            (version, unpack_places(places))
            for version, places in self._connection.execute(query, (stream, stream, after + 1))
        ]
        version, recent = self._recent.get(stream, (0, []))
        return entries_of(stream, [*parts, (version, tuple(recent))], after, self._near)

    def _near(self, places: Sequence[int]) -> dict[int, bytes]:
        held: dict[int, bytes] = {}
        for seq in places:
            if seq not in held:
                held.update((place, data) for place, _, data in self._row_of(seq))
        return held

    def _row_of(self, seq: int) -> list[tuple[int, bytes, bytes]]:
        """All entries of the row in which one lies, if it does."""
        query = (
            "SELECT first, count, CAST(leaves AS BLOB), CAST(entries AS BLOB) FROM batch WHERE first <= ? "
            "ORDER BY first DESC LIMIT 1"
        )
        row = self._connection.execute(query, (seq,)).fetchone()
        return [] if row is None else unpack(row)

    def entry(self, seq: int) -> bytes | None:
        """See `store.Store.entry`."""
        return next((entries[0] for _, _, entries in self.bundles(seq, seq + 1) if entries), None)

    def leaves(self, start: int, count: int) -> bytes:
        """See `store.Store.leaves`."""
        query = (
            "SELECT first, CAST(leaves AS BLOB) FROM batch WHERE first < ? "
            "AND first >= coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) ORDER BY first"
        )
        found: list[bytes] = []
        for first, leaves in self._connection.execute(query, (start + count, start)):
            found.append(leaves[max(0, start - first) * 32 : max(0, start + count - first) * 32])
        return b"".join(found)

    def tile(self, level: int, tile_index: int) -> bytes | None:
        """See `store.Store.tile`."""
        row = self._connection.execute(
            "SELECT hashes FROM tile WHERE level = ? AND tile_index = ?", (level, tile_index)
        ).fetchone()
        return None if row is None else row[0]

    def last_checkpoint(self) -> tuple[int, str] | None:
        """See `store.Store.last_checkpoint`."""
        row = self._connection.execute("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else (row[0], row[1])

    def ciphertext(self, commitment: str) -> Matter | None:
        """See `store.Store.ciphertext`."""
        return self._sealed.find(commitment)

    def taken(self, commitments: Collection[str]) -> set[str]:
        """See `store.Store.taken`."""
        return self._sealed.taken(commitments)

    def matter(self, commitment: str) -> tuple[Matter, Key] | None:
        """See `store.Store.matter`."""
        matter = self._sealed.find(commitment)
        key = None if matter is None else self.key(matter.key)
        if matter is None or key is None or (key.wrapped and not any(key.wrapped)):
            return None
        return matter, key

    def attachment(self, sha256: str) -> bytes | None:
        """See `store.Store.attachment`."""
        row = self._connection.execute("SELECT bytes FROM attachment WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else row[0]
