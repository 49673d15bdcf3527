"""Take a temporary login role out of a server: nothing of it may be left, and nobody else may lose anything.

- It does not rely on VALID UNTIL, which ends log-ins and not sessions. In this order: no more log-ins, sessions
  ended, prepared transactions rolled back, what no DROP OWNED knows taken away (see `remains`), owned objects dropped
  in every database, role dropped, absence read back.
- A session is known by the role's number, which it keeps after the role is gone. While one lives the role stays, so
  that it can still be ended.
- What the role owns is dropped with it and never handed to somebody mightier (a function that runs with its owner's
  rights would be theirs then). If something of somebody else depends on it, that is a failure for people to see.
"""

from __future__ import annotations

import asyncio
from typing import LiteralString

import psycopg
from psycopg import sql

from sojourn.targets.port import Claim, Removal

from .connection import INHERIT_OPTION_SINCE, Connection, Reach, again
from .observe import Standing, find_number
from .remains import Slot, drop_slots, drop_subscriptions, slots_in_doubt, slots_left_by, unschedule
from .trace import known, trace_login

TERMINATE_TRIES = 100
TERMINATE_PAUSE_SECONDS = 0.02
UNLINK_AT_ONCE = 1000
"""DROP OWNED locks every object in one transaction, and a server has room for so many locks only."""

_SESSIONS = "SELECT pid FROM pg_catalog.pg_stat_activity WHERE usesysid = ANY (%s)"
_TERMINATE = "SELECT pid, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usesysid = %s"
_OWNERLESS = """
SELECT pid FROM pg_catalog.pg_stat_activity s
WHERE usesysid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = s.usesysid)
"""
_PREPARED = "SELECT database, gid FROM pg_catalog.pg_prepared_xacts WHERE owner = %s ORDER BY 1, 2"
_ELSEWHERE = """
SELECT DISTINCT d.datname FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = %s
  AND d.datname <> pg_catalog.current_database()
ORDER BY 1
"""
_UNLINK = """
SELECT pg_catalog.lo_unlink(oid)
FROM (SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE lomowner = %s LIMIT %s) mine
"""
_MAPPINGS = """
SELECT s.srvname FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_user_mappings m ON m.srvid = s.oid
WHERE s.srvowner = %s AND m.umuser = 0
"""


async def take_away(reach: Reach, connection: Connection, claim: Claim, lock: asyncio.Lock) -> Removal:
    """Remove the login of the access, under whatever name it is found, and read back.

    `lock` keeps others of us from changing the same catalog rows meanwhile. If sessions will not end, the role stays,
    unable to log in, and the answer says so. A role that may be meant and cannot be told to be ours stays as it is, and
    the answer is in doubt.
    """
    found = await trace_login(connection, claim)
    slots = await slots_left_by(connection, claim, found.ours)
    ended = 0
    for role in found.ours:
        ended += await _take_one_or_find_it_gone(reach, connection, role, slots, lock)
    if not found.ours:
        await drop_slots(reach, slots, None)
    left = await trace_login(connection, claim)
    numbers = {known(claim).oid, *(role.oid for role in found.ours)}
    living = await _pids(connection, _SESSIONS, [*numbers])
    if not found.ours:
        # Whose these are cannot be told any more, so none may be left before we say that nothing is.
        living |= await _pids(connection, _OWNERLESS)
    return Removal(
        role_present=bool(left.ours),
        sessions_present=len(living),
        sessions_terminated=ended,
        doubt=found.elsewhere or left.doubt or await slots_in_doubt(connection, claim),
    )


async def _take_one_or_find_it_gone(
    reach: Reach, connection: Connection, role: Standing, slots: tuple[Slot, ...], lock: asyncio.Lock
) -> int:
    """As `_take_one`; that somebody else dropped the role meanwhile (another node of ours) is what was wanted.

    Which error a statement meets then depends on how far it was: an unknown role, a right that went with it, or others.
    """
    try:
        return await _take_one(reach, connection, role, slots, lock)
    except psycopg.OperationalError:
        raise
    except psycopg.DatabaseError:
        if await find_number(connection, role.oid) is not None:
            raise
        return 0


