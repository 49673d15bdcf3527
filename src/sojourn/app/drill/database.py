"""A clone of a ledger in PostgreSQL: another database on the same server.

Its owner can do everything there: take the triggers off, rewrite every row, and put the triggers back. A scribe signs
in to it as the role that it always has, and finds a database that is prepared for a ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql

from sojourn.app.kept import Kept
from sojourn.errors import Code, SojournError
from sojourn.scribe.postgres_schema import APPEND_ONLY, TRIGGERS, UPDATABLE, script
from sojourn.scribe.postgres_store import PostgresStore
from sojourn.scribe.rows import EntryRow, pack_places
from sojourn.scribe.sqlite_store import SqliteStore
from sojourn.scribe.store import StoreError, TileRow

from .forging import Connection, write_rows

PREFIX = "sojourn_drill_"
_COPIED = {
    "batch": "first, count, leaves, entries",
    "tile": "level, tile_index, hashes",
    "checkpoint": "size, note",
    "attachment": "sha256, bytes",
    "sealing_key": "key_id, subject, recipient, wrapped",
    "sealed": "commitment, key_id, ciphertext",
}
"""What both kinds of store hold, in the words of both."""


@dataclass(frozen=True, slots=True)
class _Translated:
    """Implements `forging.Connection`: a question mark stands for a value here, as everywhere in the drill."""

    connection: psycopg.Connection[Any]

    def execute(self, query: str, parameters: Sequence[object] = (), /) -> Any:
        """See `forging.Connection.execute`."""
        return self.connection.execute(query.replace("?", "%s").encode(), parameters)

    def executemany(self, query: str, parameters: Sequence[Sequence[object]], /) -> Any:
        """See `forging.Connection.executemany`."""
        with self.connection.cursor() as cursor:
            cursor.executemany(query.replace("?", "%s").encode(), parameters)


@dataclass(frozen=True, slots=True)
class DatabaseTables:
    """Implements `forging.Tables` for a clone at `owner`, the address of the database for its owner."""

    owner: str

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        """See `forging.Tables.opened`."""
        with psycopg.connect(self.owner) as connection:
            connection.execute("SET LOCAL search_path = sojourn")
            for name, (table, *_) in TRIGGERS.items():
                connection.execute(_alter("ALTER TABLE {} DISABLE TRIGGER {}", table, name))
            connection.execute("ALTER TABLE batch ALTER COLUMN writer SET DEFAULT 'drill'")
            yield _Translated(connection)
            connection.execute("ALTER TABLE batch ALTER COLUMN writer DROP DEFAULT")
            for name, (table, *_) in TRIGGERS.items():
                connection.execute(_alter("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", table, name))

    def replace(self, connection: Connection, rows: Sequence[EntryRow], tiles: Sequence[TileRow]) -> None:
        """See `forging.Tables.replace`."""
        for table in ("batch", "stream_part", "tile"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        write_rows(connection, rows, tiles)
        places: dict[str, list[int]] = {}
        for seq, stream, *_ in rows:
            places.setdefault(stream, []).append(seq)
        parts = [(stream, 1, pack_places(found)) for stream, found in places.items()]
        connection.executemany("INSERT INTO stream_part (stream, version, places) VALUES (?, ?, ?)", parts)
        connection.execute("UPDATE head SET size = ?", (len(rows),))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseGround:
    """Implements `clones.Ground`. `maker` is an address on which databases may be made, `scribe` that of the scribe."""

    maker: str
    scribe: str
    database: str
    directory: Path

    @property
    def tables(self) -> DatabaseTables:
        """See `clones.Ground.tables`."""
        return DatabaseTables(_address(self.maker, self.database))

    def copied(self, directory: Path, number: int) -> DatabaseGround:
        """See `clones.Ground.copied`. There is one database for all that are attacked, one after another: to make a
        database takes a server longer than to fill one.
        """
        attacked = replace(self, database=f"{self.database}_attacked", directory=directory)
        if number == 1:
            _make(self.maker, attacked.database, self.scribe)
        with psycopg.connect(_address(self.maker, self.database)) as source:
            _fill(attacked, source)
        return attacked

    @contextmanager
    def verifiable(self) -> Iterator[Path]:
        """See `clones.Ground.verifiable`: all that the database holds, row by row, in a file. It is written once, since
        nothing is done to a clone any more when it is looked at.
        """
        path = self.directory / "exported.db"
        if not path.exists():
            self._export(path)
        yield path

    def _export(self, path: Path) -> None:
        SqliteStore(path).close()
        with (
            psycopg.connect(_address(self.maker, self.database)) as one,
            closing(sqlite3.connect(path, isolation_level=None)) as other,
        ):
            other.execute("BEGIN")
            for table, columns in _COPIED.items():
                rows = one.execute(f"SELECT {columns} FROM sojourn.{table} ORDER BY 1".encode()).fetchall()  # noqa: S608
                named = columns
                if table == "sealed":
                    # A file keeps them in the order in which they came; here any order does.
                    named, rows = f"place, {columns}", [(place, *row) for place, row in enumerate(rows, 1)]
                values = ", ".join("?" for _ in named.split(", "))
                other.executemany(f"INSERT INTO {table} ({named}) VALUES ({values})", rows)  # noqa: S608
            other.execute("COMMIT")
        SqliteStore(path).close()

    @contextmanager
    def store(self) -> Iterator[PostgresStore]:
        """See `clones.Ground.store`."""
        with closing(PostgresStore(_address(self.scribe, self.database), writer="drill")) as store:
            yield store

    @contextmanager
    def kept(self) -> Iterator[Kept]:
        """See `clones.Ground.kept`."""
        with self.store() as store:
            yield Kept(source=store, path=Path(self.database))


def clone_database(scribe: str, maker: str, directory: Path, name: str) -> DatabaseGround:
    """A copy of the ledger at `scribe` in a new database, made by who signs in at `maker`.

    Raises SojournError `input.invalid` when none can be made there, or `record.unavailable`.
    """
    database = PREFIX + name
    ground = DatabaseGround(maker=maker, scribe=scribe, database=database, directory=directory)
    _make(maker, database, scribe)
    try:
        with psycopg.connect(scribe) as source:
            _fill(ground, source)
    except (psycopg.Error, StoreError) as error:
        raise SojournError(Code.RECORD_UNAVAILABLE) from error
    return ground


def _make(maker: str, database: str, scribe: str) -> None:
    """A new database that is prepared for a ledger. Raises SojournError `input.invalid`."""
    role = str(conninfo.conninfo_to_dict(scribe).get("user", ""))
    try:
        with psycopg.connect(maker, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        with psycopg.connect(_address(maker, database)) as connection:
            connection.execute(script(role).encode())
    except (psycopg.Error, ValueError) as error:
        problem = f"No database can be made for the clone: {str(error).strip()}"
        expected = "an address of somebody who may make databases on the ledger's server"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected=expected) from error


def _fill(ground: DatabaseGround, source: psycopg.Connection[Any]) -> None:
    """Put every row of a ledger, as of one moment, in the place of what is there."""
    source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    with ground.tables.opened() as target:
        for table in (*APPEND_ONLY, "sealing_key"):
            target.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            rows = source.execute(f"SELECT * FROM sojourn.{table} ORDER BY 1".encode()).fetchall()  # noqa: S608
            if rows:
                values = ", ".join("?" for _ in rows[0])
                target.executemany(f"INSERT INTO {table} VALUES ({values})", rows)  # noqa: S608
        (size,) = source.execute("SELECT size FROM sojourn.head").fetchone() or (0,)
        target.execute("UPDATE head SET size = ?", (size,))
    assert set(UPDATABLE) == {"head", "sealing_key"}, "every table is copied"


def drop_databases(maker: str, name: str) -> None:
    """Remove all clones of a drill."""
    with psycopg.connect(maker, autocommit=True) as connection:
        query = "SELECT datname FROM pg_catalog.pg_database WHERE starts_with(datname, %s)"
        for (database,) in connection.execute(query, (PREFIX + name,)).fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def _address(address: str, database: str) -> str:
    return conninfo.make_conninfo(address, dbname=database)


def _alter(text: str, table: str, trigger: str) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(table), sql.Identifier(trigger))
