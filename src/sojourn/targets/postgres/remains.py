"""What a role leaves that is dropped with no role: replication slots, subscriptions, scheduled jobs.

- A slot has no owner. One is surely an access's if it came while the access was open, and bears its login's name
  (`LOGIN` or `LOGIN_…`) or was held by one of its sessions when they were ended. Such a slot is dropped.
- Any other that came meanwhile may be a standby's, which would be lost without it. If a login of somebody else holds
  it, it is theirs. If nobody does, that is a doubt, which people settle: they drop it, or connect what it is for.
- A subscription is dropped without a word to its publisher: the server there is none of ours, and may be gone.
- A job of pg_cron is known by the login's name, and would run again for a later login of that name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import LiteralString

from psycopg import errors, sql

from sojourn.domain.target import Role
from sojourn.targets.port import Claim

from .connection import Connection, Reach
from .observe import Standing
from .trace import known

DOUBTS_SHOWN = 5
_OTHER_ACCESS = re.compile(r"sojourn_g[0-9a-z]{10}(_|$)")
"""Slots that bear the name of a login that Sojourn made (`look.NAMED`)."""

_SLOTS = """
SELECT s.slot_name, COALESCE(s.database, ''), s.active, COALESCE(a.usesysid, 0)::pg_catalog.int8
FROM pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid
WHERE NOT s.temporary ORDER BY 1
"""
_SUBSCRIPTIONS = """
SELECT d.datname, s.subname FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
WHERE s.subowner = %s ORDER BY 1, 2
"""
_SCHEDULER = "SELECT pg_catalog.current_setting('cron.max_running_jobs', true) IS NOT NULL"
_DATABASES = """
SELECT d.datname FROM pg_catalog.pg_database d
WHERE d.datallowconn AND pg_catalog.has_database_privilege(d.oid, 'CONNECT')
  AND pg_catalog.has_database_privilege(%(role)s::pg_catalog.oid, d.oid, 'CONNECT')
ORDER BY 1
"""
_MAY_SCHEDULE = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'cron' AND c.relname = 'job'
      AND pg_catalog.has_schema_privilege(%s::pg_catalog.oid, n.oid, 'USAGE'))
"""
_UNSCHEDULE = "SELECT cron.unschedule(jobid) FROM cron.job WHERE username = current_user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A permanent replication slot. `database` is "" for a physical one, `holder` the number of the login using it."""

    name: str
    database: str
    active: bool
    holder: int


async def slots_of(connection: Connection) -> tuple[Slot, ...]:
    """All that the server has, whoever made them."""
    cursor = await connection.execute(_SLOTS)
    found = []
    for name, database, active, holder in await cursor.fetchall():
        assert isinstance(holder, int)
        found.append(Slot(name=str(name), database=str(database), active=active is True, holder=holder))
    return tuple(found)


async def slots_before(connection: Connection, role: Role) -> frozenset[str] | None:
    """The names of those that are there when an access for `role` is made; None if it does not replicate."""
    return frozenset(slot.name for slot in await slots_of(connection)) if role.replication else None


async def slots_left_by(connection: Connection, claim: Claim, roles: Collection[Standing]) -> tuple[Slot, ...]:
    """The slots that are surely this access's, whose logins are `roles`. To be asked before their sessions end."""
    numbers = {role.oid for role in roles}
    return tuple(
        slot
        for slot in await _since(connection, claim)
        if _bears(slot.name, claim.credential) or (slot.active and slot.holder in numbers)
    )


async def slots_in_doubt(connection: Connection, claim: Claim) -> str:
    """Why it cannot be told whether a slot is left of the access, or "". Asked when everything else of it is gone."""
    doubts = []
    for slot in await _since(connection, claim):
        if _bears(slot.name, claim.credential):
            doubts.append(f"the replication slot {slot.name} of this access is still there")
        elif not slot.active and not _OTHER_ACCESS.match(slot.name):
            doubts.append(
                f"the replication slot {slot.name} came while the access was open, and nobody uses it: drop it"
                f" (SELECT pg_drop_replication_slot('{slot.name}')), or connect what it is for"
            )
    more = [f"and {len(doubts) - DOUBTS_SHOWN} more"] if len(doubts) > DOUBTS_SHOWN else []
    return "; ".join(doubts[:DOUBTS_SHOWN] + more)


async def _since(connection: Connection, claim: Claim) -> tuple[Slot, ...]:
    """The slots that were not there when the access was made; none if it never replicated."""
    before = known(claim).slots
    if before is None:
        return ()
    return tuple(slot for slot in await slots_of(connection) if slot.name not in before)


def _bears(slot: str, login: str) -> bool:
    return slot == login or slot.startswith(f"{login}_")


async def drop_slots(reach: Reach, slots: Collection[Slot], role: Standing | None) -> None:
    """Drop them as the role that replicates; without one as Sojourn's own account, if that may."""
    for slot in slots:
        async with reach.connect(slot.database) as there:
            if role is not None:
                await _become(there, role)
            # One that is still there afterwards is read back, and a doubt.
            with suppress(errors.UndefinedObject, errors.InsufficientPrivilege):
                await there.execute("SELECT pg_catalog.pg_drop_replication_slot(%s)", (slot.name,))


async def drop_subscriptions(reach: Reach, connection: Connection, role: Standing) -> None:
    """Drop those that the role owns, in whatever database."""
    cursor = await connection.execute(_SUBSCRIPTIONS, (role.oid,))
    for database, name in await cursor.fetchall():
        subscription = sql.Identifier(str(name))
        steps: tuple[LiteralString, ...] = (
            "ALTER SUBSCRIPTION {} DISABLE",
            "ALTER SUBSCRIPTION {} SET (slot_name = NONE)",
            "DROP SUBSCRIPTION {}",
        )
        async with reach.connect(str(database)) as there:
            await _become(there, role)
            for step in steps:
                await there.execute(sql.SQL(step).format(subscription))


async def unschedule(reach: Reach, connection: Connection, role: Standing) -> None:
    """Take the role's jobs out of pg_cron, where the server has that: in one database of its own choice."""
    row = await (await connection.execute(_SCHEDULER)).fetchone()
    if row is None or row[0] is not True:
        return
    cursor = await connection.execute(_DATABASES, {"role": role.oid})
    for (database,) in await cursor.fetchall():
        async with reach.connect(str(database)) as there:
            row = await (await there.execute(_MAY_SCHEDULE, (role.oid,))).fetchone()
            if row is not None and row[0] is True:
                await _become(there, role)
                await there.execute(_UNSCHEDULE)


async def _become(connection: Connection, role: Standing) -> None:
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role.name)))
