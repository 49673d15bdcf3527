"""What approving, approving less and denying share: decide, seal the comment, and give what was approved at once.

An extension is given in the very append that approves it: its request, its grant's new end, or neither.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, GrantExtended, RequestApproved, RequestDenied
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import GrantId, RequestId, grant_stream
from sojourn.domain.request import Approve, ApproveLess, Deny, Request
from sojourn.domain.sealed import Sealed
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, as_known, on_request
from .loading import load_grant_at
from .ports import Office
from .submit import too_long


async def judge(
    office: Office, *, verb: str, request: RequestId, command: Approve | ApproveLess | Deny, comment: str
) -> Request | Refusal:
    """Decide on a request by `command`. The comment is sealed only once the word counts; strangers leave nothing."""
    seen: list[tuple[Grant, int]] = []

    async def look(state: Request) -> None:
        seen.clear()
        if state.submitted.extends is not None and not isinstance(command, Deny):
            seen.append(await load_grant_at(office.ledger, state.submitted.extends))

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        state = as_known(office, state, now)
        decided = requests.decide(state, command, adopted, now)
        if isinstance(decided, Refusal):
            return decided
        refusal = too_long(comment)
        if refusal is not None:
            return refusal
        given = Decided(events=decided)
        if comment:
            sealing = office.sealer.seal(command.person, comment.encode("utf-8", "backslashreplace"))
            events = tuple(_with_comment(event, sealing.sealed) for event in decided)
            given = Decided(events=events, sealings=(sealing,))
        return with_extension(state, given, seen[0], adopted, now, command.source) if seen else given

    attempt = Attempt(verb=verb, actor=command.person, source=command.source)
    return await on_request(office, attempt, request, decide, guarded=True, look=look)


def with_extension(
    state: Request, given: Decided, seen: tuple[Grant, int], adopted: Adopted, now: datetime, source: str
) -> Decided | Refusal:
    """What was decided, and the new end of the grant if no approval is missing any more."""
    after: Request | None = state
    for event in given.events:
        after = requests.evolve(after, event)
    assert after is not None, "an event never unmakes a request"
    if after.status is not requests.Status.APPROVED:
        return given
    grant, version = seen
    spent = requests.extend(after, grant, adopted, now, source=source)
    if isinstance(spent, Refusal):
        return spent
    own, moved = spending(spent, grant.id, version)
    return replace(given, events=(*given.events, *own), also=moved)


def spending(spent: tuple[Event, ...], grant: GrantId, version: int) -> tuple[tuple[Event, ...], tuple[Change, ...]]:
    """The request's own events, and the change that moves the grant's end."""
    moved = tuple(
        Change(stream=grant_stream(grant), event=event, seen=version)
        for event in spent
        if isinstance(event, GrantExtended)
    )
    return tuple(event for event in spent if not isinstance(event, GrantExtended)), moved


def _with_comment(event: Event, comment: Sealed) -> Event:
    match event:
        case RequestApproved() | RequestDenied():
            return replace(event, comment=comment)
        case _:
            return event
