"""Whose a login on a server is, told by all that is known of an access and never by one mark that may be taken away.

- A login that Sojourn made has a number (oid) that nobody can change, a name, an end and a comment. Two of them say
  that it is ours, and so does the comment alone, which names this one access. It may have been renamed meanwhile.
- The number alone does not: a server that was set back to an earlier moment gives the same number again.
- An account that the target had already is open for an access if its comment says so, if it ends when the access ends,
  or if it has the access's password (where that can be read). It is somebody else's only if its comment names another
  access that is on record.
- What is open and cannot be told is a doubt, with a sentence for people; nothing is confirmed while there is one.
- The server counts too: an access that was made on one server is not known to be gone because another lacks it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sojourn.targets.port import Claim

from .connection import Connection
from .observe import ACCOUNT_OF, OURS, Standing, marked

DIGEST_CHARACTERS = 32
NO_SLOTS = "-"
"""No slot can be called that."""

_SERVER = """
SELECT CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
            THEN (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) ELSE '' END
"""
_VERIFIER = "SELECT rolpassword FROM pg_catalog.pg_authid WHERE oid = %s"
_IN_USE = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE usesysid = %s)"
_MAY_READ = "SELECT pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A login as it was when it was made: the server's own number, the login's, and a digest of its password.

    `slots` are the replication slots that the server had then; None for a login that does not replicate.
    """

    server: str = ""
    oid: int = 0
    verifier: str = ""
    slots: frozenset[str] | None = None

    def __str__(self) -> str:
        """The form in which it is on record."""
        text = f"server {self.server or 'unknown'}, oid {self.oid}, verifier {self.verifier}"
        return text if self.slots is None else f"{text}, slots {' '.join(sorted(self.slots)) or NO_SLOTS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What there is of an access. `elsewhere` says that it was made on another server than this one."""

    ours: tuple[Standing, ...] = ()
    doubt: str = ""
    elsewhere: str = ""


def digest_of(verifier: str) -> str:
    """What is kept of a password's verifier, to know it again."""
    return hashlib.sha256(verifier.encode()).hexdigest()[:DIGEST_CHARACTERS]


def known(claim: Claim) -> Identity:
    """What was read back when the access was made; all empty if that is not on record."""
    parts = dict(part.split(" ", 1) for part in claim.identity.split(", ") if " " in part)
    server, oid = parts.get("server", ""), parts.get("oid", "")
    return Identity(
        server="" if server == "unknown" else server,
        oid=int(oid) if oid.isdecimal() else 0,
        verifier=parts.get("verifier", ""),
        slots=frozenset(parts["slots"].split()) - {NO_SLOTS} if "slots" in parts else None,
    )


async def identify(connection: Connection, oid: int, verifier: str, slots: frozenset[str] | None) -> Identity:
    """The login with that number, which was just made with that verifier, when the server had those slots."""
    return Identity(server=await _server(connection), oid=oid, verifier=digest_of(verifier), slots=slots)


async def trace_login(connection: Connection, claim: Claim) -> Trace:
    """Which logins of the server are this access's, of those that Sojourn made."""
    identity = known(claim)
    ours, doubts = [], []
    for standing in await marked(connection, claim, identity.oid, OURS + claim.credential):
        if _is_made_for(standing, claim, identity):
            ours.append(standing)
        elif standing.name == claim.credential or standing.oid == identity.oid:
            doubts.append(f"there is a role {standing.name} that Sojourn did not make, or that was altered since")
        elif _may_be_renamed(standing, identity):
            doubts.append(f"the role {standing.name} ends when this access ends, and whose it is cannot be told")
    doubt = "" if ours else "; ".join(doubts)
    return Trace(ours=tuple(ours), doubt=doubt, elsewhere=await _elsewhere(connection, claim, ours))


async def trace_account(connection: Connection, claim: Claim) -> Trace:
    """Whether the target's own account `claim.credential`, whatever its name is now, is open for this access."""
    identity = known(claim)
    ours, doubts = [], []
    for standing in await marked(connection, claim, identity.oid, f"{ACCOUNT_OF}{claim.grant}. "):
        if await _is_open_for(connection, standing, claim, identity):
            ours.append(standing)
        elif not standing.login or standing.holder in claim.others:
            continue
        elif _is_the_account(standing, claim, identity) or _may_be_renamed(standing, identity):
            doubts.append(f"the account {standing.name} is open, and for whom cannot be told; shut it if for nobody")
    doubt = "" if ours else "; ".join(doubts)
    return Trace(ours=tuple(ours), doubt=doubt, elsewhere=await _elsewhere(connection, claim, ours))


def _is_made_for(standing: Standing, claim: Claim, identity: Identity) -> bool:
    if standing.holder:
        # An account that the target had already is never ours to drop, whatever else fits.
        return False
    marks = (standing.oid == identity.oid, standing.name == claim.credential, standing.until in claim.ends)
    return standing.comment == OURS + claim.credential or sum(marks) > 1


def _is_the_account(standing: Standing, claim: Claim, identity: Identity) -> bool:
    return standing.name == claim.credential or standing.oid == identity.oid


def _may_be_renamed(standing: Standing, identity: Identity) -> bool:
    """Whether it may be ours by its end alone, as its number was never read and it bears no other's mark."""
    return standing.login and not identity.oid and not (standing.made or standing.holder)


async def _is_open_for(connection: Connection, standing: Standing, claim: Claim, identity: Identity) -> bool:
    if standing.holder == claim.grant:
        return True
    if not _is_the_account(standing, claim, identity):
        return False
    if not standing.login:
        # Somebody shut it by hand. At rest it has no sessions, so those that it has came in while it was open for us.
        return standing.oid == identity.oid and not standing.holder and await _is_in_use(connection, standing)
    return standing.until in claim.ends or await _has_password(connection, standing, identity)


async def _has_password(connection: Connection, standing: Standing, identity: Identity) -> bool:
    """Whether its password is still the one of the access, if this server lets us see that at all."""
    row = await (await connection.execute(_MAY_READ)).fetchone()
    if not identity.verifier or row is None or row[0] is not True:
        return False
    row = await (await connection.execute(_VERIFIER, (standing.oid,))).fetchone()
    return row is not None and digest_of(str(row[0])) == identity.verifier


async def _is_in_use(connection: Connection, standing: Standing) -> bool:
    row = await (await connection.execute(_IN_USE, (standing.oid,))).fetchone()
    return row is not None and row[0] is True


async def _server(connection: Connection) -> str:
    """The number that the server got when it was made and keeps through restarts and fail-overs; "" if not shown."""
    row = await (await connection.execute(_SERVER)).fetchone()
    return "" if row is None else str(row[0])


async def _elsewhere(connection: Connection, claim: Claim, ours: list[Standing]) -> str:
    """Why this is another server than the one of the access, or "". An upgraded server has its roles as they were."""
    identity, here = known(claim), await _server(connection)
    if not identity.server or not here or identity.server == here:
        return ""
    if any((one.oid, one.name) == (identity.oid, claim.credential) for one in ours):
        return ""
    return f"the access was made on the server {identity.server}, and this is the server {here}"
