"""The second factor beside the password: codes by time. It is set once its person has shown one; each counts once.

Its secret is sealed like a password's hash; what was only offered is kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.domain.account import Account, RemoveSecondFactor, SetSecondFactor
from sojourn.domain.identifiers import PersonId, account_stream
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Code, Refusal
from sojourn.workflow.deciding import Attempt, refuse
from sojourn.workflow.ports import Office

from . import totp
from .accounts import settle
from .challenges import Challenges

PURPOSE = "second_factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A secret for an authenticator app, typed or as an address, and the ticket that comes back with a code."""

    ticket: str
    secret: str
    address: str


def offer(challenges: Challenges, *, person: PersonId, issuer: str) -> Offered:
    """A fresh secret for `person`. Nothing is asked for before a code of it was shown."""
    issued = challenges.issue(PURPOSE, person)
    secret = issued.challenge[: totp.SECRET_BYTES]
    return Offered(
        ticket=issued.ticket,
        secret=totp.spelled(secret),
        address=totp.address(secret, person=person, issuer=issuer),
    )


async def begin(
    office: Office, challenges: Challenges, *, person: PersonId, ticket: str, code: str, source: str
) -> Account | Refusal:
    """Ask for codes from here on, if this is one of the secret that `ticket` was for."""
    attempt = Attempt(verb="set_second_factor", actor=person, source=source)
    challenge = challenges.read(ticket, PURPOSE, person)
    secret = b"" if challenge is None else challenge[: totp.SECRET_BYTES]
    step = None if challenge is None else totp.matching_step(secret, code, office.clock.now())
    if step is None:
        return await refuse(office, attempt, account_stream(person), Refusal(Code.CREDENTIALS_INVALID))
    sealing = office.sealer.seal(person, secret, RecordClass.CREDENTIAL)
    command = SetSecondFactor(person=person, secret=sealing.sealed, step=step, source=source)
    return await settle(office, attempt, person, command, (sealing,))


async def remove(office: Office, *, person: PersonId, source: str) -> Account | Refusal:
    """Ask for no codes any more. Gives the account afterwards, or why not (on record)."""
    attempt = Attempt(verb="remove_second_factor", actor=person, source=source)
    return await settle(office, attempt, person, RemoveSecondFactor(person=person, source=source), ())
