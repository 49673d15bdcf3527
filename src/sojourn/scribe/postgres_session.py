"""A connection to the ledger's database, and what has to be true of it before anything is written."""

from __future__ import annotations

from typing import Any, TypeAlias

import psycopg
from psycopg import conninfo

from sojourn.errors import Code, SojournError

from .postgres_schema import APPEND_ONLY, FUNCTIONS, TRIGGERS, UPDATABLE

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

_DEFAULTS = {
    "application_name": "sojourn-scribe",
    "connect_timeout": "5",
    "target_session_attrs": "read-write",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""What the address does not say; of several hosts, the one that may be written to is taken."""

_SETTINGS = (
    "SET search_path = ''",
    # A scribe that stands still holds up the others for so long at most; they wait a little longer than that.
    "SET idle_in_transaction_session_timeout = '10s'",
    "SET lock_timeout = '20s'",
    "SET statement_timeout = '60s'",
)


def connect(url: str) -> Connection:
    """Connect and check.

    Raises `psycopg.OperationalError` when there is no server that may be written to, and SojournError
    `record.store_unready` when the database, its settings or the role are not what a ledger needs.
    """
    try:
        parameters: dict[str, Any] = {**_DEFAULTS, **conninfo.conninfo_to_dict(url)}
    except psycopg.ProgrammingError as error:
        raise _unready("its address cannot be read") from error
    connection = psycopg.connect(conninfo.make_conninfo(**parameters), autocommit=True)
    try:
        for statement in _SETTINGS:
            connection.execute(statement)
        _check_settings(connection)
        _check_schema(connection)
        _check_role(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_settings(connection: Connection) -> None:
    for name in ("fsync", "full_page_writes"):
        if _one(connection, f"SHOW {name}") != "on":
            raise _unready(f"the server runs with {name} = off, so a commit may be lost")
    if _one(connection, "SHOW synchronous_commit") != "remote_apply":
        connection.execute("SET synchronous_commit = on")


def _check_schema(connection: Connection) -> None:
    """The tables are there, and every trigger with the function that it was made with."""
    tables = {*APPEND_ONLY, *UPDATABLE}
    found = _column(
        connection,
        "SELECT relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'sojourn' AND c.relkind IN ('r', 'v', 'm', 'p', 'f')",
    )
    if found != tables:
        raise _unready(f"its tables {', '.join(sorted(tables ^ found))} are missing or do not belong there")
    rows = connection.execute(
        "SELECT t.tgname, c.relname, p.proname, p.prosrc, t.tgenabled FROM pg_catalog.pg_trigger t "
        "JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid WHERE n.nspname = 'sojourn' AND NOT t.tgisinternal"
    ).fetchall()
    triggers = {
        (str(name), str(table), str(function), str(body), str(when)) for name, table, function, body, when in rows
    }
    expected = {(name, table, function, FUNCTIONS[function], "A") for name, (table, _, _, function) in TRIGGERS.items()}
    if odd := sorted({one[0] for one in triggers ^ expected}):
        raise _unready(f"its triggers {', '.join(odd)} are missing, were changed, or do not belong there")


def _check_role(connection: Connection) -> None:
    """The role that writes cannot change what is written."""
    if _one(connection, "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"):
        raise _unready("the scribe signs in as a superuser, who may change everything")
    owned = _column(
        connection,
        "SELECT relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'sojourn' AND c.relkind = 'r' AND pg_catalog.pg_has_role(c.relowner, 'MEMBER')",
    )
    if owned:
        raise _unready(f"the scribe's role owns {', '.join(sorted(owned))}, and could drop its triggers")
    too_much = _column(
        connection,
        "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'sojourn' AND c.relkind = 'r' AND (pg_catalog.has_table_privilege(c.oid, 'DELETE') "
        "OR pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') OR pg_catalog.has_table_privilege(c.oid, 'UPDATE') "
        "OR (c.relname <> ALL(%s) AND pg_catalog.has_any_column_privilege(c.oid, 'UPDATE')))",
        (list(UPDATABLE),),
    )
    if too_much:
        raise _unready(f"the scribe's role may change {', '.join(sorted(too_much))}")


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else row[0]


def _column(connection: Connection, query: str, parameters: tuple[object, ...] = ()) -> set[str]:
    return {str(row[0]) for row in connection.execute(query.encode(), parameters).fetchall()}


def _unready(problem: str) -> SojournError:
    return SojournError(Code.RECORD_STORE_UNREADY, problem=problem)
