"""`python -m benchmarks.psycopg_battery HOST PORT USER DATABASE`: what programs do with psycopg 3, as checks.

Its own tests are in no package, so these go through what its manual describes. It carries libpq 18. Says
`N passed, N failed` at the end, like the suites of others. The password comes from PGPASSWORD, TLS from PGSSLMODE.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[tuple[Any, ...]]
Check = Callable[[Connection], None]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Mark a function as one of the checks; it gets a connection of its own that commits by itself."""
    CHECKS.append(function)
    return function


def where() -> dict[str, Any]:
    """How to connect."""
    host, port, user, database = sys.argv[1:5]
    return {"host": host, "port": port, "user": user, "dbname": database}


@contextmanager
def connect(**more: Any) -> Iterator[Connection]:
    """A connection that commits by itself."""
    with psycopg.connect(**where(), autocommit=True, **more) as connection:
        yield connection


@check
def values_of_every_kind_come_back(connection: Connection) -> None:
    """In text and in binary."""
    moment = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)
    values: tuple[Any, ...] = (
        7, 2**40, Decimal("1.50"), 1.5, "ü€\U0001f600", b"\x00\xff", True, None, moment, timedelta(hours=1),
        UUID(int=5), [1, 2, 3],
    )  # fmt: skip
    for binary in (False, True):
        question = "SELECT " + ", ".join(["%b" if binary else "%t"] * len(values))
        with connection.cursor(binary=binary) as cursor:
            assert cursor.execute(question.encode(), values).fetchone() == values


@check
def json_and_composites(connection: Connection) -> None:
    """Documents and arrays of rows."""
    row = connection.execute("SELECT %s::jsonb, ROW(1, 'a')", (Jsonb({"a": [1, None]}),)).fetchone()
    assert row is not None and row[0] == {"a": [1, None]} and row[1] == ("1", "a")


@check
def pipeline_mode(connection: Connection) -> None:
    """Many statements without waiting, an error among them, and going on after it."""
    with connection.pipeline():
        cursors = [connection.execute("SELECT %s", (place,)) for place in range(200)]
    assert [cursor.fetchone() for cursor in cursors] == [(place,) for place in range(200)]
    failed = False
    try:
        with connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("SELECT 1/0")
            connection.execute("SELECT 2")
    except errors.DivisionByZero:
        failed = True
    assert failed and connection.execute("SELECT 3").fetchone() == (3,)


@check
def many_parameters_with_returning(connection: Connection) -> None:
    """`executemany` reads every result."""
    connection.execute("CREATE TEMP TABLE many (a int)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO many VALUES (%s) RETURNING a", [(one,) for one in range(50)], returning=True)
        found = []
        while True:
            found.append(cursor.fetchone())
            if not cursor.nextset():
                break
    assert found == [(one,) for one in range(50)]


@check
def statements_are_prepared_and_dropped(connection: Connection) -> None:
    """Beyond the threshold, and beyond how many are kept."""
    connection.prepare_threshold, connection.prepared_max = 1, 2
    for _ in range(3):
        for text in ("SELECT 1 + %s", "SELECT 2 + %s", "SELECT 3 + %s", "SELECT 4 + %s"):
            assert connection.execute(text.encode(), (1,)).fetchone() is not None
    row = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert row is not None and row[0] <= 3
    connection.execute("DEALLOCATE ALL")
    assert connection.execute("SELECT 1 + %s", (1,), prepare=True).fetchone() == (2,)


@check
def server_side_cursors(connection: Connection) -> None:
    """Named, scrollable, and held beyond the transaction."""
    with connection.transaction(), connection.cursor("named", scrollable=True) as cursor:
        cursor.execute("SELECT generate_series(1, 1000)")
        assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
        cursor.scroll(500)
        assert cursor.fetchone() == (504,)
        cursor.scroll(0, mode="absolute")
        assert len(cursor.fetchall()) == 1000
    with connection.cursor("held", withhold=True) as cursor:
        cursor.execute("SELECT generate_series(1, 10)")
        assert len(cursor.fetchall()) == 10


@check
def rows_in_a_stream(connection: Connection) -> None:
    """One by one, and in chunks (libpq 17)."""
    with connection.cursor() as cursor:
        assert sum(row[0] for row in cursor.stream("SELECT generate_series(1, 1000)")) == 500_500
        assert sum(row[0] for row in cursor.stream("SELECT generate_series(1, 1000)", size=100)) == 500_500


