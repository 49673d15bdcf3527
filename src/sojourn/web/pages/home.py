"""The home page: what one holds, what one asked for, and what waits for one."""

from __future__ import annotations

from sojourn.domain.request import Status
from sojourn.web.api import access, asking, reviewing
from sojourn.web.exchange import Exchange

from .frame import Shown, show

RECENT = 5
OPEN_MAX = 20
"""So many open ones are shown here; the list of requests has all of them."""
OPEN = (Status.PENDING, Status.APPROVED)
"""What may still be decided or begun."""
OVER = tuple(one for one in Status if one not in OPEN)


async def home(exchange: Exchange) -> Shown:
    """GET /: mine, and what waits for me."""
    caller = await exchange.caller()
    held = await access.listing(exchange.beside(mine="yes", status="active"))
    coming = await access.listing(exchange.beside(mine="yes", status="provisioning"))
    waiting = await asking.listing(exchange.beside(waiting="yes"))
    asked = await asking.own(exchange, *OPEN, count=OPEN_MAX + 1)
    return show(
        "home.html",
        person=caller,
        grants=(*coming.grants, *held.grants),
        waiting=waiting,
        asked=asked[:OPEN_MAX],
        more_asked=len(asked) > OPEN_MAX,
        past=await asking.own(exchange, *OVER, count=RECENT),
        reviews=await reviewing.listing(exchange.beside()),
    )
