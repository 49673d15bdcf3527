"""Certification: everybody's eligibility, kept or taken away item by item."""

from __future__ import annotations

from sojourn.web.api import certifying
from sojourn.web.exchange import Exchange

from .frame import Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /campaigns: those in which one decides; all for administrators and auditors."""
    caller = await exchange.caller()
    query = {} if (before := exchange.query("before")) is None else {"before": before}
    people = exchange.services.office.in_force().catalogue.people
    return show(
        "campaigns.html",
        found=await certifying.listing(exchange.beside(**query)),
        opens=caller.administrator,
        people=people,
    )


async def one(exchange: Exchange) -> Shown:
    """GET /campaigns/{name}: its items, and for each what was decided."""
    caller = await exchange.caller()
    return show("campaign.html", found=await certifying.one(exchange), me_id=caller.id, closes=caller.administrator)


begin = form(certifying.begin, lambda found: f"/campaigns/{found.campaign.campaign}")
decide = form(certifying.decide, lambda found: f"/campaigns/{found.campaign.campaign}")
close = form(certifying.close, lambda found: f"/campaigns/{found.campaign.campaign}")