@check
def copy_in_and_out(connection: Connection) -> None:
    """In text and binary, by rows and by blocks."""
    connection.execute("CREATE TEMP TABLE copied (a int4, b text)")
    for form in ("", " (FORMAT binary)"):
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY copied FROM STDIN{form}".encode()) as copy:
                copy.set_types(["int4", "text"])
                for place in range(1000):
                    copy.write_row((place, f"row {place}\t\\"))
            with cursor.copy(f"COPY copied TO STDOUT{form}".encode()) as copy:
                copy.set_types(["int4", "text"])
                rows = list(copy.rows())
        assert len(rows) == 1000 and rows[999] == (999, "row 999\t\\")
        connection.execute("TRUNCATE copied")


@check
def a_copy_that_fails_leaves_the_session(connection: Connection) -> None:
    """By the target, and by the program."""
    connection.execute("CREATE TEMP TABLE once (a int PRIMARY KEY)")
    for problem in (errors.UniqueViolation, ZeroDivisionError):
        try:
            with connection.cursor() as cursor, cursor.copy("COPY once FROM STDIN") as copy:
                copy.write("1\n1\n" if problem is errors.UniqueViolation else "2\n")
                if problem is ZeroDivisionError:
                    raise ZeroDivisionError
        except (errors.UniqueViolation, ZeroDivisionError):
            pass
        assert connection.execute("SELECT count(*) FROM once").fetchone() == (0,)


@check
def transactions_and_savepoints(connection: Connection) -> None:
    """Nested, rolled back in part, in every isolation."""
    connection.execute("CREATE TEMP TABLE kept (a int)")
    with connection.transaction():
        connection.execute("INSERT INTO kept VALUES (1)")
        try:
            with connection.transaction():
                connection.execute("INSERT INTO kept VALUES (2)")
                raise psycopg.Rollback
        except psycopg.Rollback:
            pass
    assert connection.execute("SELECT a FROM kept").fetchall() == [(1,)]
    connection.autocommit = False
    for level in psycopg.IsolationLevel:
        connection.isolation_level = level
        shown = connection.execute("SHOW transaction_isolation").fetchone()
        assert shown == (level.name.lower().replace("_", " "),)
        connection.rollback()


@check
def two_phases(connection: Connection) -> None:
    """A transaction is prepared, found again and committed."""
    connection.autocommit = False
    name = connection.xid(1, "battery", "branch")
    connection.tpc_begin(name)
    connection.execute("SELECT 1")
    connection.tpc_prepare()
    with connect() as other:
        assert any(one.gtrid == "battery" for one in other.tpc_recover())
    connection.tpc_commit()


@check
def notifications(connection: Connection) -> None:
    """From the session itself and from another one, with its process id."""
    connection.execute("LISTEN battery")
    with connect() as other:
        other.execute("SELECT pg_notify('battery', 'hello')")
        process = other.info.backend_pid
    (told,) = connection.notifies(timeout=10, stop_after=1)
    assert (told.channel, told.payload, told.pid) == ("battery", "hello", process)


@check
def a_cancelled_statement(connection: Connection) -> None:
    """In both ways that libpq has, and nothing that follows is hit."""
    for cancel in (connection.cancel, connection.cancel_safe):
        threading.Timer(0.3, cancel).start()
        try:
            connection.execute("SELECT pg_sleep(30)")
            raise AssertionError("it was not cancelled")
        except errors.QueryCanceled:
            pass
        for _ in range(50):
            connection.execute("SELECT 1")


@check
def what_an_error_says(connection: Connection) -> None:
    """All its fields."""
    connection.execute("CREATE TEMP TABLE told (a int CONSTRAINT positive CHECK (a > 0))")
    try:
        connection.execute("INSERT INTO told VALUES (-1)")
    except errors.CheckViolation as error:
        told = error.diag
        assert (told.sqlstate, told.constraint_name, told.table_name) == ("23514", "positive", "told")
    try:
        connection.execute("SELECT\n nothing")
    except errors.UndefinedColumn as error:
        assert error.diag.statement_position == "9"


