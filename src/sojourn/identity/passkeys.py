"""Passkeys of local accounts: made with an invitation or by somebody signed in, used to sign in, and taken away.

- Who signs in need not say their name: the passkey knows it, so that no answer tells which names exist.
- What a passkey counted and what it has signed is on record before it opens anything: one answer counts once, whichever
  node of the installation it comes to.
- Every refusal is on record; of a stranger's many, how many there were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webauthn.helpers import bytes_to_base64url

from sojourn.domain import account as accounts
from sojourn.domain.account import Account, AddPasskey, Command, Passkey, RemovePasskey, UsePasskey
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import PasskeyAdded
from sojourn.domain.identifiers import PasskeyId, PersonId, account_stream
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Code, Refusal
from sojourn.workflow.deciding import Attempt, refuse
from sojourn.workflow.ports import Office

from .accounts import digest_of, load_account, settle
from .ceremonies import (
    Json,
    NewPasskey,
    RelyingParty,
    check_answer,
    check_creation,
    creation_options,
    request_options,
    text_at,
    user_handle,
)
from .challenges import Challenges

LABEL_LENGTH_MAX = 80
REGISTER, SIGN_IN = "passkey.register", "passkey.sign_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkeys:
    """What ceremonies need. `party()` is whom a passkey answers, which is known once the address is."""

    office: Office
    challenges: Challenges
    party: Callable[[], RelyingParty]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a browser is asked (`options`, JSON), and the ticket that has to come back with its answer."""

    options: bytes
    ticket: str


async def offer(keys: Passkeys, *, person: PersonId, code: str, source: str) -> Asked | Refusal:
    """What it takes to make a passkey for `person`, who is signed in, or has the `code` of an invitation."""
    account = await load_account(keys.office, person)
    if code and not accounts.invited(account, digest_of(code), keys.office.clock.now()):
        attempt = Attempt(verb="add_passkey", actor=person, source=source, stranger=True)
        return await refuse(keys.office, attempt, account_stream(person), Refusal(Code.INVITATION_INVALID))
    issued = keys.challenges.issue(REGISTER, person)
    held = [one.added.credential for one in account.passkeys] if account is not None else []
    return Asked(options=creation_options(keys.party(), person, issued.challenge, held), ticket=issued.ticket)


async def register(
    keys: Passkeys, *, person: PersonId, code: str, label: str, ticket: str, credential: Json, source: str
) -> Passkey | Refusal:
    """Put the passkey on record that a browser has made for `person`. `label` is what they call it, and is sealed."""
    office, party = keys.office, keys.party()
    attempt = Attempt(verb="add_passkey", actor=person, source=source, stranger=bool(code))
    challenge = keys.challenges.read(ticket, REGISTER, person)
    made = _made(keys, label, challenge, credential)
    if isinstance(made, Refusal) or challenge is None:
        assert isinstance(made, Refusal), "without a challenge none is made"
        return await refuse(office, attempt, account_stream(person), made)
    sealing = office.sealer.seal(person, label.encode("utf-8", "backslashreplace"), RecordClass.CREDENTIAL)
    added = PasskeyAdded(
        person=person,
        passkey=PasskeyId(office.new_id("k")),
        credential=made.credential,
        public_key=made.public_key,
        rp_id=party.id,
        sign_count=made.sign_count,
        synced=made.synced,
        label=sealing.sealed,
        source=source,
        invited=bool(code),
        challenge=bytes_to_base64url(challenge),
    )
    command = AddPasskey(added=added, code_sha256=digest_of(code))
    settled = await settle(office, attempt, person, command, (sealing,))
    if isinstance(settled, Refusal):
        return settled
    kept = settled.passkey(added.passkey)
    assert kept is not None, "what was just recorded is there"
    return kept


def _made(keys: Passkeys, label: str, challenge: bytes | None, credential: Json) -> NewPasskey | Refusal:
    if not 0 < len(label) <= LABEL_LENGTH_MAX:
        expected = f"what you call it, in at most {LABEL_LENGTH_MAX} characters"
        return Refusal(Code.INPUT_INVALID, {"problem": "The passkey has no usable name", "expected": expected})
    if challenge is None:
        return Refusal(Code.PASSKEY_INVALID, {"problem": "nobody asked for it, or too long ago"})
    return check_creation(keys.party(), challenge, credential)


def ask(keys: Passkeys) -> Asked:
    """What it takes to sign in with whatever passkey the browser has for this address."""
    issued = keys.challenges.issue(SIGN_IN)
    return Asked(options=request_options(keys.party(), issued.challenge), ticket=issued.ticket)


async def sign_in(keys: Passkeys, *, ticket: str, credential: Json, source: str) -> PersonId | Refusal:
    """Who has signed the challenge of `ticket`, or a refusal that does not tell what was wrong."""
    person = _named(keys.office.in_force().catalogue, credential)
    attempt = Attempt(verb="sign_in", actor=person or "", source=source, stranger=True)
    stream = account_stream(person or PersonId("system"))
    challenge = keys.challenges.read(ticket, SIGN_IN)
    account = None if person is None else await load_account(keys.office, person)
    if challenge is None or account is None:
        return await refuse(keys.office, attempt, stream, Refusal(Code.CREDENTIALS_INVALID))
    used = answered_by(keys, account, challenge, credential, source)
    if isinstance(used, Refusal):
        return await refuse(keys.office, attempt, stream, Refusal(Code.CREDENTIALS_INVALID))
    settled = await settle(keys.office, attempt, account.person, used, ())
    if isinstance(settled, Refusal):
        return settled if settled.code is Code.PASSKEY_COPIED else Refusal(Code.CREDENTIALS_INVALID)
    return account.person


def answered_by(
    keys: Passkeys, account: Account, challenge: bytes, credential: Json, source: str
) -> UsePasskey | Refusal:
    """The use of one of the account's passkeys that this answer is, to be put on record; or why it is none."""
    held = account.passkey_of(text_at(credential, "id"))
    if held is None or held.added.rp_id != keys.party().id:
        return Refusal(Code.PASSKEY_INVALID, {"problem": "it is none of this person's for this address"})
    count = check_answer(keys.party(), challenge, credential, held.added.public_key)
    if isinstance(count, Refusal):
        return count
    return UsePasskey(
        person=account.person,
        passkey=held.added.passkey,
        sign_count=count,
        source=source,
        challenge=bytes_to_base64url(challenge),
    )


async def remove(keys: Passkeys, *, person: PersonId, passkey: PasskeyId, source: str) -> Account | Refusal:
    """Take away one of one's own passkeys. Gives the account afterwards, or why not (on record)."""
    command: Command = RemovePasskey(person=person, passkey=passkey, source=source)
    return await settle(keys.office, Attempt(verb="remove_passkey", actor=person, source=source), person, command, ())


def _named(catalogue: Catalogue, credential: Json) -> PersonId | None:
    """Whose passkey the browser says it is."""

    handle = text_at(credential, "response", "userHandle")
    return next((one.id for one in catalogue.people if bytes_to_base64url(user_handle(one.id)) == handle), None)
