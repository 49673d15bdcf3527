"""Facts: what integrations tell about the world, and what was told."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain.events import Shift
from sojourn.domain.fact import Tell, Told, Unsay
from sojourn.domain.identifiers import PersonId
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.projections import facts as told
from sojourn.projections.moments import text
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow.tell import tell as tell_fact

from . import bodies
from . import fact_shapes as shapes
from .asking import moment


async def tell(exchange: Exchange) -> shapes.FactShown:
    """POST /facts: put a fact on record, in the place of what was told about the same before."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.FactGiven)
    exchange.settled(
        await tell_fact(
            exchange.services.office,
            Tell(
                fact=sent.fact,
                subject=sent.subject,
                person=caller.id,
                until=moment(sent.until),
                origin=sent.origin,
                source=exchange.source,
                state=sent.state,
                sort=sent.sort,
                people=tuple(map(PersonId, sent.people)),
                shifts=tuple(map(_shift, sent.shifts)),
            ),
        )
    )
    await exchange.caught_up()
    with exchange.services.projections.reading() as connection:
        rows = told.facts(connection, fact=sent.fact, subject=sent.subject)
    if not rows:
        raise SojournError(Code.FACT_INVALID, problem=f"{sent.subject} was withdrawn in the same moment")
    return _shown(rows[0], exchange.services.office.clock.now())


async def withdraw(exchange: Exchange) -> None:
    """POST /facts/withdraw: what was told about it is no longer so."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.FactTaken)
    command = Unsay(fact=sent.fact, subject=sent.subject, person=caller.id, source=exchange.source)
    exchange.settled(await tell_fact(exchange.services.office, command))
    await exchange.caught_up()


async def listing(exchange: Exchange) -> shapes.Facts:
    """GET /facts: the last word about each thing; for administrators, auditors, and whoever may tell something."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor or caller.tells):
        who = "an administrator, an auditor, or somebody who may tell facts"
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="see facts", who=who)
    with exchange.services.projections.reading() as connection:
        rows = told.facts(connection, fact=exchange.query("fact"), before=exchange.before(), limit=PAGE + 1)
    now, more = exchange.services.office.clock.now(), len(rows) > PAGE
    return shapes.Facts(
        facts=tuple(_shown(row, now) for row in rows[:PAGE]), more=more, next=rows[PAGE - 1].seq if more else None
    )


def _shift(given: bodies.ShiftGiven) -> Shift:
    start, end = moment(given.start), moment(given.end)
    if not start < end:
        raise SojournError(Code.FACT_INVALID, problem=f"The shift of {given.person[:50]!a} ends before it begins")
    return Shift(person=PersonId(given.person), window=Window(start=start, end=end))


def _shown(row: Told, now: datetime) -> shapes.FactShown:
    fact = row.fact
    return shapes.FactShown(
        fact=fact.fact,
        subject=fact.subject,
        told_by=fact.told_by,
        origin=fact.origin,
        until=text(fact.until),
        holds=now < fact.until,
        state=fact.state,
        sort=fact.sort,
        people=fact.people,
        shifts=tuple(
            shapes.ShiftShown(person=one.person, start=text(one.window.start), end=text(one.window.end))
            for one in fact.shifts
        ),
        entry=row.seq,
    )
