"""How every verb about the standing of people is decided and recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import STANDING, StreamName
from sojourn.domain.standing import Standing
from sojourn.errors import Code, Refusal, SojournError

from .adopt import load_standing
from .deciding import TRIES_MAX, Attempt, Decided, append_unless_stale, refuse
from .ports import Office

DecideStanding = Callable[[Standing, Adopted, datetime], Decided | Refusal]


async def on_standing(
    office: Office, attempt: Attempt, subject: StreamName, decide: DecideStanding
) -> Standing | Refusal:
    """Decide on the standing of people and record it, relying on the configuration in force.

    Gives the standing afterwards, or the recorded refusal. Raises SojournError: `record.stale` after too many tries,
    else what the ledger raises.
    """
    for tried in range(TRIES_MAX):
        state, adopted = await load_standing(office.ledger), office.in_force()
        decided = decide(state, adopted, office.clock.now())
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, subject, decided)
        if not decided.events:
            return state
        changes = tuple(
            Change(stream=STANDING, event=event, seen=state.version + place)
            for place, event in enumerate(decided.events)
        )
        if await append_unless_stale(office, tried, (*changes, *decided.also), decided.sealings, adopted):
            for event in decided.events:
                state = standings.evolve(state, event)
            return state
    raise SojournError(Code.RECORD_STALE, stream=STANDING)
