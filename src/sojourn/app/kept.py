"""Reads the entries of a ledger store where it lies, whether a scribe runs or not. Nothing is changed.

All that is known here about how entries lie in the file is in `_BETWEEN`, `_OF_STREAM` and `_SIZE`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sojourn_verify
from sojourn.errors import Code, SojournError
from sojourn.ledger import entry as entries
from sojourn.ledger.entry import Entry
from sojourn.ledger.errors import LedgerError
from sojourn.settings import Layout

from .installation import require_installation

PAGE = 1000

_BETWEEN = "SELECT bytes FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq"
_OF_STREAM = "SELECT bytes FROM entry WHERE stream = ? ORDER BY version"
_SIZE = "SELECT coalesce(max(seq), -1) + 1 FROM entry"
_ATTACHMENT = "SELECT bytes FROM attachment WHERE sha256 = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A ledger store that is open for reading."""

    connection: sqlite3.Connection
    path: Path

    def size(self) -> int:
        """The number of entries."""
        return int(self._rows(_SIZE)[0][0])

    def raw(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the entries from `start` to before `end`, as they lie in the file, a page at a time."""
        while start < end:
            yield from (row[0] for row in self._rows(_BETWEEN, start, min(start + PAGE, end)))
            start += PAGE

    def entries(self, start: int, end: int) -> Iterator[Entry]:
        """The same entries, read. Raises SojournError `record.damaged` for bytes that are no entry."""
        return map(self._read, self.raw(start, end))

    def stream(self, stream: str) -> Iterator[Entry]:
        """All entries of a stream in order. Raises SojournError `record.damaged`."""
        return (self._read(row[0]) for row in self._rows(_OF_STREAM, stream))

    def attachment(self, sha256: str) -> bytes | None:
        """The content of an attachment, if it is kept."""
        rows = self._rows(_ATTACHMENT, sha256)
        return bytes(rows[0][0]) if rows else None

    def _rows(self, query: str, *values: object) -> list[tuple[bytes, ...]]:
        # Fetched at once, so that no reader holds the write-ahead log of a running scribe.
        try:
            return self.connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _read(self, data: bytes) -> Entry:
        try:
            return entries.parse(data)
        except LedgerError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, problem: str) -> SojournError:
        return SojournError(Code.RECORD_DAMAGED, problem=problem.rstrip("."), path=str(self.path))


@contextmanager
def reading(layout: Layout) -> Iterator[Kept]:
    """The store of an installation, open for reading.

    Raises SojournError `data.directory_missing`, `data.directory_open`, or `record.damaged`.
    """
    require_installation(layout)
    path = layout.ledger
    if not path.exists():
        raise SojournError(Code.RECORD_DAMAGED, problem="there is no ledger yet", path=str(path))
    try:
        with _open(path) as connection:
            yield Kept(connection=connection, path=path)
    except sqlite3.DatabaseError as error:
        raise SojournError(Code.RECORD_DAMAGED, problem=str(error), path=str(path)) from error


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.with_name(path.name + "-shm").exists():
        # Nobody has it open: the verifier's way leaves no file behind.
        with sojourn_verify.open_store(path) as connection:
            yield connection
        return
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.text_factory = bytes
        yield connection
