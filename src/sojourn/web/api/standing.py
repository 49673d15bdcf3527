"""The standing of people: who has left, what they had and did, and who is away."""

from __future__ import annotations

import asyncio
from datetime import datetime

from sojourn.domain.identifiers import AbsenceId, PersonId, TokenId
from sojourn.domain.people import Person
from sojourn.errors import Code, SojournError
from sojourn.projections import queries
from sojourn.projections.history import LookBackRow, look_back
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange
from sojourn.workflow import away as absences
from sojourn.workflow import leave as leaving
from sojourn.workflow.adopt import load_standing
from sojourn.workflow.look_back import LOOK_BACK

from . import bodies, standing_shapes
from .asking import moment

SEEN_TRIES = 200
SEEN_PAUSE_SECONDS = 0.01


async def leave(exchange: Exchange) -> standing_shapes.LookBack:
    """POST /people/{name}/leave: they have left; their tokens are dead, and all that they hold ends now."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Reason)
    office, person = exchange.services.office, PersonId(exchange.name)
    exchange.settled(
        await leaving.leave(office, person=person, by=caller.id, reason=sent.reason, source=exchange.source)
    )
    return await wound_up(exchange, person, by=caller.id)


async def wound_up(exchange: Exchange, person: PersonId, *, by: PersonId) -> standing_shapes.LookBack:
    """Put on record that the tokens of somebody who has left are dead, and show what they had and did.

    The look-back itself goes on record by itself, once all that they held has ended (`workflow.look_back`).
    """
    await exchange.caught_up()
    office = exchange.services.office
    now = office.clock.now()
    with exchange.services.projections.reading() as connection:
        live = queries.live_tokens(connection, person, text(now))
        found = look_back(connection, person, since=text(now - LOOK_BACK))
    await leaving.revoke_tokens(office, tokens=tuple(TokenId(one.id) for one in live), by=by)
    return _shown(person, now - LOOK_BACK, found, has_left=True)


async def rejoin(exchange: Exchange) -> standing_shapes.PersonShown:
    """POST /people/{name}/rejoin: they are back; what they had does not come back with them."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Reason)
    office, person = exchange.services.office, PersonId(exchange.name)
    standing = exchange.settled(
        await leaving.come_back(office, person=person, by=caller.id, reason=sent.reason, source=exchange.source)
    )
    await seen(exchange, standing.version)
    known = office.in_force().catalogue.person(person)
    return standing_shapes.PersonShown(person=person, name=known.name if known is not None else "", left=False)


async def looked_back(exchange: Exchange) -> standing_shapes.LookBack:
    """GET /people/{name}/look-back: what a person had and did lately; for administrators, auditors and themselves."""
    caller = await exchange.caller()
    person = PersonId(exchange.name)
    if not (caller.administrator or caller.auditor or caller.id == person):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action="look back", who="an administrator or an auditor"
        )
    since = exchange.services.office.clock.now() - LOOK_BACK
    standing = exchange.services.office.in_force().standing
    with exchange.services.projections.reading() as connection:
        found = look_back(connection, person, since=text(since))
    return _shown(person, since, found, has_left=person in standing.left)


async def declare(exchange: Exchange) -> standing_shapes.AbsenceShown:
    """POST /absences: be away for some time, and name who decides in one's place."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Absence)
    now = exchange.services.office.clock.now()
    start = moment(sent.start) if sent.start else now
    declared = exchange.settled(
        await absences.declare_absence(
            exchange.services.office,
            person=caller.id,
            start=start,
            end=moment(sent.end),
            delegate=PersonId(sent.delegate) if sent.delegate else None,
            source=exchange.source,
        )
    )
    return standing_shapes.AbsenceShown(
        absence=declared.absence,
        person=declared.person,
        start=text(declared.window.start),
        end=text(declared.window.end),
        delegate=declared.delegate,
        now=declared.window.contains(now),
    )


async def listing(exchange: Exchange) -> standing_shapes.Absences:
    """GET /absences: who is, or will be, away, and who decides in their place."""
    await exchange.caller()
    now = exchange.services.office.clock.now()
    standing = exchange.services.office.in_force().standing
    shown = tuple(
        standing_shapes.AbsenceShown(
            absence=one.absence,
            person=one.person,
            start=text(one.window.start),
            end=text(one.window.end),
            delegate=one.delegate,
            now=one.window.contains(now),
        )
        for one in sorted(standing.absences, key=lambda one: (one.window.start, one.absence))
        if one.window.end > now and one.person not in standing.left
    )
    return standing_shapes.Absences(absences=shown)


async def end(exchange: Exchange) -> None:
    """POST /absences/{name}/end: one is back early, or does not go."""
    caller: Person = await exchange.caller()
    await exchange.body(bodies.Nothing)
    standing = exchange.settled(
        await absences.end_absence(
            exchange.services.office, absence=AbsenceId(exchange.name), person=caller.id, source=exchange.source
        )
    )
    await seen(exchange, standing.version)


async def seen(exchange: Exchange, version: int) -> None:
    """Until this process decides under that standing, so that who changed it sees its effect in the next answer."""
    for _ in range(SEEN_TRIES):
        if exchange.services.office.in_force().standing.version >= version:
            return
        await asyncio.sleep(SEEN_PAUSE_SECONDS)
    standing = await load_standing(exchange.services.office.ledger)
    raise SojournError(Code.SERVICE_TIMEOUT, what=f"Reading standing {standing.version}", seconds="2")


def _shown(person: PersonId, since: datetime, found: LookBackRow, *, has_left: bool) -> standing_shapes.LookBack:
    return standing_shapes.LookBack(
        person=person,
        left=has_left,
        since=text(since),
        grants=found.grants,
        grants_total=found.grants_total,
        grants_open=found.grants_open,
        sessions=found.sessions,
        actions=found.actions,
        writes=found.writes,
        requests_decided=found.requests_decided,
    )
