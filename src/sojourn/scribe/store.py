"""The ledger's store on SQLite: rows in, rows out, and nothing that could change a row.

- One read-write connection for each file; WAL with `synchronous=FULL`, so a commit is durable when it returns.
- Entries, tiles, checkpoints, attachments and sealed values refuse UPDATE, DELETE and REPLACE by trigger.
- A sealing key can be destroyed, and nothing else: it is overwritten with zeros where it lies, for good.
- An entry is taken only at the next place of the ledger and the next version of its stream.
- Constraints are named after the rule that they state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .protocol import Key, Matter

EntryRow = tuple[int, str, int, str, bytes, bytes]
"""seq, stream, version, kind, leaf hash, bytes."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    seq INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    leaf BLOB NOT NULL CONSTRAINT a_leaf_is_a_sha256 CHECK (length(leaf) = 32),
    bytes BLOB NOT NULL CONSTRAINT an_entry_fits_a_bundle CHECK (length(bytes) BETWEEN 2 AND 65535),
    CONSTRAINT a_version_is_written_once UNIQUE (stream, version)
);
CREATE TABLE IF NOT EXISTS tile (
    level INTEGER NOT NULL,
    tile_index INTEGER NOT NULL,
    hashes BLOB NOT NULL CONSTRAINT a_stored_tile_is_full CHECK (length(hashes) = 8192),
    PRIMARY KEY (level, tile_index)
);
CREATE TABLE IF NOT EXISTS checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attachment (
    sha256 TEXT PRIMARY KEY CONSTRAINT a_name_is_a_sha256 CHECK (length(sha256) = 64),
    bytes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sealing_key (
    key_id TEXT PRIMARY KEY, subject TEXT NOT NULL, recipient TEXT NOT NULL, wrapped BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sealed (
    commitment TEXT PRIMARY KEY CONSTRAINT a_commitment_is_a_sha256 CHECK (length(commitment) = 64),
    key_id TEXT NOT NULL,
    ciphertext BLOB NOT NULL
);
"""

_APPEND_ONLY = ("entry", "tile", "checkpoint", "attachment", "sealed")

_FIRST_ROW_STAYS = {
    "tile": "level = NEW.level AND tile_index = NEW.tile_index",
    "checkpoint": "size = NEW.size",
    "attachment": "sha256 = NEW.sha256",
    "sealed": "commitment = NEW.commitment",
    "sealing_key": "key_id = NEW.key_id",
}
"""How an insert finds the row that it would replace: SQLite runs no DELETE trigger for INSERT OR REPLACE."""

_ENTRIES_FOLLOW = """
CREATE TRIGGER IF NOT EXISTS entry_takes_the_next_place_and_version BEFORE INSERT ON entry
WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM entry)
  OR NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM entry WHERE stream = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'an entry takes the next place and the next version of its stream'); END
"""

_KEYS_ARE_ONLY_DESTROYED = """
CREATE TRIGGER IF NOT EXISTS sealing_key_is_only_ever_destroyed BEFORE UPDATE ON sealing_key
WHEN NEW.rowid <> OLD.rowid OR NEW.key_id <> OLD.key_id OR NEW.subject <> OLD.subject
  OR NEW.recipient <> OLD.recipient OR NEW.wrapped <> zeroblob(length(OLD.wrapped))
