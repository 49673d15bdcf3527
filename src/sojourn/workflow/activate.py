"""Activate: the requester spends the approval, and the access begins. One approval is one grant.

Where copies of the record have to be kept up, nothing begins while one of them lacks entries older than allowed.
"""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, GrantCreated
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, grant_stream
from sojourn.domain.publication import Held
from sojourn.domain.request import Activate, Request
from sojourn.errors import Code, Refusal

from .deciding import Attempt, Decided, as_known, on_request, shown
from .ports import Office

CREDENTIAL_LENGTH_MAX = 63
"""PostgreSQL cuts longer names silently (NAMEDATALEN - 1)."""


async def activate(office: Office, *, request: RequestId, person: PersonId, source: str) -> Grant | Refusal:
    """Begin the access now. Gives the grant, still to be provisioned, or why not (on record as an attempt).

    The request and the new grant are recorded in one append, so there is never one without the other. Raises
    SojournError from the ledger; after `record.unavailable` the grant may exist: look at the request first.
    """
    opened: list[Grant] = []
    late: Held | None = None

    async def look(_: Request) -> None:
        nonlocal late
        late = None if office.late is None else await office.late()

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        opened.clear()
        if late is not None:
            return not_published(late)
        grant = GrantId(office.new_id("g"))
        command = Activate(person=person, grant=grant, credential=credential_for(grant), source=shown(source))
        decided = requests.decide(as_known(office, state, now), command, adopted, now)
        if isinstance(decided, Refusal):
            return decided
        own, created = _apart(decided)
        opened.append(Grant(created=created))
        return Decided(events=own, also=(Change(stream=grant_stream(grant), event=created, seen=0),))

    settled = await on_request(
        office, Attempt(verb="activate", actor=person, source=source), request, decide, guarded=True, look=look
    )
    return settled if isinstance(settled, Refusal) else opened[0]


def not_published(late: Held) -> Refusal:
    """Why no access begins while a copy of the record lacks what it has to hold."""
    assert late.missing_since is not None, "only a place that lacks something is late"
    details = {"place": late.place, "published": str(late.published), "since": late.missing_since.isoformat()}
    return Refusal(Code.PUBLICATION_LATE, details)


def credential_for(grant: GrantId) -> str:
    """The name of the role to be made in the target: at most 63 bytes of lower-case ASCII, and the grant's own."""
    name = "sojourn_" + grant.lower().replace("-", "")
    if len(name.encode()) > CREDENTIAL_LENGTH_MAX:
        raise ValueError(f"an id too long to name a credential after: {grant!r}")
    return name


def _apart(events: tuple[Event, ...]) -> tuple[tuple[Event, ...], GrantCreated]:
    """The request's own events, and the one that opens the grant's stream."""
    created = [event for event in events if isinstance(event, GrantCreated)]
    return tuple(event for event in events if not isinstance(event, GrantCreated)), created[0]
