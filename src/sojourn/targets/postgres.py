"""A temporary login role in PostgreSQL: exactly the privileges named, for exactly as long as the grant.

- One transaction makes the role and its privileges; what is then read back from the catalogs must be what was
  asked for, or it is undone.
- Taking back does not rely on VALID UNTIL, which ends log-ins and not sessions: no more log-ins, sessions ended,
  prepared transactions of the role rolled back, owned objects dropped, role dropped, absence read back.
- What the role owns is dropped with it and never handed to somebody mightier (a function that runs with its
  owner's rights would be theirs then).
- The server is never sent the password, only its SCRAM verifier, so no server log can hold it.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import LiteralString

import psycopg
from psycopg import AsyncConnection, errors, sql

from sojourn.domain.credential import ITERATIONS, derive_verifier
from sojourn.domain.target import Privilege, Role, Target, TlsMode
from sojourn.errors import Code, SojournError

from .observe import expected, observe
from .port import Removal

CONNECT_SECONDS = 5
STATEMENT_MS = 8000
LOCK_MS = 3000
SALT_BYTES = 16
TERMINATE_TRIES = 50
TERMINATE_PAUSE_SECONDS = 0.02


class PostgresDriver:
    """Implements `targets.port.TargetDriver` for PostgreSQL 15 and newer."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        """`random_bytes(n)` gives n fresh random bytes, for salts."""
        self._random_bytes = random_bytes

    async def grant(
        self, target: Target, role: Role, *, credential: str, password: str, until: datetime, secret: str
    ) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.grant`."""
        async with _administrator(target, secret) as connection:
            if await _exists(connection, credential):
                await self.revoke(target, credential=credential, secret=secret)
            async with _explained(target, role), connection.transaction():
                await self._create(connection, role, credential, password, until)
                for privilege in role.privileges:
                    await _give(connection, credential, privilege)
                observed = await observe(connection, credential)
                wanted = await expected(connection, role)
                if set(observed) != set(wanted):
                    problem = f"asked for {', '.join(wanted)}, read back {', '.join(observed) or 'nothing'}"
                    raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
            return observed

    async def _create(
        self, connection: AsyncConnection[tuple[object, ...]], role: Role, name: str, password: str, until: datetime
    ) -> None:
        verifier = derive_verifier(password, self._random_bytes(SALT_BYTES), ITERATIONS)
        keys = [base64.b64encode(part).decode() for part in (verifier.stored_key, verifier.server_key)]
        salt = base64.b64encode(verifier.salt).decode()
        hashed = f"SCRAM-SHA-256${verifier.iterations}:{salt}${keys[0]}:{keys[1]}"
        await connection.execute(
            sql.SQL(
                "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT"
                " CONNECTION LIMIT {} PASSWORD {} VALID UNTIL {}"
            ).format(
                sql.Identifier(name),
                sql.Literal(role.connections_max),
                sql.Literal(hashed),
                sql.Literal(until.isoformat()),
            )
        )

    async def revoke(self, target: Target, *, credential: str, secret: str) -> Removal:
        """See `targets.port.TargetDriver.revoke`."""
        async with _administrator(target, secret) as connection:
            terminated = 0
            async with _explained(target, None):
                if await _exists(connection, credential):
                    await connection.execute(
                        sql.SQL("ALTER ROLE {} NOLOGIN CONNECTION LIMIT 0").format(sql.Identifier(credential))
                    )
                    terminated = await _terminate(connection, credential)
                    await _forget_prepared(connection, credential)
                    async with connection.transaction():
                        await _own_membership(connection, credential)
                        await connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(credential)))
                        await connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(credential)))
                return Removal(
                    role_present=await _exists(connection, credential),
                    sessions_present=await _sessions(connection, credential),
                    sessions_terminated=terminated,
                )


Connection = AsyncConnection[tuple[object, ...]]


