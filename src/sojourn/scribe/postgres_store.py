"""The ledger's store on PostgreSQL: one database, several scribes, any of which may die at any instruction.

- Whoever writes holds the row of the head (`SELECT … FOR UPDATE`). What others have written is read before anything is
  decided, so there is one history, whoever writes it.
- The head moves on only from the size that was seen; that and the key of the row are the fence behind the lock.
- A commit whose answer was lost is looked for, by the mark that its writer left in the row, under the same lock: it was
  written, or it was not, or the scribe ends. The look itself is a commit, so that standbys named in
  `synchronous_standby_names` have what is acknowledged.
- A server that comes back with less than what this scribe has seen is refused.
- The role may not change what is written, and the scribe looks at that when it connects (`postgres_session`).
- A copy of a destroyed sealing key stays in dead rows until VACUUM, and in the write-ahead log as long as that is kept.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from sojourn.errors import Code, SojournError
from sojourn.ledger.merkle import HASH_BYTES

from .postgres_order import gap
from .postgres_session import Connection, connect
from .protocol import Key, Matter
from .rows import (
    Bundle,
    EntryRow,
    bundle_of,
    entries_of,
    in_streams,
    named,
    pack,
    parts_of,
    singly,
    unpack,
    unpack_places,
)
from .store import NotWrittenError, StoreError, TileRow

RECONNECT_SECONDS = 30.0
"""So long a scribe looks for a server before it ends."""

PAUSE_SECONDS = 0.1
BEGIN_TRIES = 5
ROWS_A_PAGE = 16


class LostError(StoreError):
    """The connection is gone."""


class PostgresStore:
    """Implements `store.Store` on one database. `writer` marks what this process writes, and is nobody else's."""

    shared = True

    def __init__(self, url: str, *, writer: str) -> None:
        """Connect. Raises SojournError `record.store_unready` when the database is not prepared for a ledger."""
        self.directory = "the PostgreSQL database of the ledger"
        self._url = url
        self._writer = writer
        self._warnings: list[str] = []
        self._known: tuple[int, bytes] = (0, b"")
        self._writing = False
        self._inserted: int | None = None
        self._connection = self._connect()

    def close(self) -> None:
        """See `store.Store.close`."""
        self._connection.close()

    def remember(self, size: int, leaf: bytes) -> None:
        """See `store.Store.remember`."""
        self._known = (size, leaf)

    def _connect(self) -> Connection:
        try:
            connection = connect(self._url)
        except psycopg.OperationalError as error:
            raise LostError(str(error).strip()) from error
        connection.add_notice_handler(self._noticed)
        return connection

    def _noticed(self, said: psycopg.errors.Diagnostic) -> None:
        if said.severity_nonlocalized == "WARNING":
            self._warnings.append(said.message_primary or "a warning")

    def _reconnect(self) -> None:
        """Find the server again, or another that has taken its place, and see that it holds what was seen.

        Raises StoreError when there is none in time, and SojournError `record.behind` when it holds something else.
        """
        self._writing = False
        with suppress(psycopg.Error):
            self.close()
        until = time.monotonic() + RECONNECT_SECONDS
        while True:
            try:
                self._connection = self._connect()
                size, leaf = self._known
                held = self._size()
                if held < size or (size and self.leaves(size - 1, 1) != leaf):
                    raise SojournError(Code.RECORD_BEHIND, held=str(held), anchor="this scribe", seen=str(size))
            except LostError:
                if time.monotonic() > until:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def _size(self) -> int:
        (row,) = self._execute("SELECT size FROM sojourn.head").fetchall()
        return int(row[0])

    def size(self) -> int:
        """See `store.Store.size`."""
        ((size,),) = self._fetch("SELECT size FROM sojourn.head")
        return int(size)

    def _failure(self, error: psycopg.Error) -> StoreError:
        return (LostError if self._connection.closed else StoreError)(str(error).strip())

    def _execute(self, query: str, parameters: Sequence[object] = ()) -> psycopg.Cursor[Any]:
        cursor = self._connection.cursor(binary=True)
        try:
            # Every query is a literal of this package; values go as parameters.
            return cursor.execute(query.encode(), parameters)
        except psycopg.Error as error:
            raise self._failure(error) from error

    def _fetch(self, query: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Read; on another connection if this one is lost and no transaction with it."""
        for _ in range(BEGIN_TRIES):
            try:
                return self._execute(query, parameters).fetchall()
            except LostError:
                if self._writing:
                    raise
                self._reconnect()
        raise StoreError(f"the connection was lost {BEGIN_TRIES} times")

    @contextmanager
    def writing(self) -> Iterator[int]:
        """See `store.Store.writing`."""
        size = self._begin()
        self._inserted = None
        try:
            yield size
        except LostError as error:
            # Nobody has asked for the commit, so there is none.
            self._reconnect()
            raise NotWrittenError from error
        except BaseException:
            self._writing = False
            with suppress(psycopg.Error):
                self._connection.execute("ROLLBACK")
            raise
        try:
            self._commit()
        except LostError as error:
            self._reconnect()
            if not self._was_written():
                raise NotWrittenError from error

    def _begin(self) -> int:
        for _ in range(BEGIN_TRIES):
            try:
                self._execute("BEGIN")
                self._writing = True
                ((size,),) = self._execute("SELECT size FROM sojourn.head FOR UPDATE").fetchall()
            except LostError:
                self._reconnect()
            else:
                return int(size)
        raise StoreError(f"the connection was lost {BEGIN_TRIES} times")

    def _commit(self) -> None:
        """Commit. A warning says that a standby may not have it, which is as good as no answer."""
        self._warnings.clear()
        status = self._execute("COMMIT").statusmessage
        self._writing = False
        if status != "COMMIT" or self._warnings:
            raise StoreError(f"the commit was answered {status}: {'; '.join(self._warnings)}")

    def _was_written(self) -> bool:
        """Whether the last transaction is on record. Whoever still runs it holds the head until it has ended."""
        first = -1 if self._inserted is None else self._inserted
        for _ in range(BEGIN_TRIES):
            try:
                self._begin()
                rows = self._execute("SELECT writer FROM sojourn.batch WHERE first = %s", (first,)).fetchall()
                self._commit()
            except LostError:
                self._reconnect()
            else:
                return [row[0] for row in rows] == [self._writer]
        raise StoreError(f"the connection was lost {BEGIN_TRIES} times")

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
        many: list[tuple[str, Sequence[tuple[object, ...]]]] = [
            ("batch", [(*row, self._writer) for row in pack(entries)]),
            ("stream_part", parts_of(entries)),
            ("sealing_key", [(key.key, key.subject, key.recipient, key.wrapped) for key in keys]),
            ("sealed", [(one.commitment, one.key, one.ciphertext) for one in matter]),
            ("attachment", list(attachments)),
            ("tile", list(tiles)),
        ]
        head = self._connection.cursor()
        try:
            with self._connection.pipeline(), self._connection.cursor() as cursor:
                for table, rows in many:
                    if rows:
                        values = ", ".join(["%s"] * len(rows[0]))
                        again = " ON CONFLICT DO NOTHING" if table == "attachment" else ""
                        query = f"INSERT INTO sojourn.{table} VALUES ({values}){again}"  # noqa: S608 - names of ours
                        cursor.executemany(query.encode(), rows)
                if entries:
                    self._inserted, end = entries[0][0], entries[-1][0] + 1
                    head.execute("UPDATE sojourn.head SET size = %s WHERE size = %s", (end, self._inserted))
        except psycopg.Error as error:
            raise self._failure(error) from error
        if entries and head.rowcount != 1:
            raise StoreError("the head of the ledger is not where it was when it was locked")

    def destroy_keys(self, keys: Collection[str]) -> None:
        """See `store.Store.destroy_keys`."""
        self._execute(
            "UPDATE sojourn.sealing_key SET wrapped = decode(repeat('00', length(wrapped)), 'hex') "
            "WHERE key_id = ANY(%s)",
            (list(keys),),
        )

    def fold(self) -> None:
        """See `store.Store.fold`. The server does that."""

    def forget_old_pages(self) -> bool:
        """See `store.Store.forget_old_pages`. Dead rows and the write-ahead log are the server's to forget."""
        return True

    def insert_checkpoint(self, size: int, note: str) -> None:
        """See `store.Store.insert_checkpoint`."""
        self._execute("INSERT INTO sojourn.checkpoint VALUES (%s, %s) ON CONFLICT DO NOTHING", (size, note))

    def extent(self) -> tuple[int, int, int]:
        """See `store.Store.extent`."""
        query = "SELECT sum(count)::bigint, min(first), max(first + count - 1) FROM sojourn.batch"
        ((count, lowest, highest),) = self._fetch(query)
        return (count, lowest, highest) if count else (0, 0, -1)

    def gap(self) -> str | None:
        """See `store.Store.gap`."""
        return gap(self._fetch)

    def version(self, stream: str) -> int:
        """See `store.Store.version`."""
        query = (
            "SELECT version + length(places) / 8 - 1 FROM sojourn.stream_part WHERE stream = %s "
            "ORDER BY version DESC LIMIT 1"
        )
        return next((int(row[0]) for row in self._fetch(query, (stream,))), 0)

    def rows(self, start: int, end: int) -> Iterator[EntryRow]:
        """See `store.Store.rows`."""
        return (named(*one) for one in singly(self.bundles(start, end)))

    def bundles(self, start: int, end: int) -> Iterator[Bundle]:
        """See `store.Store.bundles`."""
        query = (
            "SELECT first, count, leaves, entries FROM sojourn.batch WHERE first < %s "
            "AND first >= coalesce((SELECT max(first) FROM sojourn.batch WHERE first <= %s), 0) ORDER BY first LIMIT %s"
        )
        while start < end:
            rows = self._fetch(query, (end, start, ROWS_A_PAGE))
            for row in rows:
                yield bundle_of(row, start, end)
            if len(rows) < ROWS_A_PAGE:
                return
            start = rows[-1][0] + rows[-1][1]

    def hashed(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """See `store.Store.hashed`."""
        return singly(self.bundles(start, end))

    def matching(self, start: int, end: int, prefixes: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """See `store.Store.matching`."""
        return in_streams(singly(self.bundles(start, end)), prefixes)

    def stream(self, stream: str, after: int) -> Iterator[tuple[int, bytes]]:
        """See `store.Store.stream`."""
        query = (
            "SELECT version, places FROM sojourn.stream_part WHERE stream = %s AND version >= coalesce("
            "(SELECT max(version) FROM sojourn.stream_part WHERE stream = %s AND version <= %s), 1) ORDER BY version"
        )
        parts = self._fetch(query, (stream, stream, after + 1))
        places = [(version, unpack_places(joined)) for version, joined in parts]
        return entries_of(stream, places, after, self._near)

    def _near(self, places: Sequence[int]) -> dict[int, bytes]:
        query = (
            "SELECT first, count, leaves, entries FROM sojourn.batch WHERE first IN "
            "(SELECT (SELECT max(first) FROM sojourn.batch WHERE first <= place) FROM unnest(%s::bigint[]) AS place)"
        )
        return {seq: data for row in self._fetch(query, (list(places),)) for seq, _, data in unpack(row)}

    def entry(self, seq: int) -> bytes | None:
        """See `store.Store.entry`."""
        return self._near((seq,)).get(seq)

    def leaves(self, start: int, count: int) -> bytes:
        """See `store.Store.leaves`."""
        query = (
            "SELECT first, leaves FROM sojourn.batch WHERE first < %s "
            "AND first >= coalesce((SELECT max(first) FROM sojourn.batch WHERE first <= %s), 0) ORDER BY first"
        )
        rows = self._fetch(query, (start + count, start))
        return b"".join(
            leaves[max(0, start - first) * HASH_BYTES : max(0, start + count - first) * HASH_BYTES]
            for first, leaves in rows
        )

    def tile(self, level: int, tile_index: int) -> bytes | None:
        """See `store.Store.tile`."""
        query = "SELECT hashes FROM sojourn.tile WHERE level = %s AND tile_index = %s"
        return next((row[0] for row in self._fetch(query, (level, tile_index))), None)

    def last_checkpoint(self) -> tuple[int, str] | None:
        """See `store.Store.last_checkpoint`."""
        query = "SELECT size, note FROM sojourn.checkpoint ORDER BY size DESC LIMIT 1"
        return next(((row[0], row[1]) for row in self._fetch(query)), None)

    def key(self, key_id: str) -> Key | None:
        """See `store.Store.key`."""
        query = "SELECT key_id, subject, recipient, wrapped FROM sojourn.sealing_key WHERE key_id = %s"
        return next((Key(*row) for row in self._fetch(query, (key_id,))), None)

    def usable_key(self, key_id: str) -> bool:
        """See `store.Store.usable_key`."""
        key = self.key(key_id)
        return key is not None and (not key.wrapped or any(key.wrapped))

    def keys(self, subject: str, after: str, limit: int) -> list[tuple[str, str, str, bool]]:
        """See `store.Store.keys`."""
        query = (
            "SELECT key_id, subject, recipient, wrapped FROM sojourn.sealing_key WHERE key_id > %s "
            "AND starts_with(subject, %s) ORDER BY key_id LIMIT %s"
        )
        rows = self._fetch(query, (after, subject, limit))
        return [(key, about, recipient, bool(held) and not any(held)) for key, about, recipient, held in rows]

    def taken(self, commitments: Collection[str]) -> set[str]:
        """See `store.Store.taken`."""
        rows = self._fetch("SELECT commitment FROM sojourn.sealed WHERE commitment = ANY(%s)", (list(commitments),))
        return {row[0] for row in rows}

    def ciphertext(self, commitment: str) -> Matter | None:
        """See `store.Store.ciphertext`."""
        query = "SELECT commitment, key_id, ciphertext FROM sojourn.sealed WHERE commitment = %s"
        return next((Matter(*row) for row in self._fetch(query, (commitment,))), None)

    def matter(self, commitment: str) -> tuple[Matter, Key] | None:
        """See `store.Store.matter`."""
        matter = self.ciphertext(commitment)
        key = None if matter is None else self.key(matter.key)
        if matter is None or key is None or (key.wrapped and not any(key.wrapped)):
            return None
        return matter, key

    def attachment(self, sha256: str) -> bytes | None:
        """See `store.Store.attachment`."""
        rows = self._fetch("SELECT bytes FROM sojourn.attachment WHERE sha256 = %s", (sha256,))
        return next((row[0] for row in rows), None)
