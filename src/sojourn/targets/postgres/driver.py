"""A temporary login role in PostgreSQL: exactly the privileges named, for exactly as long as the grant.

See `grant` for how it is made, `removal` for how it is taken away, `preflight` for what it takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg
from psycopg import errors

from sojourn.domain.logged import LogReading
from sojourn.domain.reconciliation import Observation
from sojourn.domain.target import Role, Target
from sojourn.errors import Code, SojournError
from sojourn.targets.port import Claim, Made, Removal

from .account import Opening, open_account, shut_account
from .connection import Connection, again, explained, first_line, reaching
from .grant import SALT_BYTES, Access, make, prolong, verifier_of
from .log import read_log
from .look import NAMED, look
from .observe import find
from .preflight import lacking
from .removal import take_away

GRANT_SECONDS = 25.0
REVOKE_SECONDS = 40.0
PREFLIGHT_SECONDS = 20.0


class PostgresDriver:
    """Implements `targets.port.TargetDriver` for PostgreSQL 15 and newer."""

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        *,
        grant_seconds: float = GRANT_SECONDS,
        revoke_seconds: float = REVOKE_SECONDS,
    ) -> None:
        """`random_bytes(n)` gives n fresh random bytes, for salts. The seconds bound one call each."""
        self._random_bytes = random_bytes
        self._grant_seconds = grant_seconds
        self._revoke_seconds = revoke_seconds
        self._locks: dict[tuple[str, int, str], asyncio.Lock] = {}

    async def grant(self, target: Target, role: Role, claim: Claim, *, password: str, secret: str) -> Made:
        """See `targets.port.TargetDriver.grant`."""
        verifier = verifier_of(password, self._random_bytes)
        if role.account:
            return await self._open_account(target, Opening(claim=claim, role=role, verifier=verifier), secret)
        access = Access(name=claim.credential, role=role, verifier=verifier, until=claim.ends[-1])
        lock = self._lock(target)
        async with (
            reaching(target, secret, self._grant_seconds) as reach,
            reach.connect() as connection,
            explained(target, role),
        ):
            if await find(connection, claim.credential) is not None:
                removal = await take_away(reach, connection, claim, lock)
                if not removal.complete:
                    problem = f"what is left of an earlier try does not go away ({removal})"
                    raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
            async with lock, _privileged(connection, target, role):
                made = await again(lambda: make(connection, target, access))
        return made

    async def _open_account(self, target: Target, opening: Opening, secret: str) -> Made:
        async with (
            reaching(target, secret, self._grant_seconds) as reach,
            reach.connect() as connection,
            explained(target, opening.role),
            self._lock(target),
            _privileged(connection, target, opening.role),
        ):
            return await open_account(connection, target, opening)

    async def prolong(self, target: Target, claim: Claim, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.prolong`."""
        async with (
            reaching(target, secret, self._grant_seconds) as reach,
            reach.connect() as connection,
            explained(target, None),
            self._lock(target),
        ):
            return await again(lambda: prolong(connection, target, claim))

    async def revoke(self, target: Target, claim: Claim, *, secret: str) -> Removal:
        """See `targets.port.TargetDriver.revoke`."""
        shared = any(role.account == claim.credential for role in target.roles)
        unknown = verifier_of(self._random_bytes(SALT_BYTES).hex(), self._random_bytes)
        async with reaching(target, secret, self._revoke_seconds) as reach, reach.connect() as connection:
            try:
                async with explained(target, None):
                    if shared:
                        removal = await shut_account(reach, connection, claim, verifier=unknown)
                    else:
                        removal = await take_away(reach, connection, claim, self._lock(target))
            except errors.InsufficientPrivilege as error:
                raise SojournError(
                    Code.TARGET_PRIVILEGE_MISSING,
                    target=target.name,
                    problem=first_line(error),
                    remedy=f'GRANT "{claim.credential}" TO "{target.administrator}" WITH ADMIN OPTION;',
                ) from error
        return removal

    async def observe(self, target: Target, *, secret: str, log_place: str) -> Observation:
        """See `targets.port.TargetDriver.observe`."""
        async with (
            reaching(target, secret, PREFLIGHT_SECONDS) as reach,
            reach.connect() as connection,
            explained(target, None),
        ):
            lent = {role.account for role in target.roles if role.account}
            seen = await look(connection, lent)
            return replace(seen, log=await _read_log(connection, lent.union(seen.logins), log_place))

    async def preflight(self, target: Target, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.preflight`."""
        async with (
            reaching(target, secret, PREFLIGHT_SECONDS) as reach,
            reach.connect() as connection,
            explained(target, None),
        ):
            lacks = await lacking(connection, target, target.roles)
        return tuple(str(lack) for lack in lacks)

    def _lock(self, target: Target) -> asyncio.Lock:
        """One at a time changes the catalogs of one database: PostgreSQL would refuse, not queue, the others."""
        return self._locks.setdefault((target.host, target.port, target.database), asyncio.Lock())


async def _read_log(connection: Connection, logins: Collection[str], place: str) -> LogReading:
    """What the log shows. One that cannot be read says so, and what else was seen still counts."""
    try:
        return await read_log(connection, logins, NAMED, place)
    except psycopg.ProgrammingError as error:
        return LogReading(place=place, problem=first_line(error))


@asynccontextmanager
async def _privileged(connection: Connection, target: Target, role: Role) -> AsyncIterator[None]:
    """Say which privilege Sojourn's own account lacks, and the SQL that gives it, if that is why something failed.

    PostgreSQL only warns when some of what a GRANT names cannot be passed on; the read-back finds that, and this
    finds the reason.
    """
    try:
        yield
    except (errors.InsufficientPrivilege, SojournError) as error:
        if isinstance(error, SojournError) and error.code is not Code.TARGET_REFUSED:
            raise
        lacks = [lack for lack in await lacking(connection, target, (role,)) if lack.remedy]
        if not lacks and isinstance(error, SojournError):
            raise
        problem = "; ".join(lack.problem for lack in lacks) or first_line(error)
        remedy = " ".join(lack.remedy for lack in lacks) or f'ALTER ROLE "{target.administrator}" CREATEROLE;'
        raise SojournError(Code.TARGET_PRIVILEGE_MISSING, target=target.name, problem=problem, remedy=remedy) from error
