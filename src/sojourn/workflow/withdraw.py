"""Withdraw: the requester takes the request back, or an approver their yes, as long as it was not activated."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.identifiers import PersonId, RequestId
from sojourn.domain.request import Request, Withdraw, WithdrawApproval
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, on_request, shown
from .ports import Office


async def withdraw(office: Office, *, request: RequestId, person: PersonId, source: str) -> Request | Refusal:
    """Take the request back. Gives it withdrawn, or why not (on record). Raises SojournError from the ledger."""
    return await _take_back(office, "withdraw", request, Withdraw(person=person, source=shown(source)))


async def withdraw_approval(office: Office, *, request: RequestId, person: PersonId, source: str) -> Request | Refusal:
    """Take back one's own yes. Gives the request, which waits again, or why not (on record). Raises as `withdraw`."""
    command = WithdrawApproval(person=person, source=shown(source))
    return await _take_back(office, "withdraw_approval", request, command)


async def _take_back(
    office: Office, verb: str, request: RequestId, command: Withdraw | WithdrawApproval
) -> Request | Refusal:
    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = requests.decide(state, command, adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    attempt = Attempt(verb=verb, actor=command.person, source=command.source)
    return await on_request(office, attempt, request, decide, guarded=True)
