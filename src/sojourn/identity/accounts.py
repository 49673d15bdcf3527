"""Local accounts: an invitation is redeemed once for a password, and the password for a token.

- Whether a name exists cannot be told from an answer, nor from its time: somebody unknown costs the same reads and
  the same hash as somebody known.
- An invitation is looked at before a password is hashed, so that strangers cannot make us work.
- A password that is easily guessed by lists, habits, or the names that belong to this place is not taken.
- Every refusal is on record; of a stranger's many, how many there were.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sojourn.domain import account as accounts
from sojourn.domain.account import Account, ChangePassword, Command, Enrol, Invite, UseSecondFactor
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import Event
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, account_stream
from sojourn.domain.sealed import RecordClass, Sealed, SealedMatter, Sealing, SealingKey
from sojourn.errors import Code, Refusal, SojournError
from sojourn.workflow.deciding import TRIES_MAX, Attempt, append_unless_stale, refuse
from sojourn.workflow.loading import fold
from sojourn.workflow.ports import Office

from .limits import AttemptLimit
from .passwords import easily_guessed, hash_password, verify_password
from .totp import matching_step

PASSWORD_LENGTH_MAX = 1000
NOBODY = PersonId("system")
"""Whose account is read for somebody unknown. No person may have this id, so there is no such account."""

PRODUCT = ("sojourn", "production", "access", "passkey", "ledger", "scribe", "gateway")

NO_COMMITMENT = "0" * 64
_UNSEALED = Sealed(commitment=NO_COMMITMENT, key="")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReader:
    """How a sealed credential is read again: the hash of a password, or the secret of a second factor."""

    matter: Callable[[Sequence[str]], Awaitable[tuple[tuple[SealedMatter, SealingKey], ...]]]
    open_value: Callable[[SealedMatter, SealingKey], bytes]

    async def read(self, sealed: Sealed | None) -> bytes | None:
        """The value behind `sealed`, or None if there is none; takes as long for nothing."""
        for matter, key in await self.matter([NO_COMMITMENT if sealed is None else sealed.commitment]):
            return self.open_value(matter, key)
        return None


async def invite(office: Office, *, person: PersonId, invited_by: str, life: timedelta, code: str) -> Account | Refusal:
    """Let `person` set up an account with the one-time `code`; an earlier invitation is replaced."""
    command = Invite(
        person=person, code_sha256=digest_of(code), expires_at=office.clock.now() + life, invited_by=invited_by
    )
    return await settle(office, Attempt(verb="invite", actor=invited_by, source=""), person, command, ())


async def enrol(
    office: Office, *, person: PersonId, code: str, password: str, source: str, minimum: int
) -> Account | Refusal:
    """Redeem an invitation and set the password."""
    attempt = Attempt(verb="enrol", actor=person, source=source, stranger=True)
    refusal = check_length(password, minimum)
    if refusal is not None:
        return await refuse(office, attempt, account_stream(person), refusal)
    command = Enrol(person=person, code_sha256=digest_of(code), password=_UNSEALED)
    state = await load_account(office, person)
    foreseen = accounts.decide(state, command, office.in_force().catalogue, office.clock.now())
    if isinstance(foreseen, Refusal):
        return await refuse(office, attempt, account_stream(person), foreseen)
    refusal = await _check_guessing(office, person, password)
    if refusal is not None:
        return await refuse(office, attempt, account_stream(person), refusal)
    sealing = office.sealer.seal(person, (await hash_password(password)).encode(), RecordClass.CREDENTIAL)
    return await settle(office, attempt, person, replace(command, password=sealing.sealed), (sealing,))


def check_length(password: str, minimum: int) -> Refusal | None:
    """The refusal of a password that is too short or too long to be hashed, or None."""
    if len(password) < minimum:
        return Refusal(Code.PASSWORD_TOO_SHORT, {"length": str(len(password)), "minimum": str(minimum)})
    if len(password) > PASSWORD_LENGTH_MAX:
        problem = f"The password has {len(password)} characters"
        return Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": f"at most {PASSWORD_LENGTH_MAX}"})
    return None


async def _check_guessing(office: Office, person: PersonId, password: str) -> Refusal | None:
    """The refusal of a password that is easily guessed, or None."""
    if await easily_guessed(password, context_words(office.in_force().catalogue, person)):
        return Refusal(Code.PASSWORD_GUESSABLE)
    return None


def context_words(catalogue: Catalogue, person: PersonId) -> tuple[str, ...]:
    """Words that no password here may rest on: ours, those of the person, and the names of teams and targets."""
    known = catalogue.person(person)
    own = [person] if known is None else [known.id, *re.split(r"\W+", known.name), *re.split(r"\W+", known.mail)]
    names = [*own, *(team.name for team in catalogue.teams), *(target.name for target in catalogue.targets)]
    return tuple(dict.fromkeys(word.lower() for word in (*PRODUCT, *names) if len(word) > 1))


async def sign_in(
    office: Office,
    *,
    person: PersonId,
    password: str,
    source: str,
    reader: PasswordReader,
    limit: AttemptLimit,
    code: str = "",
    stranger: bool = True,
) -> PersonId | Refusal:
    """Who this is, or a refusal that does not tell an unknown name from a wrong password.

    Only who has the password learns that a `code` of the second factor is asked for besides. Who is signed in already
    and shows once more who they are is no `stranger`.
    """
    attempt = Attempt(verb="sign_in", actor=person, source=source, stranger=stranger)
    address = source.rsplit(":", 1)[0]
    limited = limit.take(address, person)
    if limited is not None:
        return await refuse(office, attempt, account_stream(person), limited)
    account = await load_account(office, person)
    hashed = await reader.read(None if account is None else account.password)
    right = await verify_password(hashed.decode() if hashed else None, password[:PASSWORD_LENGTH_MAX])
    if account is None or not right or len(password) > PASSWORD_LENGTH_MAX:
        return await refuse(office, attempt, account_stream(person), Refusal(Code.CREDENTIALS_INVALID))
    if account.second_factor is not None:
        refusal = await _take_code(office, attempt, account, code, reader)
        if refusal is not None:
            return refusal
    limit.succeeded(address, person)
    return person


async def _take_code(
    office: Office, attempt: Attempt, account: Account, code: str, reader: PasswordReader
) -> Refusal | None:
    """Take the code of the second factor, or refuse it (on record). A secret that was shredded makes none."""
    stream = account_stream(account.person)
    if not code:
        return await refuse(office, attempt, stream, Refusal(Code.SECOND_FACTOR_MISSING))
    secret = await reader.read(account.second_factor)
    step = None if secret is None else matching_step(secret, code, office.clock.now())
    if step is None:
        return await refuse(office, attempt, stream, Refusal(Code.CREDENTIALS_INVALID))
    command = UseSecondFactor(person=account.person, step=step, source=attempt.source)
    settled = await settle(office, attempt, account.person, command, ())
    return settled if isinstance(settled, Refusal) else None


async def change_password(
    office: Office, *, person: PersonId, password: str, source: str, minimum: int
) -> Account | Refusal:
    """Set another password, or the first of somebody who has come in by a passkey."""
    attempt = Attempt(verb="change_password", actor=person, source=source)
    refusal = check_length(password, minimum) or await _check_guessing(office, person, password)
    if refusal is not None:
        return await refuse(office, attempt, account_stream(person), refusal)
    sealing = office.sealer.seal(person, (await hash_password(password)).encode(), RecordClass.CREDENTIAL)
    command = ChangePassword(person=person, password=sealing.sealed, source=source)
    return await settle(office, attempt, person, command, (sealing,))


async def load_account(office: Office, person: PersonId) -> Account | None:
    """The account of somebody the catalogue knows. A name that it does not know is never looked up."""
    known = office.in_force().catalogue.person(person)
    return fold(accounts.evolve, await office.ledger.stream(account_stream(NOBODY if known is None else person)))


async def settle(
    office: Office, attempt: Attempt, person: PersonId, command: Command, sealings: tuple[Sealing, ...]
) -> Account | Refusal:
    """Decide on the account and record it. Gives it as it is afterwards, or why not (on record).

    Raises SojournError: `record.stale` after too many tries, else what the ledger raises.
    """
    stream = account_stream(person)
    for tried in range(TRIES_MAX):
        catalogue = office.in_force().catalogue
        entries = await office.ledger.stream(stream) if catalogue.person(person) is not None else ()
        state = fold(accounts.evolve, entries)
        decided = accounts.decide(state, command, catalogue, office.clock.now())
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, stream, decided)
        changes = [Change(stream=stream, event=event, seen=len(entries) + place) for place, event in enumerate(decided)]
        if await append_unless_stale(office, tried, changes, sealings, None):
            for event in decided:
                state = accounts.evolve(state, event)
            assert state is not None, "an account that was written to exists"
            return state
    raise SojournError(Code.RECORD_STALE, stream=stream)


async def decide_on(office: Office, person: PersonId, command: Command) -> tuple[tuple[Event, ...] | Refusal, int]:
    """What follows from a command, not recorded yet, and the version of the account that it follows from."""
    catalogue = office.in_force().catalogue
    entries = await office.ledger.stream(account_stream(person)) if catalogue.person(person) is not None else ()
    decided = accounts.decide(fold(accounts.evolve, entries), command, catalogue, office.clock.now())
    return decided, len(entries)


def digest_of(code: str) -> str:
    """What is kept of a one-time code: its SHA-256 (hex)."""
    return hashlib.sha256(code.strip().encode()).hexdigest()
