"""Sessions: the list, one with everything that was done in it, one action opened, and what was shown."""

from __future__ import annotations

from urllib.parse import urlencode

from sojourn.domain.events import Outcome
from sojourn.errors import Code, SojournError
from sojourn.projections import timeline
from sojourn.web.api import access, opening, record
from sojourn.web.api.recording import number_in
from sojourn.web.exchange import Exchange

from . import highlighting
from .frame import Shown, show

FILTERS = ("verb", "writes", "outcome", "search")
STATEMENTS = frozenset(("postgres",))
"""Kinds of targets whose actions are SQL."""


async def listing(exchange: Exchange) -> Shown:
    """GET /sessions: one's own, those that are open, or all of them."""
    caller = await exchange.caller()
    overseer = caller.administrator or caller.auditor
    view = exchange.query("view") or ("open" if overseer else "mine")
    query = {"mine": {"mine": "yes"}, "open": {"open": "yes"}}.get(view, {})
    if (before := exchange.query("before")) is not None:
        query = {**query, "before": before}
    found = await record.sessions(exchange.beside(**query))
    return show("sessions.html", found=found, view=view, overseer=overseer)


async def one(exchange: Exchange) -> Shown:
    """GET /sessions/{name}: a session and its actions, a page at a time, all or those that are looked for."""
    caller = await exchange.caller()
    row = record.visible_session(exchange, caller)
    session = record.show_session(row)
    wanted = {name: value for name in FILTERS if (value := exchange.query(name))}
    after = exchange.query("after") or "0"
    found = record.actions_of(exchange.beside(after=after, **wanted), row)
    grant = await access.one(exchange.beside(session.grant))
    with exchange.services.projections.reading() as connection:
        recorded = timeline.recorded(connection, session.session)
    last = found.actions[-1].number if found.actions else int(after)
    return show(
        "session.html",
        session=session,
        found=found,
        grant=grant,
        own=caller.id == session.person,
        may_open=opening.may_open(exchange, caller, row),
        recorded=recorded,
        wanted={**dict.fromkeys(FILTERS, ""), **wanted},
        searching=bool(wanted),
        outcomes=(*Outcome, timeline.RUNNING),
        after=after,
        last=last,
        following=urlencode({**wanted, "after": str(last)}),
        follows=session.closed_at is None and not found.more and not wanted,
    )


async def action(exchange: Exchange) -> Shown:
    """GET /sessions/{name}/actions/{number}: what one action said. The look is on record before it is shown."""
    await exchange.caller()
    opened = await opening.statement(exchange)
    session = await record.session(exchange)
    found = await record.actions(exchange.beside(session.session, after=str(opened.number - 1)))
    statement = _is_sql(exchange, session.target)
    return show(
        "action.html",
        session=session,
        opened=opened,
        action=found.actions[0],
        following=found.actions[1].number if len(found.actions) > 1 else None,
        besides={name: value for name, value in opened.details.items() if value},
        text=highlighting.sql(opened.text) if statement else opened.text,
        instead=[highlighting.sql(one) if statement else one for one in opened.instead],
    )


async def screen(exchange: Exchange) -> Shown:
    """GET /sessions/{name}/screen?action=N: what was shown in a terminal, as it was shown, or while it is."""
    caller, row = await opening.opener(exchange)
    session = await record.session(exchange)
    with exchange.services.projections.reading() as connection:
        recorded = timeline.recorded(connection, row.id)
    number = number_in(exchange, "action") or (recorded[0] if recorded else 0)
    if number not in recorded:
        raise SojournError(Code.RECORDING_NONE, session=row.id)
    grant = await access.one(exchange.beside(session.grant))
    return show(
        "screen.html",
        session=session,
        number=number,
        recorded=recorded,
        live=session.closed_at is None,
        grant=grant,
        own=caller.id == session.person,
    )


def _is_sql(exchange: Exchange, target: str) -> bool:
    known = exchange.services.office.in_force().catalogue.targets
    return any(one.name == target and one.kind in STATEMENTS for one in known)
