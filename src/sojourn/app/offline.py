"""What an operator does on the machine itself, over the scribe's socket and without signing in."""

from __future__ import annotations

import asyncio

from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity.accounts import invite
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout
from sojourn.workflow.adopt import load_adopted

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

    async def work() -> dict[str, str]:
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(CLI_SECONDS)
            adopted = await load_adopted(ledger)
            if adopted is None:
                raise SojournError(Code.RECORD_UNAVAILABLE)
            account = await invite(
                make_office(layout, ledger, lambda: adopted),
                person=PersonId(person),
                invited_by=operator(),
                life=settings.control.invitation_life,
                code=code,
            )
            if isinstance(account, Refusal):
                raise SojournError(account.code, **account.details)
            assert account.invitation is not None
            return {"person": person, "code": code, "expires_at": account.invitation.expires_at.isoformat()}

    return asyncio.run(work())
