"""How everything that is asked anew comes on record: seal the reason, decide, append; and once more if need be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, RequestSubmitted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, RequestId, request_stream
from sojourn.domain.request import REASON_LENGTH_MAX, Request
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal, SojournError

from .deciding import TRIES_MAX, Attempt, append_unless_stale, refuse, shown
from .ports import Office

Decide = Callable[[RequestId, Sealed, Adopted, datetime], RequestSubmitted | Refusal]
"""Decides whether this may be asked. Called anew, with a fresh id, for every try."""

Follow = Callable[[Request, Adopted, datetime], tuple[tuple[Event, ...], tuple[Change, ...]] | Refusal]
"""What follows at once, where no decision is needed: further events of the request, and changes to other streams."""


async def _see_nothing_else() -> None:
    """Most questions need nothing but what is in force."""


async def ask(
    office: Office,
    attempt: Attempt,
    *,
    subject: str,
    person: PersonId,
    reason: str,
    decide: Decide,
    look: Callable[[], Awaitable[None]] = _see_nothing_else,
    follow: Follow = lambda state, adopted, now: ((), ()),
) -> Request | Refusal:
    """Ask by `decide`; `look` reads what else that needs. Gives the request, or the recorded refusal.

    Nothing is sealed for strangers. Raises SojournError: `record.stale` after too many tries, else the ledger's.
    """
    for tried in range(TRIES_MAX):
        adopted = office.in_force()
        refusal = _hopeless(adopted.catalogue.person(person) is not None, person, reason)
        if refusal is not None:
            return await refuse(office, attempt, "", refusal)
        await look()
        adopted, now = office.in_force(), office.clock.now()
        sealing = office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
        request = RequestId(office.new_id("r"))
        event = decide(request, sealing.sealed, adopted, now)
        if isinstance(event, Refusal):
            return await refuse(office, attempt, subject, event)
        state = requests.evolve(None, event)
        assert state is not None, "a submitted request is a request"
        more = follow(state, adopted, now)
        if isinstance(more, Refusal):
            return await refuse(office, attempt, subject, more)
        own, also = more
        stream = request_stream(request)
        changes = tuple(Change(stream=stream, event=one, seen=place) for place, one in enumerate((event, *own)))
        if await append_unless_stale(office, tried, (*changes, *also), (sealing,), adopted):
            for one in own:
                state = requests.evolve(state, one) or state
            return state
    raise SojournError(Code.RECORD_STALE, stream=shown(subject))


def _hopeless(known: bool, person: PersonId, reason: str) -> Refusal | None:
    """What is refused before anything is sealed: nothing is kept for strangers, and nothing without a limit."""
    if not known:
        return Refusal(Code.PERSON_UNKNOWN, {"person": person})
    if len(reason) <= REASON_LENGTH_MAX:
        return None
    return Refusal(Code.REQUEST_REASON_TOO_LONG, {"length": str(len(reason)), "limit": str(REASON_LENGTH_MAX)})
