"""Withdraw: the requester takes the request back, decided or not, as long as it was not activated."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.identifiers import PersonId, RequestId
from sojourn.domain.request import Request, Withdraw
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, on_request, shown
from .ports import Office


async def withdraw(office: Office, *, request: RequestId, person: PersonId, source: str) -> Request | Refusal:
    """Take the request back. Gives it withdrawn, or why not (on record). Raises SojournError from the ledger."""
    command = Withdraw(person=person, source=shown(source))

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = requests.decide(state, command, adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    return await on_request(
        office, Attempt(verb="withdraw", actor=person, source=source), request, decide, guarded=True
    )
