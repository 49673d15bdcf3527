"""Recovering an account that nothing opens any more: one says so, somebody else confirms it, on record."""

from __future__ import annotations

from datetime import timedelta

from sojourn.domain.account import Account, AskRecovery, ConfirmRecovery
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Refusal
from sojourn.workflow.deciding import Attempt
from sojourn.workflow.ports import Office

from .accounts import digest_of, settle

ASKED_FOR = timedelta(days=1)
"""For so long what somebody said can be confirmed."""


async def ask_recovery(office: Office, *, person: PersonId, by: str, reason: str, source: str) -> Account | Refusal:
    """Say that `person` has lost every way in. `reason` is sealed. Gives the account, or why not (on record)."""
    sealing = office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
    until = office.clock.now() + ASKED_FOR
    command = AskRecovery(person=person, asked_by=by, until=until, reason=sealing.sealed, source=source)
    return await settle(office, Attempt(verb="ask_recovery", actor=by, source=source), person, command, (sealing,))


async def confirm_recovery(
    office: Office, *, person: PersonId, by: str, code: str, life: timedelta, source: str
) -> Account | Refusal:
    """Confirm it: what opened the account opens it no more, and the one-time `code` sets it up anew, for so long.

    Gives the account, or why not (on record). Its live tokens are for the caller to revoke.
    """
    command = ConfirmRecovery(
        person=person,
        confirmed_by=by,
        code_sha256=digest_of(code),
        expires_at=office.clock.now() + life,
        source=source,
    )
    return await settle(office, Attempt(verb="confirm_recovery", actor=by, source=source), person, command, ())
