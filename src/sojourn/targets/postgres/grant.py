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
from sojourn.domain.target import ObjectKind, Privilege, Role, Target, Verb
from sojourn.errors import Code, SojournError
from sojourn.targets.port import Claim, Made

from .connection import INHERIT_OPTION_SINCE, Connection
from .observe import OURS, SCHEMAS, expected, find, objects_of, observe
from .remains import slots_before
from .trace import identify, trace_account, trace_login

SALT_BYTES = 16

_CREATE: LiteralString = (
    "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE {} NOBYPASSRLS NOINHERIT"
    " CONNECTION LIMIT {} PASSWORD {} VALID UNTIL {}"
)
_VERBS: dict[Verb, LiteralString] = {
    Verb.SELECT: "SELECT",
    Verb.INSERT: "INSERT",
    Verb.UPDATE: "UPDATE",
    Verb.DELETE: "DELETE",
    Verb.TRUNCATE: "TRUNCATE",
    Verb.EXECUTE: "EXECUTE",
    Verb.USAGE: "USAGE",
}
_KINDS: dict[ObjectKind, LiteralString] = {
    ObjectKind.TABLE: "TABLE",
    ObjectKind.FUNCTION: "ROUTINE",
    ObjectKind.SEQUENCE: "SEQUENCE",
}
_MIGHTY = """
SELECT pg_catalog.concat_ws(', ',
    CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
    CASE WHEN rolreplication AND NOT %(replication)s THEN 'REPLICATION' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' END)
FROM pg_catalog.pg_roles WHERE rolname = %(name)s
"""


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


async def make(connection: Connection, target: Target, access: Access) -> Made:
    """Make it in one transaction; gives what was read back.

    Raises psycopg's errors, and SojournError `target.refused` if something else was read back; nothing is left then.
    """
    name, role = sql.Identifier(access.name), access.role
    async with connection.transaction():
        await connection.execute(
            sql.SQL(_CREATE).format(
                name,
                sql.SQL("REPLICATION" if role.replication else "NOREPLICATION"),
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
        for setting, value in role.defaults:
            await set_default(connection, name, setting, value)
        if role.as_owner:
            await _act_as(connection, target, name, role.as_owner)
        return await _read_back(connection, target, access, wanted)


async def prolong(connection: Connection, target: Target, claim: Claim) -> tuple[str, ...]:
    """Let log-ins go on until the claim's last end (VALID UNTIL); gives what was read back. Sessions feel nothing.

    Raises psycopg's errors, and SojournError `target.refused` if it is not ours or something else was read back.
    """
    until = claim.ends[-1]
    async with connection.transaction():
        ours = (await trace_login(connection, claim)).ours or (await trace_account(connection, claim)).ours
        standing = next((one for one in ours if one.name == claim.credential), None)
        if standing is None:
            problem = f"there is no login {claim.credential} that Sojourn opened for this access"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
        statement: LiteralString = "ALTER ROLE {} VALID UNTIL {}"
        name = sql.Identifier(standing.name)
        await connection.execute(sql.SQL(statement).format(name, sql.Literal(until.isoformat())))
        made = await find(connection, standing.name)
        if made is None or made.until != until or not made.login:
            problem = f"asked for an end at {until.isoformat()}, read back {made.until if made else 'no role'}"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
        return (f"VALID UNTIL {until.isoformat()}", *await observe(connection, made.oid))


async def _read_back(connection: Connection, target: Target, access: Access, wanted: set[str]) -> Made:
    made = await find(connection, access.name)
    assert made is not None
    observed = await observe(connection, made.oid)
    problem = ""
    if set(observed) != wanted:
        problem = f"asked for {', '.join(sorted(wanted))}, read back {', '.join(observed) or 'nothing'}"
    elif made.comment != OURS + access.name or not made.login or made.connections_max != access.role.connections_max:
        problem = f"the role came out otherwise than asked for: {made}"
    elif made.until != access.until:
        problem = f"asked for an end at {access.until.isoformat()}, read back {made.until}"
    if problem:
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
    before = await slots_before(connection, access.role)
    return Made(observed=observed, identity=str(await identify(connection, made.oid, access.verifier, before)))


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
    names = await objects_of(connection, privilege)
    if not names:
        return
    places: sql.Composable
    if privilege.kind is ObjectKind.FUNCTION:
        # The signatures are the server's own text, quoted where they have to be.
        places = sql.SQL(", ").join(map(sql.SQL, names))
    else:
        places = sql.SQL(", ").join(sql.Identifier(privilege.schema, name) for name in names)
    kind = sql.SQL(_KINDS[privilege.kind])
    await connection.execute(sql.SQL("GRANT {} ON {} {} TO {}").format(verbs, kind, places, grantee))


async def set_default(connection: Connection, name: sql.Identifier, setting: str, value: str) -> None:
    """Give the role a default for its sessions."""
    shown: sql.Composable = sql.Literal(value)
    if setting == SCHEMAS:
        shown = sql.SQL(", ").join(map(sql.Identifier, value.split(",")))
    await connection.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), shown))


async def _act_as(connection: Connection, target: Target, name: sql.Identifier, owner: str) -> None:
    """Let the role's sessions act as `owner` from their first statement, so that what they make is the owner's.

    Raises SojournError `target.refused` if that role may do more than own things.
    """
    await refuse_mighty(connection, target, owner)
    statement: LiteralString = "GRANT {} TO {}"
    if connection.info.server_version >= INHERIT_OPTION_SINCE:
        statement = "GRANT {} TO {} WITH INHERIT FALSE, SET TRUE"
    await connection.execute(sql.SQL(statement).format(sql.Identifier(owner), name))
    await set_default(connection, name, "role", owner)


async def refuse_mighty(connection: Connection, target: Target, name: str, *, replication: bool = False) -> None:
    """Raise SojournError `target.refused` if there is no such role, or it could make accesses that outlive this one.

    It may have REPLICATION if the configuration says `replication`.
    """
    row = await (await connection.execute(_MIGHTY, {"name": name, "replication": replication})).fetchone()
    if row is None or row[0]:
        problem = f"there is no role {name}" if row is None else f"{name} has {row[0]}, which no access may lend"
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
