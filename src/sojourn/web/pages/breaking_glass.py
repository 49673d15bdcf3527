"""Break-glass: an access without a decision beforehand, for when there is no time and a good reason."""

from __future__ import annotations

from sojourn.web.api import break_glass
from sojourn.web.exchange import Exchange

from .confirming import ways
from .frame import Shown, form, show


async def ask(exchange: Exchange) -> Shown:
    """GET /break-glass: the form, and what it means to send it."""
    offered = (await break_glass.offered(exchange)).accesses
    wanted = exchange.query("target"), exchange.query("role")
    chosen = next((one for one in offered if (one.target, one.role) == wanted), None)
    confirms = await ways(exchange, always=True) if chosen is not None else None
    return show("break_glass.html", offered=offered, chosen=chosen, confirms=confirms)


take = form(break_glass.take, lambda grant: f"/grants/{grant.grant}")
