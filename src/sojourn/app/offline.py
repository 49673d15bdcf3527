"""What an operator does on the machine itself, over the scribe's socket and without signing in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sojourn.domain.account import Account
from sojourn.domain.change import may_adopt_alone
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity.accounts import invite
from sojourn.identity.recovering import ask_recovery, confirm_recovery
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout
from sojourn.workflow.adopt import load_adopted, load_standing
from sojourn.workflow.ports import Office

from .ambient import new_code, operator
from .control import make_office
from .installation import require_installation
from .settled import settings_in_force

CLI_SECONDS = 5.0


def invite_as_operator(layout: Layout, person: str) -> dict[str, str]:
    """Invite somebody from the machine itself; gives person, code and end of the invitation.

    Raises SojournError `person.unknown`, `account.exists`, or `record.unavailable` when nothing is running.
    """
    require_installation(layout)
    settings = settings_in_force(layout)
    code = new_code()

    async def work(office: Office) -> dict[str, str]:
        life = settings.control.invitation_life
        account = _given(await invite(office, person=PersonId(person), invited_by=operator(), life=life, code=code))
        assert account.invitation is not None
        return {"person": person, "code": code, "expires_at": account.invitation.expires_at.isoformat()}

    return asyncio.run(_at_work(layout, work))


def recover_as_operator(layout: Layout, person: str, reason: str) -> dict[str, str]:
    """Say on the machine itself that somebody has lost every way in, which an administrator has to confirm.

    Gives until when. As long as fewer than two administrators are in force there is nobody to ask, and what comes back
    is the one-time code. Raises SojournError as `invite_as_operator` does, and `recovery.nothing`.
    """
    require_installation(layout)
    settings = settings_in_force(layout)
    code = new_code()

    async def work(office: Office) -> dict[str, str]:
        who = PersonId(person)
        asked = _given(await ask_recovery(office, person=who, by=operator(), reason=reason, source="machine"))
        if not may_adopt_alone(office.in_force().catalogue):
            assert asked.recovery is not None
            return {"person": person, "until": asked.recovery.until.isoformat()}
        life = settings.control.invitation_life
        account = _given(
            await confirm_recovery(office, person=who, by=operator(), code=code, life=life, source="machine")
        )
        assert account.invitation is not None
        return {"person": person, "code": code, "expires_at": account.invitation.expires_at.isoformat()}

    return asyncio.run(_at_work(layout, work))


async def _at_work(layout: Layout, work: Callable[[Office], Awaitable[dict[str, str]]]) -> dict[str, str]:
    """Do something over the scribe's socket, under what is in force."""
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(CLI_SECONDS)
        adopted = await load_adopted(ledger)
        if adopted is None:
            raise SojournError(Code.RECORD_UNAVAILABLE)
        under = adopted.under(await load_standing(ledger))
        return await work(make_office(layout, ledger, lambda: under))


def _given(account: Account | Refusal) -> Account:
    if isinstance(account, Refusal):
        raise SojournError(account.code, **account.details)
    return account