@check
def notices(connection: Connection) -> None:
    """Of the levels that a program asks for."""
    told: list[str] = []
    connection.add_notice_handler(lambda diag: told.append(f"{diag.severity} {diag.message_primary}"))
    connection.execute("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
    assert told == ["NOTICE one", "WARNING two"]


@check
def what_is_known_of_the_connection(connection: Connection) -> None:
    """Process, settings that the server reports, encodings and time zone."""
    assert connection.execute("SELECT pg_backend_pid()").fetchone() == (connection.info.backend_pid,)
    connection.execute("SET TIME ZONE 'Asia/Kolkata'")
    assert str(connection.info.timezone) == "Asia/Kolkata"
    connection.execute("SET client_encoding TO latin1")
    assert connection.info.encoding == "iso8859-1"
    assert connection.execute("SELECT %s", ("é",)).fetchone() == ("é",)
    assert connection.info.server_version >= 150_000


@check
def options_of_the_start(connection: Connection) -> None:
    """Settings, the name of the program, and an encoding."""
    with connect(options="-c search_path=a,b -c statement_timeout=7s", application_name="battery") as other:
        assert other.execute("SHOW search_path").fetchone() == ("a,b",)
        assert other.execute("SHOW statement_timeout").fetchone() == ("7s",)
        assert other.execute("SHOW application_name").fetchone() == ("battery",)


@check
def protocol_and_binding(connection: Connection) -> None:
    """The newest protocol, and with TLS a log-in that is bound to the channel."""
    with connect(max_protocol_version="latest") as other:
        assert other.execute("SELECT 1").fetchone() == (1,)
    if os.environ.get("PGSSLMODE") == "require":
        with connect(channel_binding="require") as other:
            assert other.execute("SELECT 1").fetchone() == (1,)


@check
def large_values(connection: Connection) -> None:
    """Of 16 MB, both ways."""
    value = "x" * (16 << 20)
    assert connection.execute("SELECT %s", (value,)).fetchone() == (value,)
    assert connection.execute("SELECT %b", (value.encode(),)).fetchone() == (value.encode(),)


@check
def several_statements_and_results(connection: Connection) -> None:
    """In one text, with rows of several kinds."""
    cursor = connection.execute("SELECT 1; SELECT 'a' AS name; CREATE TEMP TABLE t (a int); SELECT 2")
    found = [cursor.fetchone()]
    while cursor.nextset():
        found.append(cursor.fetchone() if cursor.description else None)
    assert found == [(1,), ("a",), None, (2,)]
    with connection.cursor(row_factory=dict_row) as named:
        assert named.execute("SELECT 1 AS a, 2 AS b").fetchone() == {"a": 1, "b": 2}


@check
def names_and_texts_that_are_put_together(connection: Connection) -> None:
    """With quotes, percent signs and comments."""
    name = sql.Identifier('odd "name" -- %')
    connection.execute(sql.SQL("CREATE TEMP TABLE {} (a text)").format(name))
    connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(name, sql.Literal("it's; -- %s")))
    assert connection.execute(sql.SQL("SELECT a FROM {}").format(name)).fetchone() == ("it's; -- %s",)


@check
def raw_and_client_side_binding(connection: Connection) -> None:
    """Parameters by number, and parameters that the client puts into the text."""
    with psycopg.RawCursor(connection) as raw:
        assert raw.execute("SELECT $1::int + $1::int", (2,)).fetchone() == (4,)
    with psycopg.ClientCursor(connection) as client:
        assert client.execute("SELECT %s, %s", ("it's", 1)).fetchone() == ("it's", 1)


@check
def many_connections_at_once(connection: Connection) -> None:
    """With asyncio, each with statements of its own."""

    async def one(place: int) -> int:
        there = await psycopg.AsyncConnection.connect(**where(), autocommit=True)
        async with there:
            row = await (await there.execute("SELECT %s::int", (place,))).fetchone()
        assert row is not None
        return int(row[0])

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(one(place) for place in range(20)))

    assert asyncio.run(all_of_them()) == list(range(20))


@check
def a_session_that_is_ended_is_told(connection: Connection) -> None:
    """By an administrator of the server."""
    with connect() as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            assert "terminating connection" in str(error) or error.sqlstate == "57P01"
            assert connection.closed
            return
    raise AssertionError("it was not ended")


def main() -> int:
    """Run every check on a connection of its own."""
    failed = 0
    for one in CHECKS:
        try:
            with connect() as connection:
                one(connection)
        except (AssertionError, LookupError, OSError, TypeError, ValueError, psycopg.Error):
            failed += 1
            sys.stdout.write(f"FAIL {one.__name__}\n{traceback.format_exc()}")
    sys.stdout.write(f"{len(CHECKS) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
