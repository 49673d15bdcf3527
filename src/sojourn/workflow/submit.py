"""Submit: somebody asks for a role on a target for some time."""

from __future__ import annotations

from datetime import timedelta

from sojourn.domain import request as requests
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, RequestId, RoleName, TargetName, request_stream
from sojourn.domain.request import REASON_LENGTH_MAX, Request, Submit
from sojourn.errors import Code, Refusal, SojournError

from .deciding import TRIES_MAX, Attempt, append_unless_stale, refuse, shown
from .ports import Office


async def submit(
    office: Office,
    *,
    person: PersonId,
    target: TargetName,
    role: RoleName,
    duration: timedelta,
    reason: str,
    source: str,
) -> Request | Refusal:
    """Ask. Gives the pending request, or why it may not be asked (which is on record as an attempt).

    `reason` is sealed: the record holds a commitment to it. Raises SojournError from the ledger; after
    `record.unavailable` the request may exist, so look before asking again.
    """
    attempt = Attempt(verb="submit", actor=person, source=source)
    for tried in range(TRIES_MAX):
        adopted = office.in_force()
        refusal = _hopeless(adopted.catalogue.person(person) is not None, person, reason)
        if refusal is not None:
            return await refuse(office, attempt, "", refusal)
        sealing = office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
        request = RequestId(office.new_id("r"))
        command = Submit(
            request=request,
            person=person,
            target=target,
            role=role,
            duration=duration,
            reason=reason,
            sealed_reason=sealing.sealed,
            source=shown(source),
        )
        event = requests.submit(adopted, command, office.clock.now())
        if isinstance(event, Refusal):
            return await refuse(office, attempt, f"target/{target}", event)
        change = Change(stream=request_stream(request), event=event, seen=0)
        if await append_unless_stale(office, tried, (change,), (sealing,), adopted):
            state = requests.evolve(None, event)
            assert state is not None, "a submitted request is a request"
            return state
    raise SojournError(Code.RECORD_STALE, stream=f"target/{shown(target)}")


def _hopeless(known: bool, person: PersonId, reason: str) -> Refusal | None:
    """What is refused before anything is sealed: nothing is kept for strangers, and nothing without a limit."""
    if not known:
        return Refusal(Code.PERSON_UNKNOWN, {"person": person})
    return too_long(reason)


def too_long(text: str) -> Refusal | None:
    """The refusal for a reason or comment over the limit."""
    if len(text) <= REASON_LENGTH_MAX:
        return None
    return Refusal(Code.REQUEST_REASON_TOO_LONG, {"length": str(len(text)), "limit": str(REASON_LENGTH_MAX)})
