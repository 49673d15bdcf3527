"""Accounts that a target has already, for systems where no role can be made: opened for one access, then shut.

- At rest such an account cannot log in. For an access it gets a password of its own and an end; afterwards its sessions
  are ended, the password is one that nobody knows, and it is shut again.
- It serves one access at a time. Whose it is stands in the account's comment, before whatever comment it has, and is
  told by its end and password too: see `trace`. What is one access's is never shut on behalf of another.
- What somebody left in the account's own settings would change the next one's sessions, so they are cleared.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from sojourn.domain.target import Role, Target
from sojourn.errors import Code, SojournError
from sojourn.targets.port import Claim, Made, Removal

from .connection import Connection, Reach, again
from .grant import refuse_mighty, set_default
from .observe import ACCOUNT_OF, Standing, find, find_number, observe
from .remains import Slot, drop_slots, slots_before, slots_in_doubt, slots_left_by
from .removal import forget_prepared, join, sessions_of, terminate
from .trace import Trace, identify, known, trace_account

_DATABASES = """
SELECT d.datname FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE s.setrole = %s ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is wanted: the account `role.account` open for `claim`. `verifier` is the password's."""

    claim: Claim
    role: Role
    verifier: str


async def open_account(connection: Connection, target: Target, opening: Opening) -> Made:
    """Open it in one transaction; gives what the account holds, read back.

    Raises SojournError `target.refused` if there is no such account, if it is too mighty, if it is somebody else's
    at the moment, or open or in use without our doing; and psycopg's errors.
    """
    role, account, claim = opening.role, opening.role.account, opening.claim
    await refuse_mighty(connection, target, account, replication=role.replication)
    standing = await find(connection, account)
    assert standing is not None
    await _refuse_taken(connection, target, claim, standing)
    name, until = sql.Identifier(account), claim.ends[-1]
    async with connection.transaction():
        await _clear(connection, standing)
        await connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {} VALID UNTIL {}").format(
                name,
                sql.Literal(role.connections_max),
                sql.Literal(opening.verifier),
                sql.Literal(until.isoformat()),
            )
        )
        for setting, value in role.defaults:
            await set_default(connection, name, setting, value)
        await _comment(connection, name, f"{_prefix(claim.grant)}{_own_comment(standing)}")
        found = await find(connection, account)
        if found is None or not found.login or found.until != until or found.holder != claim.grant:
            problem = f"the account came out otherwise than asked for: {found}"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
    before = await slots_before(connection, role)
    identity = await identify(connection, standing.oid, opening.verifier, before)
    return Made(observed=(f"log-in as {account}", *await observe(connection, standing.oid)), identity=str(identity))


async def _refuse_taken(connection: Connection, target: Target, claim: Claim, standing: Standing) -> None:
    """Raise SojournError if the account is not free for this access."""
    trace, problem = await trace_account(connection, claim), ""
    if any(one.oid == standing.oid for one in trace.ours):
        return
    if standing.holder:
        problem = f"in use for {standing.holder}"
    elif standing.login:
        problem = "open, and not by Sojourn"
    elif await sessions_of(connection, standing):
        problem = "shut, and has sessions all the same"
    if problem:
        problem = f"the account {standing.name} is {problem}"
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)


async def shut_account(reach: Reach, connection: Connection, claim: Claim, *, verifier: str) -> Removal:
    """End its sessions, change its password to that of `verifier`, shut it, and read back.

    An account that is another access's, or nobody's and shut, is left as it is: nothing of this access is there. One
    that is open, and cannot be told for whom, is left as it is too, and the answer is in doubt.
    """
    found = await trace_account(connection, claim)
    slots = await slots_left_by(connection, claim, found.ours)
    ended = 0
    for standing in found.ours:
        ended += await _shut_one(reach, connection, standing, (verifier, slots))
    left = await trace_account(connection, claim)
    open_still = [await find_number(connection, one.oid) for one in found.ours]
    return Removal(
        role_present=bool(left.ours) or any(one is not None and one.login for one in open_still),
        sessions_present=await _sessions_left(connection, claim, found),
        sessions_terminated=ended,
        doubt=found.elsewhere or left.doubt or await slots_in_doubt(connection, claim),
    )


async def _shut_one(
    reach: Reach, connection: Connection, standing: Standing, rest: tuple[str, tuple[Slot, ...]]
) -> int:
    """Shut the account and make it as it was at rest, if its sessions end; gives how many have.

    `rest` is the verifier that it has from then on, and the slots that go.
    """
    name, (verifier, slots) = sql.Identifier(standing.name), rest

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
        await drop_slots(reach, slots, standing)
        await again(settle)
    return ended


async def _sessions_left(connection: Connection, claim: Claim, found: Trace) -> int:
    """How many sessions there are that may be this access's: all of the account, unless it is another's by now."""
    accounts = {one.oid: one for one in found.ours}
    for one in (await find(connection, claim.credential), await find_number(connection, known(claim).oid)):
        if one is not None and one.holder not in claim.others:
            accounts[one.oid] = one
    return sum([len(await sessions_of(connection, one)) for one in accounts.values()])


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
