"""Accounts that a target has already, for systems where no role can be made: opened for one access, then shut.

- At rest such an account cannot log in. For an access it gets a password of its own and an end; afterwards its sessions
  are ended, the password is one that nobody knows, and it is shut again.
- It serves one access at a time. Whose it is stands in the account's comment, before whatever comment it has; no
  account can change its own comment, and what is one access's is never shut on behalf of another.
- What somebody left in the account's own settings would change the next one's sessions, so they are cleared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from sojourn.domain.target import Role, Target
from sojourn.errors import Code, SojournError
from sojourn.targets.port import Removal

from .connection import Connection, Reach, again
from .grant import refuse_mighty, set_default
from .observe import ACCOUNT_OF, Standing, find, observe
from .removal import forget_prepared, join, sessions_of, terminate

_DATABASES = """
SELECT d.datname FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE s.setrole = %s ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is wanted: the account `role.account` open for `grant` until `until`. `verifier` is the password's."""

    grant: str
    role: Role
    verifier: str
    until: datetime


async def open_account(connection: Connection, target: Target, opening: Opening) -> tuple[str, ...]:
    """Open it in one transaction; gives what the account holds, read back.

    Raises SojournError `target.refused` if there is no such account, if it is too mighty, if it is somebody else's
    at the moment, or open without our doing; and psycopg's errors.
    """
    role, account = opening.role, opening.role.account
    await refuse_mighty(connection, target, account)
    standing = await find(connection, account)
    assert standing is not None
    holder = standing.holder
    if holder not in ("", opening.grant) or (not holder and standing.login):
        problem = f"the account {account} is {f'in use for {holder}' if holder else 'open, and not by Sojourn'}"
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
    name = sql.Identifier(account)
    async with connection.transaction():
        await _clear(connection, standing)
        await connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {} VALID UNTIL {}").format(
                name,
                sql.Literal(role.connections_max),
                sql.Literal(opening.verifier),
                sql.Literal(opening.until.isoformat()),
            )
        )
        for setting, value in role.defaults:
            await set_default(connection, name, setting, value)
        await _comment(connection, name, f"{_prefix(opening.grant)}{_own_comment(standing)}")
        found = await find(connection, account)
        if found is None or not found.login or found.until != opening.until or found.holder != opening.grant:
            problem = f"the account came out otherwise than asked for: {found}"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
    return (f"log-in as {account}", *await observe(connection, standing.oid))


async def shut_account(reach: Reach, connection: Connection, account: str, *, grant: str, verifier: str) -> Removal:
    """End its sessions, change its password to that of `verifier`, shut it, and read back.

    An account that is another access's, or nobody's and shut, is left as it is: nothing of this access is there.
    """
    standing = await find(connection, account)
    if standing is None or standing.holder != grant:
        return Removal(role_present=False, sessions_present=0, sessions_terminated=0)
    name = sql.Identifier(account)

    async def shut() -> None:
        await connection.execute(
            sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD {} VALID UNTIL '1970-01-01 00:00:00Z'").format(
                name, sql.Literal(verifier)
            )
        )
        await join(connection, name)

    async def settle() -> None:
        async with connection.transaction():
            await _clear(connection, standing)
            await _comment(connection, name, _own_comment(standing))

    await again(shut)
    ended, living = await terminate(connection, standing)
    if not living:
        await forget_prepared(reach, connection, standing)
        await again(settle)
    left = await find(connection, account)
    return Removal(
        role_present=left is not None and (left.login or left.holder == grant),
        sessions_present=len(await sessions_of(connection, standing)),
        sessions_terminated=ended,
    )


def _prefix(grant: str) -> str:
    return f"{ACCOUNT_OF}{grant}. "


def _own_comment(standing: Standing) -> str:
    """The comment that the account has without us."""
    holder = standing.holder
    return standing.comment.removeprefix(_prefix(holder)) if holder else standing.comment


async def _comment(connection: Connection, name: sql.Identifier, text: str) -> None:
    shown = sql.Literal(text) if text else sql.SQL("NULL")
    await connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, shown))


async def _clear(connection: Connection, standing: Standing) -> None:
    """Forget all defaults of the account's sessions, in whatever database."""
    name = sql.Identifier(standing.name)
    await connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(name))
    cursor = await connection.execute(_DATABASES, (standing.oid,))
    for (database,) in await cursor.fetchall():
        statement = sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL")
        await connection.execute(statement.format(name, sql.Identifier(str(database))))
