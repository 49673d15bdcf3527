"""The home page: what one holds, what one asked for, and what waits for one."""

from __future__ import annotations

from sojourn.web.api import access, asking, reviewing
from sojourn.web.exchange import Exchange

from .frame import Shown, show

RECENT = 5


async def home(exchange: Exchange) -> Shown:
    """GET /: mine, and what waits for me."""
    caller = await exchange.caller()
    held = await access.listing(exchange.beside(mine="yes", status="active"))
    coming = await access.listing(exchange.beside(mine="yes", status="provisioning"))
    waiting = await asking.listing(exchange.beside(waiting="yes"))
    asked = await asking.listing(exchange.beside(mine="yes"))
    reviews = await reviewing.listing(exchange.beside())
    return show(
        "home.html",
        person=caller,
        grants=(*coming.grants, *held.grants),
        waiting=waiting,
        asked=[one for one in asked.requests if one.status in ("pending", "approved")],
        past=[one for one in asked.requests if one.status not in ("pending", "approved")][:RECENT],
        reviews=reviews,
    )