async def _take_one(
    reach: Reach, connection: Connection, role: Standing, slots: tuple[Slot, ...], lock: asyncio.Lock
) -> int:
    """Shut the role and drop it with its `slots`, if its sessions end; gives how many have."""
    quoted = sql.Identifier(role.name)

    async def shut() -> None:
        await connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN CONNECTION LIMIT 0 PASSWORD NULL").format(quoted))
        await join(connection, quoted)

    async def drop() -> None:
        async with connection.transaction():
            if not await sessions_of(connection, role):
                await connection.execute(sql.SQL("DROP OWNED BY {} RESTRICT").format(quoted))
                await connection.execute(sql.SQL("DROP ROLE {}").format(quoted))

    await again(shut)
    ended, living = await terminate(connection, role)
    if not living:
        await forget_prepared(reach, connection, role)
        await drop_slots(reach, slots, role)
        await drop_subscriptions(reach, connection, role)
        await unschedule(reach, connection, role)
        await _drop_elsewhere(reach, connection, role)
        await _loosen(connection, role)
        async with lock:
            await again(drop)
    return ended


async def sessions_of(connection: Connection, role: Standing) -> set[object]:
    """The process ids of the role's sessions."""
    return await _pids(connection, _SESSIONS, [role.oid])


async def _pids(connection: Connection, question: LiteralString, *values: int | list[int]) -> set[object]:
    cursor = await connection.execute(question, values)
    return {row[0] for row in await cursor.fetchall()}


async def terminate(connection: Connection, role: Standing) -> tuple[int, int]:
    """End every session of the role; gives how many have ended, and how many still live after a while."""
    seen: set[object] = set()
    living: set[object] = set()
    for _ in range(TERMINATE_TRIES):
        living = await _pids(connection, _TERMINATE, role.oid)
        seen |= living
        if not living:
            break
        await asyncio.sleep(TERMINATE_PAUSE_SECONDS)
    return len(seen - living), len(living)


async def join(connection: Connection, role: sql.Identifier) -> None:
    """Become a member of the role that we made: ending its sessions and dropping what it owns takes that."""
    statement: LiteralString = "GRANT {} TO CURRENT_USER"
    if connection.info.server_version >= INHERIT_OPTION_SINCE:
        statement = "GRANT {} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE"
    await connection.execute(sql.SQL(statement).format(role))


async def forget_prepared(reach: Reach, connection: Connection, role: Standing) -> None:
    """Roll back prepared transactions of the role, each in its own database: their locks outlive every session."""
    cursor = await connection.execute(_PREPARED, (role.name,))
    for database, gid in await cursor.fetchall():
        async with reach.connect(str(database)) as there:
            # Only who prepared it may roll it back.
            await there.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role.name)))
            await there.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))


async def _loosen(connection: Connection, role: Standing) -> None:
    """Drop what DROP OWNED would stumble over in this database.

    Those are large objects, some at a time, for anybody may make any number of them; and what its foreign servers hold
    for everybody, which belongs to nobody and only the server's owner can have made.
    """
    while (await connection.execute(_UNLINK, (role.oid, UNLINK_AT_ONCE))).rowcount:
        pass
    for (server,) in await (await connection.execute(_MAPPINGS, (role.oid,))).fetchall():
        statement = sql.SQL("DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER {}")
        await connection.execute(statement.format(sql.Identifier(str(server))))


async def _drop_elsewhere(reach: Reach, connection: Connection, role: Standing) -> None:
    """Drop what the role owns, or was given, in the other databases of the server."""
    cursor = await connection.execute(_ELSEWHERE, (role.oid,))
    for (database,) in await cursor.fetchall():
        async with reach.connect(str(database)) as there:
            await _loosen(there, role)

            async def drop(there: Connection = there) -> None:
                await there.execute(sql.SQL("DROP OWNED BY {} RESTRICT").format(sql.Identifier(role.name)))

            await again(drop)
