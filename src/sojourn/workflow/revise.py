"""Revise: the requester asks for something else instead, and it is decided anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId, RequestId, RoleName, TargetName
from sojourn.domain.policy import NO_FACTS, Facts
from sojourn.domain.request import Request, Revise
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, on_request, shown
from .judging import with_extension
from .loading import load_grant_at
from .ports import Access, Office
from .submit import too_long


async def revise(
    office: Office,
    *,
    request: RequestId,
    person: PersonId,
    target: TargetName,
    role: RoleName,
    duration: timedelta,
    reason: str,
    source: str,
    facts: Facts = NO_FACTS,
    start: datetime | None = None,
) -> Request | Refusal:
    """Ask for this instead. Gives the request as it is afterwards, undecided; or why not (on record as an attempt).

    `reason` is sealed. Raises SojournError from the ledger.
    """

    seen: list[tuple[Grant, int]] = []

    async def look(state: Request) -> None:
        seen.clear()
        if state.submitted.extends is not None:
            seen.append(await load_grant_at(office.ledger, state.submitted.extends))

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        refusal = too_long(reason)
        if refusal is not None:
            return refusal
        sealing = office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
        command = Revise(
            person=person,
            target=target,
            role=role,
            duration=duration,
            reason=reason,
            sealed_reason=sealing.sealed,
            source=shown(source),
            facts=office.gather(facts, Access(person=person, target=target, role=role), now),
            start=start,
        )
        decided = requests.decide(state, command, adopted, now)
        if isinstance(decided, Refusal):
            return decided
        given = Decided(events=decided, sealings=(sealing,))
        return with_extension(state, given, seen[0], adopted, now, command.source) if seen else given

    attempt = Attempt(verb="revise", actor=person, source=source)
    return await on_request(office, attempt, request, decide, guarded=True, look=look)
