"""Expire: what time and departures end. Each verb may be called by anybody, at any moment, any number of times."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.grant import EndForLeaver, Expire, Grant
from sojourn.domain.identifiers import GrantId, RequestId
from sojourn.domain.request import EscalateRequest, LapseRequest, Request
from sojourn.errors import Refusal

from .deciding import SYSTEM_ACTOR, Attempt, Decided, must, on_grant, on_request, plainly
from .ports import Office


async def expire_grant(office: Office, grant: GrantId) -> Grant:
    """End the grant if its end has come; otherwise leave it. Raises SojournError `grant.unknown`, or the ledger's."""
    attempt = Attempt(verb="expire", actor=SYSTEM_ACTOR, source="")
    return must(await on_grant(office, attempt, grant, plainly(Expire()), guarded=False))


async def end_for_leaver(office: Office, grant: GrantId) -> Grant:
    """End the grant if the configuration in force no longer knows its holder; otherwise leave it.

    Raises SojournError `grant.unknown`, or the ledger's.
    """
    attempt = Attempt(verb="end_for_leaver", actor=SYSTEM_ACTOR, source="")
    return must(await on_grant(office, attempt, grant, plainly(EndForLeaver()), guarded=True))


async def lapse_request(office: Office, request: RequestId) -> Request:
    """End the request if it was not decided, or not used, in time, or its requester has left; otherwise leave it.

    Raises SojournError `request.unknown`, or the ledger's.
    """

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = requests.decide(state, LapseRequest(), adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    attempt = Attempt(verb="lapse", actor=SYSTEM_ACTOR, source="")
    return must(await on_request(office, attempt, request, decide, guarded=True))


async def escalate_request(office: Office, request: RequestId) -> Request:
    """Say that more people may decide on the request, if that is due; otherwise leave it. Raises as `lapse_request`."""

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = requests.decide(state, EscalateRequest(), adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    attempt = Attempt(verb="escalate", actor=SYSTEM_ACTOR, source="")
    return must(await on_request(office, attempt, request, decide, guarded=False))
