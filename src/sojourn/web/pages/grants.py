"""Accesses: the list, and one with its end, its sessions and the ways to end it."""

from __future__ import annotations

from sojourn.domain.identifiers import TargetName
from sojourn.web.api import access, asking, record
from sojourn.web.exchange import Exchange

from .frame import Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /grants: one's own, or all of them; `status=active` for who holds what now."""
    caller = await exchange.caller()
    view = exchange.query("view") or "mine"
    query = {"mine": {"mine": "yes"}, "active": {"status": "active"}}.get(view, {})
    if (before := exchange.query("before")) is not None:
        query = {**query, "before": before}
    found = await access.listing(exchange.beside(**query))
    return show("grants.html", found=found, view=view, overseer=caller.administrator or caller.auditor)


async def one(exchange: Exchange) -> Shown:
    """GET /grants/{name}: an access, what it opens, its sessions, and how it ends."""
    caller = await exchange.caller()
    grant = await access.one(exchange)
    sessions = await record.sessions(exchange.beside(grant=grant.grant))
    target = exchange.services.office.in_force().catalogue.target(TargetName(grant.target))
    return show(
        "grant.html",
        grant=grant,
        sessions=sessions,
        own=caller.id == grant.person,
        may_revoke=caller.administrator or caller.id != grant.person,
        ssh=target is not None and target.ssh is not None,
    )


extend = form(asking.extend, lambda request: f"/requests/{request.request}")
end = form(access.end, lambda ended: f"/grants/{ended.grant.grant}")
revoke = form(access.revoke, lambda ended: f"/grants/{ended.grant.grant}")
