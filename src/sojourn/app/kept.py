"""Reads the entries of a ledger where it lies, whether a scribe runs or not. Nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from sojourn.errors import Code, SojournError
from sojourn.ledger import entry as entries
from sojourn.ledger.entry import Entry
from sojourn.ledger.errors import LedgerError
from sojourn.scribe.protocol import Key, Matter
from sojourn.scribe.rows import Bundle, bundle_of, named, singly, unpack_places
from sojourn.scribe.store import StoreError
from sojourn.settings import Layout

from .installation import read_settings, require_installation
from .store_check import open_store

PAGE = 8192
"""Entries read at a time: many, for the rows of the store at its ends are read twice."""


class Source(Protocol):
    """Where entries are read from: what a ledger's file and its database both can."""

    def size(self) -> int:
        """The number of entries."""

    def hashed(self, start: int, end: int) -> Iterable[tuple[int, bytes, bytes]]:
        """(place, leaf hash, bytes) of the entries from `start` to before `end`, in order."""

    def bundles(self, start: int, end: int) -> Iterable[Bundle]:
        """The same entries as they lie: many at once, with their leaf hashes joined."""

    def stream(self, stream: str, after: int) -> Iterable[tuple[int, bytes]]:
        """(version, bytes) of a stream's entries above version `after`, in order."""

    def attachment(self, sha256: str) -> bytes | None:
        """The content of an attachment, if it is kept."""

    def ciphertext(self, commitment: str) -> Matter | None:
        """A sealed value without its key."""

    def key(self, key_id: str) -> Key | None:
        """A wrapped sealing key."""

    def last_checkpoint(self) -> tuple[int, str] | None:
        """The size and the note of the newest signed checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A ledger that is open for reading."""

    source: Source
    path: Path

    def size(self) -> int:
        """The number of entries."""
        return self.source.size()

    def raw(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the entries from `start` to before `end`, as they lie there, a page at a time."""
        while start < end:
            # Fetched at once, so that no reader holds the write-ahead log of a running scribe.
            for _, _, held in list(self.source.bundles(start, min(start + PAGE, end))):
                yield from held
            start += PAGE

    def entries(self, start: int, end: int) -> Iterator[Entry]:
        """The same entries, read. Raises SojournError `record.damaged` for bytes that are no entry."""
        return map(self._read, self.raw(start, end))

    def stream(self, stream: str) -> Iterator[Entry]:
        """All entries of a stream in order. Raises SojournError `record.damaged`."""
        return (self._read(data) for _, data in self.source.stream(stream, 0))

    def attachment(self, sha256: str) -> bytes | None:
        """The content of an attachment, if it is kept."""
        return self.source.attachment(sha256)

    def last_checkpoint(self) -> tuple[int, str] | None:
        """The size and the note of the newest signed checkpoint."""
        return self.source.last_checkpoint()

    def _read(self, data: bytes) -> Entry:
        try:
            return entries.parse(data)
        except LedgerError as error:
            raise damaged(self.path, str(error)) from error


@dataclass(frozen=True, slots=True)
class FileSource:
    """A ledger store on SQLite, read without being written to."""

    connection: sqlite3.Connection

    def size(self) -> int:
        """See `Source.size`."""
        ((size,),) = self.connection.execute("SELECT coalesce(max(first + count), 0) FROM batch")
        return int(size)

    def hashed(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """See `Source.hashed`."""
        return singly(self.bundles(start, end))

    def bundles(self, start: int, end: int) -> Iterator[Bundle]:
        """See `Source.bundles`."""
        query = (
            "SELECT first, count, CAST(leaves AS BLOB), CAST(entries AS BLOB) FROM batch WHERE first < ? "
            "AND first >= coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) ORDER BY first"
        )
        rows = self.connection.execute(query, (end, start)).fetchall()
        return (bundle_of(row, start, end) for row in rows)

    def stream(self, stream: str, after: int) -> Iterator[tuple[int, bytes]]:
        """See `Source.stream`. The end of the ledger, which the index of streams does not name yet, is gone through."""
        query = "SELECT places FROM stream_part WHERE stream = ? ORDER BY version"
        parts = self.connection.execute(query, (stream,)).fetchall()
        ((indexed,),) = self.connection.execute("SELECT coalesce(max(size), 0) FROM indexed")
        places = [place for (joined,) in parts for place in unpack_places(joined)]
        found = (one for place in places for one in self.hashed(place, place + 1))
        rest = self.hashed(indexed, self.size())
        for seq, leaf, data in (one for some in (found, rest) for one in some):
            _, name, version, *_ = named(seq, leaf, data)
            if name == stream and version > after:
                yield version, data

    def attachment(self, sha256: str) -> bytes | None:
        """See `Source.attachment`."""
        row = self.connection.execute("SELECT bytes FROM attachment WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else bytes(row[0])

    def ciphertext(self, commitment: str) -> Matter | None:
        """See `Source.ciphertext`."""
        query = (
            "SELECT commitment, key_id, ciphertext FROM sealed WHERE place = coalesce("
            "(SELECT place FROM sealed_place WHERE commitment = ?1), (SELECT place FROM sealed WHERE commitment = ?1 "
            "AND place > (SELECT coalesce(max(sealed), 0) FROM indexed)))"
        )
        row = self.connection.execute(query, (commitment,)).fetchone()
        if row is None or _text(row[0]) != commitment:
            return None
        return Matter(commitment, _text(row[1]), bytes(row[2]))

    def key(self, key_id: str) -> Key | None:
        """See `Source.key`."""
        query = "SELECT key_id, subject, recipient, wrapped FROM sealing_key WHERE key_id = ?"
        row = self.connection.execute(query, (key_id,)).fetchone()
        return None if row is None else Key(_text(row[0]), _text(row[1]), _text(row[2]), bytes(row[3]))

    def last_checkpoint(self) -> tuple[int, str] | None:
        """See `Source.last_checkpoint`."""
        row = self.connection.execute("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]).decode(errors="replace"))


def _text(value: bytes | str) -> str:
    """Text of a file that is read as bytes, since anything may stand in it."""
    return value if isinstance(value, str) else value.decode(errors="replace")


@contextmanager
def reading(layout: Layout) -> Iterator[Kept]:
    """The ledger of an installation, open for reading: its file, or its PostgreSQL database.

    Raises SojournError `data.directory_missing`, `data.directory_open`, `record.damaged`, or those of the database.
    """
    require_installation(layout)
    address = read_settings(layout).scribe.store
    if address:
        from sojourn.scribe.postgres_store import PostgresStore

        try:
            with closing(PostgresStore(address, writer="reads only")) as store:
                yield Kept(source=store, path=Path("PUBLISHED-FOLDER"))
        except StoreError as error:
            raise SojournError(Code.RECORD_UNAVAILABLE) from error
        return
    path = layout.ledger
    if not path.exists():
        raise damaged(path, "there is no ledger yet")
    try:
        with open_file(path) as connection:
            yield Kept(source=FileSource(connection), path=path)
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error


@contextmanager
def open_file(path: Path) -> Iterator[sqlite3.Connection]:
    """The file of a ledger, open for reading only, whether a scribe has it open or not."""
    if not path.with_name(path.name + "-shm").exists():
        # Nobody has it open: this way leaves no file behind.
        with open_store(path) as connection:
            yield connection
        return
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.text_factory = bytes
        yield connection


def damaged(path: Path, problem: str) -> SojournError:
    """The error that tells that a ledger cannot be read as one."""
    return SojournError(Code.RECORD_DAMAGED, problem=problem.rstrip("."), path=str(path))
