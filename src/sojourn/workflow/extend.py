"""Extend: the holder of an access asks for more time. It is decided like an access of its own, and given at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, RequestSubmitted
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, grant_stream
from sojourn.domain.policy import NO_FACTS, Facts
from sojourn.domain.request import Request, Status, SubmitExtension
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal

from .asking import ask
from .deciding import Attempt, refuse, shown
from .judging import spending
from .loading import load_grant, load_grant_at
from .ports import Access, Office


async def extend(
    office: Office,
    *,
    grant: GrantId,
    person: PersonId,
    duration: timedelta,
    reason: str,
    source: str,
    facts: Facts = NO_FACTS,
) -> Request | Refusal:
    """Ask that the access lasts `duration` longer than it does now.

    Gives the request: pending, or spent already where the rules need no decision. Until it is approved the end stays
    where it is. A refusal is on record as an attempt. Raises SojournError from the ledger.
    """
    attempt = Attempt(verb="extend", actor=person, source=source)
    if await load_grant(office.ledger, grant) is None:
        unknown = Refusal(Code.GRANT_UNKNOWN, {"grant": shown(grant)})
        return await refuse(office, attempt, grant_stream(GrantId(shown(grant))), unknown)
    seen: list[tuple[Grant, int]] = []

    async def look() -> None:
        seen[:] = [await load_grant_at(office.ledger, grant)]

    def decide(request: RequestId, sealed: Sealed, adopted: Adopted, now: datetime) -> RequestSubmitted | Refusal:
        held = seen[0][0].created
        command = SubmitExtension(
            request=request,
            person=person,
            duration=duration,
            reason=reason,
            sealed_reason=sealed,
            source=shown(source),
            facts=office.gather(facts, Access(person=person, target=held.target, role=held.role), now),
        )
        return requests.submit_extension(adopted, seen[0][0], command, now)

    def follow(
        state: Request, adopted: Adopted, now: datetime
    ) -> tuple[tuple[Event, ...], tuple[Change, ...]] | Refusal:
        if state.status is not Status.APPROVED:
            return (), ()
        held, version = seen[0]
        spent = requests.extend(state, held, adopted, now, source=shown(source))
        return spent if isinstance(spent, Refusal) else spending(spent, held.id, version)

    return await ask(
        office,
        attempt,
        subject=grant_stream(grant),
        person=person,
        reason=reason,
        decide=decide,
        look=look,
        follow=follow,
    )
