"""Local accounts: an invitation is redeemed once for a password, and the password for a token.

Whether a name exists cannot be told from an answer or its time. Every refusal is on record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sojourn.domain import account as accounts
from sojourn.domain.account import Account, Command, Enrol, Invite
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, account_stream
from sojourn.domain.sealed import SealedMatter, Sealing, SealingKey
from sojourn.errors import Code, Refusal
from sojourn.workflow.deciding import Attempt, refuse
from sojourn.workflow.loading import fold
from sojourn.workflow.ports import Office

from .limits import AttemptLimit
from .passwords import DECOY, hash_password, verify_password

PASSWORD_LENGTH_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReader:
    """How the sealed hash of a password is read again."""

    matter: Callable[[Sequence[str]], Awaitable[tuple[tuple[SealedMatter, SealingKey], ...]]]
    open_value: Callable[[SealedMatter, SealingKey], bytes]

    async def read(self, account: Account | None) -> str | None:
        """The hash of the account's password, or None if it has none."""
        if account is None or account.password is None:
            return None
        for matter, key in await self.matter([account.password.commitment]):
            return self.open_value(matter, key).decode()
        return None


async def invite(office: Office, *, person: PersonId, invited_by: str, life: timedelta, code: str) -> Account | Refusal:
    """Let `person` set up an account with the one-time `code`; an earlier invitation is replaced."""
    command = Invite(
        person=person, code_sha256=_digest(code), expires_at=office.clock.now() + life, invited_by=invited_by
    )
    return await _settle(office, Attempt(verb="invite", actor=invited_by, source=""), person, command, ())


async def enrol(
    office: Office, *, person: PersonId, code: str, password: str, source: str, minimum: int
) -> Account | Refusal:
    """Redeem an invitation and set the password."""
    attempt = Attempt(verb="enrol", actor=person, source=source)
    if not minimum <= len(password) <= PASSWORD_LENGTH_MAX:
        refusal = Refusal(Code.PASSWORD_TOO_SHORT, {"length": str(len(password)), "minimum": str(minimum)})
        return await refuse(office, attempt, account_stream(person), refusal)
    sealing = office.sealer.seal(person, (await hash_password(password)).encode())
    command = Enrol(person=person, code_sha256=_digest(code), password=sealing.sealed)
    return await _settle(office, attempt, person, command, (sealing,))


async def sign_in(
    office: Office, *, person: PersonId, password: str, source: str, reader: PasswordReader, limit: AttemptLimit
) -> PersonId | Refusal:
    """Who this is, or a refusal that does not tell an unknown name from a wrong password."""
    attempt = Attempt(verb="sign_in", actor=person, source=source)
    address = source.rsplit(":", 1)[0]
    limited = limit.check(address, person)
    if limited is not None:
        return await refuse(office, attempt, "", limited)
    known = office.in_force().catalogue.person(person)
    account = await _load(office, person) if known is not None else None
    hashed = await reader.read(account)
    right = await verify_password(hashed or DECOY, password[:PASSWORD_LENGTH_MAX])
    if hashed is None or not right:
        limit.failed(address, person)
        return await refuse(office, attempt, account_stream(person), Refusal(Code.CREDENTIALS_INVALID))
    limit.succeeded(address, person)
    return person


async def _load(office: Office, person: PersonId) -> Account | None:
    return fold(accounts.evolve, await office.ledger.stream(account_stream(person)))


async def _settle(
    office: Office, attempt: Attempt, person: PersonId, command: Command, sealings: tuple[Sealing, ...]
) -> Account | Refusal:
    stream = account_stream(person)
    entries = await office.ledger.stream(stream) if office.in_force().catalogue.person(person) is not None else ()
    state = fold(accounts.evolve, entries)
    decided = accounts.decide(state, command, office.in_force().catalogue, office.clock.now())
    if isinstance(decided, Refusal):
        return await refuse(office, attempt, stream, decided)
    changes = [Change(stream=stream, event=event, seen=len(entries) + place) for place, event in enumerate(decided)]
    await office.ledger.append(changes, sealings=sealings)
    for event in decided:
        state = accounts.evolve(state, event)
    assert state is not None, "an account that was written to exists"
    return state


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()
