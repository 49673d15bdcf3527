"""Keeps the read models in step with the ledger: every batch and the cursor in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, delete, event, inspect, select, text
from sqlalchemy.pool import StaticPool

from sojourn.domain.history import Recorded
from sojourn.errors import Code, SojournError

from .apply import fold
from .sealing import fold_keys
from .tables import FOLDED, SCHEMA, cursor, metadata
from .writer import Writer

CACHE_KILOBYTES = 64 * 1024
"""What SQLite may hold of the file in memory for each connection."""

LOG_PAGES = 16_384
"""So many pages (64 MB) the write-ahead log holds before it is folded into the file: most are written again before."""


@dataclass(slots=True)
class Projections:
    """The read models of one installation. `following` is the place of the next entry to fold."""

    engine: Engine
    following: int = 0
    _grown: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: int = 0
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def open(cls, path: Path | None) -> Projections:
        """The read models in the SQLite file `path` (in memory if None); those of another schema are dropped."""
        engine = create_engine(URL.create("sqlite", database=None if path is None else str(path)))
        event.listen(engine, "connect", _prepare)
        with engine.begin() as connection:
            connection.execute(text("PRAGMA journal_mode = WAL"))
            following = _cursor(connection)
            if following is None:
                metadata.drop_all(connection)
                metadata.create_all(connection)
                connection.execute(cursor.insert().values(id=1, following=0, schema=SCHEMA))
                following = 0
        if path is not None:
            path.chmod(0o600)
        return cls(engine=engine, following=following)

    @classmethod
    def snapshot(cls, path: Path) -> Projections:
        """A copy in memory of the read models in the file `path` as they are at this moment; the file is only read.

        Of read models of another schema, or of none, the copy knows nothing: its `following` is 0.
        """
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as file:
            file.backup(copy)
        engine = create_engine("sqlite://", creator=lambda: copy, poolclass=StaticPool)
        with engine.connect() as connection:
            return cls(engine=engine, following=_cursor(connection) or 0)

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold entries in; what has been folded before is passed over.

        Raises SojournError `record.damaged` when an entry is missing or out of order; then nothing is folded.
        """
        fresh = [recorded for recorded in batch if recorded.seq >= self.following]
        if not fresh:
            return
        for place, recorded in enumerate(fresh, self.following):
            if recorded.seq != place:
                problem = f"entry {recorded.seq} came where entry {place} belongs"
                raise SojournError(Code.RECORD_DAMAGED, problem=problem, path="ledger.db")
        with self.engine.begin() as connection:
            held = connection.connection.driver_connection
            assert isinstance(held, sqlite3.Connection), "the read models lie in SQLite"
            write = Writer(held)
            for recorded in fresh:
                fold(recorded, write)
            write.close()
            fold_keys(connection, fresh)
            following = fresh[-1].seq + 1
            connection.execute(cursor.update().values(following=following))
        self.following = following
        self._grown.set()
        self._grown = asyncio.Event()

    async def wait_for(self, size: int, seconds: float) -> None:
        """Until everything among the first `size` entries is folded, so that a writer reads its own write.

        Raises SojournError `service.timeout` after `seconds`.
        """
        if self.following >= size:
            return
        self._waiting += 1
        self._asked.set()
        try:
            async with asyncio.timeout(seconds):
                while self.following < size:
                    await self._grown.wait()
        except TimeoutError as error:
            raise SojournError(Code.SERVICE_TIMEOUT, what="Reading one's own write", seconds=f"{seconds:g}") from error
        finally:
            self._waiting -= 1

    async def gather(self, seconds: float) -> None:
        """Leave entries a moment in which to gather: folding many at once costs hardly more than folding one.

        Over at once when somebody waits for entries, or begins to.
        """
        self._asked.clear()
        if self._waiting:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._asked.wait()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to query with."""
        with self.engine.connect() as connection:
            yield connection

    def clear(self) -> None:
        """Forget everything; the next `apply` begins at the first entry."""
        with self.engine.begin() as connection:
            for table in FOLDED:
                connection.execute(delete(table))
            connection.execute(cursor.update().values(following=0))
        self.following = 0

    def digest(self) -> str:
        """SHA-256 (hex) over every row of every table in key order: equal folds have equal digests."""
        hashed = hashlib.sha256()
        with self.reading() as connection:
            for table in FOLDED:
                hashed.update(table.name.encode())
                for row in connection.execute(select(table).order_by(*table.primary_key.columns)):
                    hashed.update(msgspec.json.encode(list(row)))
        return hashed.hexdigest()


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    """Commit without waiting for the disk: what a power cut takes is folded again, as the cursor goes with it."""
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KILOBYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")


def _cursor(connection: Connection) -> int | None:
    """Where to go on, or None if the file has no read models of this schema."""
    if not inspect(connection).has_table(cursor.name):
        return None
    row = connection.execute(select(cursor.c.following, cursor.c.schema)).first()
    return None if row is None or row.schema != SCHEMA else int(row.following)
