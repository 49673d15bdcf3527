"""What a witness has cosigned, on SQLite: it grows, and nothing in it is ever taken back.

One read-write connection, WAL with `synchronous=FULL`: a commit is durable when it returns. The database itself
refuses a smaller size, an earlier time, another root for a size, and deletion.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sojourn.ledger.checkpoint import Checkpoint

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cosigned (
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL CONSTRAINT a_root_is_a_sha256 CHECK (length(root) = 32),
    note TEXT NOT NULL,
    PRIMARY KEY (origin, size)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    note TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS a_size_has_one_root BEFORE INSERT ON cosigned
WHEN EXISTS (SELECT 1 FROM cosigned WHERE origin = NEW.origin AND size = NEW.size AND root <> NEW.root)
BEGIN SELECT RAISE(ABORT, 'another root was cosigned for this size'); END;
CREATE TRIGGER IF NOT EXISTS cosigned_refuses_update BEFORE UPDATE ON cosigned
BEGIN SELECT RAISE(ABORT, 'what was cosigned stays'); END;
CREATE TRIGGER IF NOT EXISTS cosigned_refuses_delete BEFORE DELETE ON cosigned
BEGIN SELECT RAISE(ABORT, 'what was cosigned stays'); END;
CREATE TRIGGER IF NOT EXISTS latest_never_goes_back BEFORE UPDATE ON latest
WHEN NEW.size < OLD.size OR NEW.seconds < OLD.seconds OR NEW.origin <> OLD.origin
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
CREATE TRIGGER IF NOT EXISTS latest_is_not_replaced BEFORE INSERT ON latest
WHEN EXISTS (SELECT 1 FROM latest WHERE origin = NEW.origin AND (size > NEW.size OR seconds > NEW.seconds))
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
CREATE TRIGGER IF NOT EXISTS latest_refuses_delete BEFORE DELETE ON latest
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest checkpoint that was cosigned for a log: POSIX time of the cosignature, and the note with it."""

    origin: str
    size: int
    seconds: int
    note: str


class Store:
    """One witness's database. Every method may raise `sqlite3.Error`, after which nothing more may be cosigned."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file; for writing it is made (0600) if it is not there."""
        if read_only:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            return
        path.touch(mode=0o600, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def latest(self, origin: str) -> Latest | None:
        """The newest that was cosigned for a log."""
        query = "SELECT origin, size, seconds, note FROM latest WHERE origin = ?"
        row = self._connection.execute(query, (origin,)).fetchone()
        return None if row is None else _latest(row)

    def all(self) -> tuple[Latest, ...]:
        """The newest of every log."""
        rows = self._connection.execute("SELECT origin, size, seconds, note FROM latest ORDER BY origin")
        return tuple(_latest(row) for row in rows)

    def root_at(self, origin: str, size: int) -> bytes | None:
        """The root that was cosigned for a log at a size."""
        query = "SELECT root FROM cosigned WHERE origin = ? AND size = ?"
        row = self._connection.execute(query, (origin, size)).fetchone()
        return None if row is None else bytes(row[0])

    def note_at(self, origin: str, size: int) -> str | None:
        """The note, cosigned, of a log at a size."""
        query = "SELECT note FROM cosigned WHERE origin = ? AND size = ?"
        row = self._connection.execute(query, (origin, size)).fetchone()
        return None if row is None else row[0]

    def keep(self, checkpoint: Checkpoint, *, note: str, seconds: int) -> None:
        """Make a cosigned checkpoint the newest of its log, durably."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO cosigned VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (checkpoint.origin, checkpoint.size, checkpoint.root, note),
            )
            self._connection.execute(
                "INSERT INTO latest VALUES (?, ?, ?, ?) "
                "ON CONFLICT (origin) DO UPDATE "
                "SET size = excluded.size, seconds = excluded.seconds, note = excluded.note",
                (checkpoint.origin, checkpoint.size, seconds, note),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _latest(row: tuple[str, int, int, str]) -> Latest:
    return Latest(origin=row[0], size=row[1], seconds=row[2], note=row[3])
