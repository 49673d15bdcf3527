"""Look back: what people had and did goes on record when they have left, or have lost something they could ask for.

Who is owed it is folded from the record (`Standing.to_look_back`), whichever way it came about. So a crash in between
loses nothing, and of several nodes that do it at once one does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import LookedBack
from sojourn.domain.identifiers import STANDING, GrantId, PersonId
from sojourn.domain.standing import Standing
from sojourn.errors import Refusal
from sojourn.projections import history
from sojourn.projections.moments import text
from sojourn.projections.projector import Projections

from .deciding import SYSTEM_ACTOR, Attempt, Decided
from .ports import Office
from .standing import on_standing

LOOK_BACK = timedelta(days=90)
"""So far back is looked."""
PEOPLE_MAX = 10
"""So many are looked back on at once, for reading takes milliseconds each; the others follow a second later."""


async def look_back(office: Office, projections: Projections) -> None:
    """Put on record what those had and did who are owed it, and the programs that they answer for.

    Of somebody who still holds what was taken from them it waits until that has ended, and of everybody until the read
    models are as far as the standing. Raises SojournError from the ledger.
    """
    entries = await office.ledger.stream(STANDING)
    if not entries or projections.following <= entries[-1].seq:
        return

    def decide(state: Standing, adopted: Adopted, now: datetime) -> Decided | Refusal:
        if state.version != len(entries):
            # Somebody was faster: what is owed now may be more than the read models knew.
            return Decided(events=())
        return Decided(events=_looked_back(projections, state, adopted, now - LOOK_BACK))

    attempt = Attempt(verb="look_back", actor=SYSTEM_ACTOR, source="")
    settled = await on_standing(office, attempt, STANDING, decide)
    assert not isinstance(settled, Refusal), "nothing here refuses"


def _looked_back(
    projections: Projections, state: Standing, adopted: Adopted, since: datetime
) -> tuple[LookedBack, ...]:
    found: list[LookedBack] = []
    with projections.reading() as connection:
        for owed in sorted(state.to_look_back):
            people = (owed, *_programs(owed, state, adopted))
            open_still = {one: history.open_accesses(connection, one) for one in people}
            if any(not adopted.eligible(one, *access) for one, held in open_still.items() for access in held):
                continue
            rows = ((one, history.look_back(connection, one, since=text(since))) for one in people)
            found.extend(_event(one, since, row) for one, row in rows)
            if len(found) >= PEOPLE_MAX:
                break
    return tuple(found)


def _programs(owner: PersonId, state: Standing, adopted: Adopted) -> tuple[PersonId, ...]:
    """The accounts that they answer for, which lose everything with them; without those that are owed their own."""
    owned = (one.id for one in adopted.policy.people.values() if one.owner == owner)
    return tuple(sorted(one for one in owned if one not in state.to_look_back))


def _event(person: PersonId, since: datetime, found: history.LookBackRow) -> LookedBack:
    return LookedBack(
        person=person,
        since=since,
        grants=tuple(GrantId(grant) for grant in found.grants),
        grants_total=found.grants_total,
        sessions=found.sessions,
        actions=found.actions,
        writes=found.writes,
        requests_decided=found.requests_decided,
    )