@asynccontextmanager
async def _administrator(target: Target, secret: str) -> AsyncIterator[Connection]:
    """A connection as Sojourn's own account. Raises SojournError `target.unreachable` or `target.refused`."""
    settings = f"-c search_path=pg_catalog -c statement_timeout={STATEMENT_MS} -c lock_timeout={LOCK_MS}"
    try:
        connection = await AsyncConnection.connect(
            host=target.host,
            port=target.port,
            dbname=target.database,
            user=target.administrator,
            password=secret,
            sslmode=target.tls,
            sslrootcert=target.tls_authority or ("system" if target.tls is TlsMode.VERIFY_FULL else None),
            connect_timeout=CONNECT_SECONDS,
            application_name="sojourn",
            options=settings,
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        refused = error.sqlstate is not None or "authentication failed" in str(error)
        code = Code.TARGET_REFUSED if refused else Code.TARGET_UNREACHABLE
        raise SojournError(code, target=target.name, problem=_first_line(error)) from error
    try:
        yield connection
    except psycopg.OperationalError as error:
        raise SojournError(Code.TARGET_UNREACHABLE, target=target.name, problem=_first_line(error)) from error
    finally:
        await connection.close()


@asynccontextmanager
async def _explained(target: Target, role: Role | None) -> AsyncIterator[None]:
    """Turn what the server says into our own words, by SQLSTATE and never by its text."""
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName) as error:
        raise SojournError(
            Code.TARGET_OBJECT_MISSING,
            role=role.name if role is not None else "",
            target=target.name,
            problem=_first_line(error),
        ) from error
    except errors.InsufficientPrivilege as error:
        raise SojournError(
            Code.TARGET_PRIVILEGE_MISSING,
            target=target.name,
            problem=_first_line(error),
            remedy=f"GRANT what the message names TO {target.administrator} WITH GRANT OPTION;",
        ) from error
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


async def _give(connection: Connection, name: str, privilege: Privilege) -> None:
    """Grant one privilege, and the use of its schema."""
    grantee, schema = sql.Identifier(name), sql.Identifier(privilege.schema)
    await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, grantee))
    columns: sql.Composable = sql.SQL("")
    if privilege.columns:
        columns = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, privilege.columns)))
    verbs = sql.SQL(", ").join(sql.SQL(_VERBS[verb]) + columns for verb in privilege.verbs)
    if not privilege.tables:
        await connection.execute(sql.SQL("GRANT {} ON ALL TABLES IN SCHEMA {} TO {}").format(verbs, schema, grantee))
        return
    for table in privilege.tables:
        await connection.execute(
            sql.SQL("GRANT {} ON TABLE {} TO {}").format(verbs, sql.Identifier(privilege.schema, table), grantee)
        )


_VERBS: dict[str, LiteralString] = {
    "select": "SELECT",
    "insert": "INSERT",
    "update": "UPDATE",
    "delete": "DELETE",
}


async def _exists(connection: Connection, name: str) -> bool:
    cursor = await connection.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", (name,))
    return await cursor.fetchone() is not None


async def _sessions(connection: Connection, name: str) -> int:
    cursor = await connection.execute("SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE usename = %s", (name,))
    row = await cursor.fetchone()
    assert row is not None and isinstance(row[0], int)
    return row[0]


async def _terminate(connection: Connection, name: str) -> int:
    """End every session of the role and wait until they are gone; gives how many there were."""
    await _own_membership(connection, name)
    terminated = 0
    for _ in range(TERMINATE_TRIES):
        cursor = await connection.execute(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = %s", (name,)
        )
        found = len(await cursor.fetchall())
        if not found:
            return terminated
        terminated = max(terminated, found)
        await asyncio.sleep(TERMINATE_PAUSE_SECONDS)
    return terminated


async def _own_membership(connection: Connection, name: str) -> None:
    """Become a member of the role that we made, which ending its sessions and dropping what it owns takes."""
    cursor = await connection.execute(
        "SELECT pg_catalog.pg_has_role(current_user, %s, 'USAGE')",
        (name,),
    )
    row = await cursor.fetchone()
    if row is None or row[0] is not True:
        await connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))


async def _forget_prepared(connection: Connection, name: str) -> None:
    """Roll back prepared transactions of the role: their locks would make DROP ROLE wait for ever."""
    cursor = await connection.execute(
        "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE owner = %s AND database = pg_catalog.current_database()",
        (name,),
    )
    for (gid,) in await cursor.fetchall():
        async with _as_role(connection, name):
            await connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))


@asynccontextmanager
async def _as_role(connection: Connection, name: str) -> AsyncIterator[None]:
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(name)))
    try:
        yield
    finally:
        await connection.execute("RESET ROLE")