BEGIN SELECT RAISE(ABORT, 'a sealing key can be destroyed and not changed'); END;
CREATE TRIGGER IF NOT EXISTS sealing_key_refuses_delete BEFORE DELETE ON sealing_key
BEGIN SELECT RAISE(ABORT, 'a sealing key is destroyed by overwriting it'); END;
"""

_DESTROYED = "(length(wrapped) > 0 AND wrapped = zeroblob(length(wrapped)))"


class Store:
    """One ledger file, open for writing. Every method may raise `sqlite3.Error`, which the scribe does not survive."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it (0600) if it is not there."""
        self.directory = str(path.parent)
        path.touch(mode=0o600, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=64)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 4000")
        self._connection.executescript(_SCHEMA)
        self._connection.execute(_ENTRIES_FOLLOW)
        self._connection.executescript(_KEYS_ARE_ONLY_DESTROYED)
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                self._connection.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
                )
        for table, same in _FIRST_ROW_STAYS.items():
            self._connection.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_keeps_its_first_row BEFORE INSERT ON {table} "  # noqa: S608
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN SELECT RAISE(IGNORE); END"
            )

    def close(self) -> None:
        """Close the file; SQLite folds the write-ahead log into it."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; durable when it ends without an exception."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def insert(
        self,
        entries: Sequence[EntryRow],
        *,
        keys: Collection[Key],
        matter: Collection[Matter],
        attachments: Collection[tuple[str, bytes]],
        tiles: Collection[tuple[int, int, bytes]],
    ) -> None:
        """Write one batch; call it inside a transaction. `keys` and `matter` are those not in the store yet."""
        many = self._connection.executemany
        many("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", entries)
        if keys:
            rows = [(key.key, key.subject, key.recipient, key.wrapped) for key in keys]
            many("INSERT INTO sealing_key VALUES (?, ?, ?, ?)", rows)
        if matter:
            many("INSERT INTO sealed VALUES (?, ?, ?)", [(one.commitment, one.key, one.ciphertext) for one in matter])
        if attachments:
            many("INSERT OR IGNORE INTO attachment VALUES (?, ?)", attachments)
        if tiles:
            many("INSERT INTO tile VALUES (?, ?, ?)", tiles)

    def destroy_keys(self, keys: Collection[str]) -> None:
        """Overwrite wrapped sealing keys with zeros of the same length; call it inside a transaction.

        The row stays, so that no key of that id can ever come again, and no page is moved: the bytes are replaced
        in the place where they lie.
        """
        many = self._connection.executemany
        many("UPDATE sealing_key SET wrapped = zeroblob(length(wrapped)) WHERE key_id = ?", [(key,) for key in keys])

    def forget_old_pages(self) -> bool:
        """Fold the write-ahead log into the file and truncate it, so that it holds no earlier state of a page.

        False while somebody else reads the file; then it has to be tried again.
        """
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._connection.execute("PRAGMA busy_timeout = 5000")
        return not busy

    def insert_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint; call it inside a transaction."""
        self._connection.execute("INSERT OR IGNORE INTO checkpoint VALUES (?, ?)", (size, note))

    def extent(self) -> tuple[int, int, int]:
        """The number of entries, the lowest and the highest place (0 and -1 when there are none)."""
        count, lowest, highest = self._connection.execute("SELECT count(*), min(seq), max(seq) FROM entry").fetchone()
        return (count, lowest, highest) if count else (0, 0, -1)

    def stream_with_gap(self) -> str | None:
        """A stream whose versions are not 1, 2, 3 and so on, if there is one."""
        query = (
            "SELECT stream FROM entry GROUP BY stream "
            "HAVING count(*) <> max(version) OR min(version) <> 1 ORDER BY stream LIMIT 1"
        )
        row = self._connection.execute(query).fetchone()
        return None if row is None else row[0]

    def version(self, stream: str) -> int:
        """The version of a stream: the number of its entries."""
        row = self._connection.execute("SELECT max(version) FROM entry WHERE stream = ?", (stream,)).fetchone()
        return row[0] or 0

    def key(self, key_id: str) -> Key | None:
        """A wrapped sealing key."""
        row = self._connection.execute("SELECT * FROM sealing_key WHERE key_id = ?", (key_id,)).fetchone()
        return None if row is None else Key(*row)

    def usable_key(self, key_id: str) -> bool:
        """Whether a sealing key is there and was not destroyed."""
        query = f"SELECT 1 FROM sealing_key WHERE key_id = ? AND NOT {_DESTROYED}"  # noqa: S608 - no value in it
        return self._connection.execute(query, (key_id,)).fetchone() is not None

    def keys(self, subject: str, after: str, limit: int) -> list[tuple[str, str, str, bool]]:
        """(key, subject, recipient, whether destroyed) of keys above `after` whose subject begins with `subject`."""
        query = (
            f"SELECT key_id, subject, recipient, {_DESTROYED} FROM sealing_key "  # noqa: S608 - no value in it
            "WHERE key_id > ? AND subject >= ? AND subject < ? ORDER BY key_id LIMIT ?"
        )
        rows = self._connection.execute(query, (after, subject, subject + "\x7f", limit))
        return [(key, about, recipient, bool(gone)) for key, about, recipient, gone in rows]

    def rows(self, start: int, end: int) -> Iterator[EntryRow]:
        """Entries with `start <= seq < end`, in order."""
        return iter(
            self._connection.execute("SELECT * FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (start, end))
        )

    def hashed(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """(seq, leaf hash, bytes) with `start <= seq < end`, in order."""
        query = "SELECT seq, leaf, bytes FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq"
        return iter(self._connection.execute(query, (start, end)))

    def matching(self, start: int, end: int, prefixes: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """(seq, bytes) with `start <= seq < end` whose stream begins with one of `prefixes` (any, if empty)."""
        condition = " OR ".join("(stream >= ? AND stream < ?)" for _ in prefixes) or "1"
        bounds = [bound for prefix in prefixes for bound in (prefix, prefix + "\x7f")]
        # By place only: going by stream would sort all of its entries again for each page.
        query = f"SELECT seq, bytes FROM entry NOT INDEXED WHERE seq >= ? AND seq < ? AND ({condition}) ORDER BY seq"  # noqa: S608 - placeholders only
        return iter(self._connection.execute(query, (start, end, *bounds)))

    def stream(self, stream: str, after: int) -> Iterator[tuple[int, bytes]]:
        """(version, bytes) of a stream's entries above version `after`, in order."""
        query = "SELECT version, bytes FROM entry WHERE stream = ? AND version > ? ORDER BY version"
        return iter(self._connection.execute(query, (stream, after)))

    def entry(self, seq: int) -> bytes | None:
        """One entry's bytes."""
        row = self._connection.execute("SELECT bytes FROM entry WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else row[0]

    def leaves(self, start: int, count: int) -> bytes:
        """`count` leaf hashes from `start` on, joined."""
        query = "SELECT CAST(leaf AS BLOB) FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq"
        return b"".join(row[0] for row in self._connection.execute(query, (start, start + count)))

    def tile(self, level: int, tile_index: int) -> bytes | None:
        """A full tile's hashes."""
        row = self._connection.execute(
            "SELECT hashes FROM tile WHERE level = ? AND tile_index = ?", (level, tile_index)
        ).fetchone()
        return None if row is None else row[0]

    def last_checkpoint(self) -> tuple[int, str] | None:
        """The newest signed checkpoint: its size and its note."""
        row = self._connection.execute("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else (row[0], row[1])

    def ciphertext(self, commitment: str) -> Matter | None:
        """A sealed value without its key."""
        row = self._connection.execute("SELECT * FROM sealed WHERE commitment = ?", (commitment,)).fetchone()
        return None if row is None else Matter(*row)

    def matter(self, commitment: str) -> tuple[Matter, Key] | None:
        """A sealed value and its key, unless either was destroyed."""
        query = (
            "SELECT s.commitment, s.key_id, s.ciphertext, k.subject, k.recipient, k.wrapped "  # noqa: S608 - no value in it
            f"FROM sealed s JOIN sealing_key k USING (key_id) WHERE s.commitment = ? AND NOT {_DESTROYED}"
        )
        row = self._connection.execute(query, (commitment,)).fetchone()
        return None if row is None else (Matter(*row[:3]), Key(row[1], *row[3:]))

    def attachment(self, sha256: str) -> bytes | None:
        """An attachment's content."""
        row = self._connection.execute("SELECT bytes FROM attachment WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else row[0]
