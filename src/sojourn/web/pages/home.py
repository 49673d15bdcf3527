"""The home page: what one holds, what one asked for, and what waits for one."""

from __future__ import annotations

from sojourn.web.api import access, asking, reviewing
from sojourn.web.exchange import Exchange

from .frame import Shown, show

RECENT = 5
OPEN = ("pending", "approved")
"""What may still be decided or begun."""


async def home(exchange: Exchange) -> Shown:
    """GET /: mine, and what waits for me."""
    caller = await exchange.caller()
    held = await access.listing(exchange.beside(mine="yes", status="active"))
    coming = await access.listing(exchange.beside(mine="yes", status="provisioning"))
    waiting = await asking.listing(exchange.beside(waiting="yes"))
    open_ones = [one for status in OPEN for one in await asking.own(exchange, status=status)]
    # Among the newest of them at least so many are closed as are shown, unless there are no more.
    newest = await asking.own(exchange, count=len(open_ones) + RECENT)
    reviews = await reviewing.listing(exchange.beside())
    return show(
        "home.html",
        person=caller,
        grants=(*coming.grants, *held.grants),
        waiting=waiting,
        asked=sorted(open_ones, key=lambda one: one.submitted_at, reverse=True),
        past=[one for one in newest if one.status not in OPEN][:RECENT],
        reviews=reviews,
    )
