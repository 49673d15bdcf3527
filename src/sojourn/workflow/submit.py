"""Submit: somebody asks for a role on a target for some time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import RequestSubmitted
from sojourn.domain.identifiers import PersonId, RequestId, RoleName, TargetName
from sojourn.domain.policy import NO_FACTS, Facts
from sojourn.domain.request import REASON_LENGTH_MAX, Request, Submit
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal

from .asking import ask
from .deciding import Attempt, shown
from .ports import Access, Office


async def submit(
    office: Office,
    *,
    person: PersonId,
    target: TargetName,
    role: RoleName,
    duration: timedelta,
    reason: str,
    source: str,
    facts: Facts = NO_FACTS,
    start: datetime | None = None,
) -> Request | Refusal:
    """Ask, for an access from `start` (UTC) on, or from whenever it is activated. Gives the request, or why not.

    `reason` is sealed: the record holds a commitment to it. What is refused is on record as an attempt. Raises
    SojournError from the ledger; after `record.unavailable` the request may exist, so look before asking again.
    """

    def decide(request: RequestId, sealed: Sealed, adopted: Adopted, now: datetime) -> RequestSubmitted | Refusal:
        command = Submit(
            request=request,
            person=person,
            target=target,
            role=role,
            duration=duration,
            reason=reason,
            sealed_reason=sealed,
            source=shown(source),
            facts=office.gather(facts, Access(person=person, target=target, role=role), now),
            start=start,
        )
        return requests.submit(adopted, command, now)

    attempt = Attempt(verb="submit", actor=person, source=source)
    return await ask(office, attempt, subject=f"target/{target}", person=person, reason=reason, decide=decide)


def too_long(text: str) -> Refusal | None:
    """The refusal for a reason or comment over the limit."""
    if len(text) <= REASON_LENGTH_MAX:
        return None
    return Refusal(Code.REQUEST_REASON_TOO_LONG, {"length": str(len(text)), "limit": str(REASON_LENGTH_MAX)})
