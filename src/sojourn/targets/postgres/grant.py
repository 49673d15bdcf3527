"""Make a temporary login role: one transaction, and only if what is read back is exactly what was asked for.

The server is never sent the password, only its SCRAM verifier (RFC 5802, 7677), so no server log can hold it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from sojourn.domain.credential import ITERATIONS, derive_verifier
from sojourn.domain.target import Privilege, Recording, Role, Target
from sojourn.errors import Code, SojournError

from .connection import Connection
from .observe import OURS, expected, find, observe, tables_of

SALT_BYTES = 16

_CREATE: LiteralString = (
    "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
    " CONNECTION LIMIT {} PASSWORD {} VALID UNTIL {}"
)
_VERBS: dict[str, LiteralString] = {
    "select": "SELECT",
    "insert": "INSERT",
    "update": "UPDATE",
    "delete": "DELETE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is to be made: a login called `name`, for `role`, until `until`. `verifier` is the password's."""

    name: str
    role: Role
    verifier: str
    until: datetime


def verifier_of(password: str, random_bytes: Callable[[int], bytes]) -> str:
    """The password as PostgreSQL keeps it."""
    verifier = derive_verifier(password, random_bytes(SALT_BYTES), ITERATIONS)
    keys = [base64.b64encode(part).decode() for part in (verifier.stored_key, verifier.server_key)]
    return f"SCRAM-SHA-256${verifier.iterations}:{base64.b64encode(verifier.salt).decode()}${keys[0]}:{keys[1]}"


async def make(connection: Connection, target: Target, access: Access) -> tuple[str, ...]:
    """Make it in one transaction; gives what was read back.

    Raises psycopg's errors, and SojournError `target.refused` if something else was read back; nothing is left then.
    """
    name, role = sql.Identifier(access.name), access.role
    async with connection.transaction():
        await connection.execute(
            sql.SQL(_CREATE).format(
                name,
                sql.Literal(role.connections_max),
                sql.Literal(access.verifier),
                sql.Literal(access.until.isoformat()),
            )
        )
        await connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(OURS + access.name)))
        wanted = {*await expected(connection, role)}
        if not await _may_connect(connection, access.name):
            database = sql.Identifier(target.database)
            await connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name))
            wanted.add(f"CONNECT on database {target.database}")
        for privilege in role.privileges:
            await _give(connection, name, privilege)
        if role.recording is Recording.BEFORE_RELEASE:
            await connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
        return await _read_back(connection, target, access, wanted)


async def _read_back(connection: Connection, target: Target, access: Access, wanted: set[str]) -> tuple[str, ...]:
    made = await find(connection, access.name)
    assert made is not None
    observed = await observe(connection, made.oid)
    problem = ""
    if set(observed) != wanted:
        problem = f"asked for {', '.join(sorted(wanted))}, read back {', '.join(observed) or 'nothing'}"
    elif not made.ours or not made.login or made.connections_max != access.role.connections_max:
        problem = f"the role came out otherwise than asked for: {made}"
    elif made.until != access.until:
        problem = f"asked for an end at {access.until.isoformat()}, read back {made.until}"
    if problem:
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
    return observed


async def _may_connect(connection: Connection, name: str) -> bool:
    cursor = await connection.execute(
        "SELECT pg_catalog.has_database_privilege(%s, pg_catalog.current_database(), 'CONNECT')", (name,)
    )
    row = await cursor.fetchone()
    return row is not None and row[0] is True


async def _give(connection: Connection, grantee: sql.Identifier, privilege: Privilege) -> None:
    """Grant one privilege, and the use of its schema."""
    schema = sql.Identifier(privilege.schema)
    await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, grantee))
    columns: sql.Composable = sql.SQL("")
    if privilege.columns:
        columns = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, privilege.columns)))
    verbs = sql.SQL(", ").join(sql.SQL(_VERBS[verb]) + columns for verb in privilege.verbs)
    # GRANT … ON ALL TABLES takes no columns, so the tables are named one by one when there are columns.
    if not privilege.tables and not privilege.columns:
        await connection.execute(sql.SQL("GRANT {} ON ALL TABLES IN SCHEMA {} TO {}").format(verbs, schema, grantee))
        return
    for table in privilege.tables or await tables_of(connection, privilege.schema):
        await connection.execute(
            sql.SQL("GRANT {} ON TABLE {} TO {}").format(verbs, sql.Identifier(privilege.schema, table), grantee)
        )
