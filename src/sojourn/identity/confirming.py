"""Confirming a decision: by a passkey, which signs the decision itself, or by the password where that is enough.

- A person who has a passkey for this address confirms; one who has none yet decides as before, unless the installation
  demands it of everybody (`control.step_up`).
- A passkey's answer counts for the decision that it signed, once, within minutes, and for nothing else.
- Every refusal is on record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from sojourn.domain.account import Account
from sojourn.domain.confirmation import Confirmation, ConfirmedBy, Decision, challenge_of
from sojourn.domain.identifiers import account_stream
from sojourn.errors import Code, Refusal
from sojourn.settings import StepUp
from sojourn.workflow.deciding import Attempt, refuse

from .accounts import PasswordReader, load_account, settle, sign_in
from .ceremonies import read_credential, request_options, text_at
from .limits import AttemptLimit
from .passkeys import Asked, Passkeys, answered_by

CONFIRM = "confirm"


class Needed(StrEnum):
    """With what a decision has to be confirmed."""

    NOTHING = ""
    PASSKEY = "passkey"
    EITHER = "passkey_or_password"

    @property
    def how(self) -> str:
        """In words."""
        return "a passkey" if self is Needed.PASSKEY else "a passkey, or your password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What came with a decision: a password and maybe a code, or a passkey's answer to `ticket` over `checkpoint`."""

    password: str = ""
    code: str = ""
    ticket: str = ""
    checkpoint: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSign:
    """What a browser is asked to have signed."""

    asked: Asked
    statement: str
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """What it takes. `sign()` gives the ledger's newest checkpoint; `mode` says who has to confirm."""

    keys: Passkeys
    sign: Callable[[], Awaitable[str]]
    reader: PasswordReader
    limit: AttemptLimit
    mode: StepUp


async def offer(confirming: Confirming, decision: Decision) -> ToSign | Refusal:
    """What the person's passkey has to sign for this decision. Refuses somebody who has no passkey here."""
    account = await load_account(confirming.keys.office, decision.person)
    held = usable(confirming, account)
    if not held:
        return Refusal(Code.PASSKEY_UNKNOWN, {"passkey": "for this address", "person": decision.person})
    checkpoint = await confirming.sign()
    challenge = challenge_of(decision.statement, checkpoint)
    issued = confirming.keys.challenges.issue(CONFIRM, decision.person, challenge)
    options = request_options(confirming.keys.party(), challenge, held)
    asked = Asked(options=options, ticket=issued.ticket)
    return ToSign(asked=asked, statement=decision.statement, checkpoint=checkpoint)


def needed(confirming: Confirming, account: Account | None, *, always: bool = False) -> Needed:
    """With what a decision by the person of this account has to be confirmed; `always`: with something."""
    if confirming.mode is StepUp.ALWAYS:
        return Needed.PASSKEY
    if confirming.mode is StepUp.WHEN_POSSIBLE and usable(confirming, account):
        return Needed.EITHER if account is not None and account.password is not None else Needed.PASSKEY
    return Needed.EITHER if always else Needed.NOTHING


async def confirm(
    confirming: Confirming, decision: Decision, given: Given, *, source: str, always: bool = False
) -> Confirmation | Refusal | None:
    """How the decision is confirmed; None where it need not be. Or why it is not (on record).

    `always` is for what is never decided without. Raises SojournError from the ledger.
    """
    office, person = confirming.keys.office, decision.person
    attempt = Attempt(verb=f"confirm {decision.action}", actor=person, source=source)
    account = await load_account(office, person)
    if given.credential:
        return await _by_passkey(confirming, decision, given, account, attempt)
    if given.password and confirming.mode is not StepUp.ALWAYS:
        known = await sign_in(
            office,
            person=person,
            password=given.password,
            source=source,
            reader=confirming.reader,
            limit=confirming.limit,
            code=given.code,
        )
        return known if isinstance(known, Refusal) else Confirmation(by=ConfirmedBy.PASSWORD)
    how = needed(confirming, account, always=always)
    if how is Needed.NOTHING:
        return None
    refusal = Refusal(Code.CONFIRMATION_NEEDED, {"person": person, "action": decision.action, "how": how.how})
    return await refuse(office, attempt, decision.subject, refusal)


async def _by_passkey(
    confirming: Confirming, decision: Decision, given: Given, account: Account | None, attempt: Attempt
) -> Confirmation | Refusal:
    keys, stream = confirming.keys, account_stream(decision.person)
    challenge = keys.challenges.read(given.ticket, CONFIRM, decision.person)
    credential = read_credential(given.credential)
    if account is None or challenge is None or challenge != challenge_of(decision.statement, given.checkpoint):
        problem = "it was asked for something else, or too long ago"
        return await refuse(keys.office, attempt, stream, Refusal(Code.PASSKEY_INVALID, {"problem": problem}))
    used = answered_by(keys, account, challenge, given.ticket, credential, attempt.source)
    if isinstance(used, Refusal):
        return await refuse(keys.office, attempt, stream, used)
    settled = await settle(keys.office, attempt, decision.person, used, ())
    if isinstance(settled, Refusal):
        return settled
    return Confirmation(
        by=ConfirmedBy.PASSKEY,
        passkey=used.passkey,
        statement=decision.statement,
        checkpoint=given.checkpoint,
        authenticator_data=text_at(credential, "response", "authenticatorData"),
        client_data=text_at(credential, "response", "clientDataJSON"),
        signature=text_at(credential, "response", "signature"),
    )


def usable(confirming: Confirming, account: Account | None) -> list[str]:
    """The credentials that answer for this address."""
    host = confirming.keys.party().id
    held = () if account is None else account.passkeys
    return [one.added.credential for one in held if one.added.rp_id == host]
