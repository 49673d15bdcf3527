"""Hold: what falls under it is not destroyed until two people released it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sojourn.domain import hold as holds
from sojourn.domain.catalogue import Adopted
from sojourn.domain.confirmation import Confirmation
from sojourn.domain.events import (
    Event,
    GrantCreated,
    GrantRemoved,
    HoldScope,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestSubmitted,
)
from sojourn.domain.history import Recorded
from sojourn.domain.hold import Coverage, PlaceHold, ReleaseHold
from sojourn.domain.identifiers import GrantId, HoldId, PersonId, RequestId, grant_stream, request_stream
from sojourn.domain.register import Hold, Register
from sojourn.errors import Code, Refusal

from .deciding import Attempt, Decided, refuse, shown
from .keeping import on_register, sealed_reason
from .loading import is_id
from .ports import Ledger, Office

AFTERWARDS = timedelta(days=1)
"""Outcomes of the last actions may come in after an access is over; they are held too."""


async def place_hold(
    office: Office, *, coverage: Coverage, reason: str, person: PersonId, source: str
) -> Hold | Refusal:
    """Keep everything in `coverage` (see `coverage_of`). Gives the hold, or why there is none (on record)."""
    attempt = Attempt(verb="place_hold", actor=person, source=source)
    sealing = sealed_reason(office, person, reason)
    if isinstance(sealing, Refusal):
        return await refuse(office, attempt, "keeping", sealing)
    hold = HoldId(office.new_id("h"))
    command = PlaceHold(hold=hold, coverage=coverage, reason=sealing.sealed, person=person, source=shown(source))

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = holds.place(adopted.catalogue, command)
        return decided if isinstance(decided, Refusal) else Decided(events=(decided,), sealings=(sealing,))

    settled = await on_register(office, attempt, decide)
    return settled if isinstance(settled, Refusal) else settled.holds[hold]


async def release_hold(
    office: Office, *, hold: HoldId, person: PersonId, source: str, confirmation: Confirmation | None = None
) -> Hold | Refusal:
    """Ask for the release, or confirm what somebody else asked for. Gives the hold afterwards, or why not."""
    attempt = Attempt(verb="release_hold", actor=person, source=source)
    command = ReleaseHold(hold=HoldId(shown(hold)), person=person, source=shown(source), confirmation=confirmation)

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = holds.release(state, command, adopted.catalogue)
        return decided if isinstance(decided, Refusal) else Decided(events=(decided,))

    settled = await on_register(office, attempt, decide)
    return settled if isinstance(settled, Refusal) else settled.holds[hold]


async def coverage_of(
    ledger: Ledger, scope: HoldScope, name: str, start: datetime | None, end: datetime | None
) -> Coverage | Refusal:
    """What a hold on this person, grant, request or period covers, worked out from the record.

    Raises SojournError from the ledger.
    """
    match scope:
        case HoldScope.PERSON:
            return Coverage(scope=scope, name=name, people=(PersonId(name),), start=start, end=end)
        case HoldScope.PERIOD:
            return Coverage(scope=scope, name="", start=start, end=end)
        case HoldScope.GRANT:
            own = await ledger.stream(grant_stream(GrantId(name))) if is_id(name) else ()
            created = next((one.event for one in own if isinstance(one.event, GrantCreated)), None)
            if created is None:
                return Refusal(Code.GRANT_UNKNOWN, {"grant": shown(name)})
            return _taking_part(scope, name, await ledger.stream(request_stream(created.request)), own)
        case HoldScope.REQUEST:
            asked = await ledger.stream(request_stream(RequestId(name))) if is_id(name) else ()
            if not asked:
                return Refusal(Code.REQUEST_UNKNOWN, {"request": shown(name)})
            spent = next((one.event for one in asked if isinstance(one.event, RequestActivated)), None)
            return _taking_part(scope, name, asked, await ledger.stream(grant_stream(spent.grant)) if spent else ())


def _taking_part(scope: HoldScope, name: str, asked: Sequence[Recorded], own: Sequence[Recorded]) -> Coverage:
    """Everybody who took part in a request and its grant, from the first word until it was over, if it is."""
    people = sorted({person for one in (*asked, *own) for person in _people(one.event)})
    removed = next((one.at for one in own if isinstance(one.event, GrantRemoved)), None)
    end = None if removed is None else removed + AFTERWARDS
    return Coverage(scope=scope, name=name, people=tuple(people), start=asked[0].at, end=end)


def _people(event: Event) -> tuple[PersonId, ...]:
    match event:
        case RequestSubmitted() | RequestApproved() | RequestDenied() | GrantCreated():
            return (event.person,)
        case _:
            return ()
