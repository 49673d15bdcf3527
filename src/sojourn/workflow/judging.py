"""What approving and denying have in common: one decision on one request, with a sealed comment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, RequestApproved, RequestDenied
from sojourn.domain.identifiers import RequestId
from sojourn.domain.request import Approve, Deny, Request
from sojourn.domain.sealed import Sealed
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, on_request
from .ports import Office
from .submit import too_long


async def judge(
    office: Office, *, verb: str, request: RequestId, command: Approve | Deny, comment: str
) -> Request | Refusal:
    """Decide on a request by `command`. The comment is sealed only once the word counts; strangers leave nothing."""

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = requests.decide(state, command, adopted, now)
        if isinstance(decided, Refusal):
            return decided
        refusal = too_long(comment)
        if refusal is not None:
            return refusal
        if not comment:
            return Decided(events=decided)
        sealing = office.sealer.seal(command.person, comment.encode("utf-8", "backslashreplace"))
        events = tuple(_with_comment(event, sealing.sealed) for event in decided)
        return Decided(events=events, sealings=(sealing,))

    attempt = Attempt(verb=verb, actor=command.person, source=command.source)
    return await on_request(office, attempt, request, decide, guarded=True)


def _with_comment(event: Event, comment: Sealed) -> Event:
    match event:
        case RequestApproved() | RequestDenied():
            return replace(event, comment=comment)
        case _:
            return event
