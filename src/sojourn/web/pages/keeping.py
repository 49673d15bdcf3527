"""How long things are kept, what is held, and what was made unreadable: each step that destroys takes two people."""

from __future__ import annotations

from sojourn.web.api import keeping
from sojourn.web.exchange import Exchange

from .confirming import ways
from .frame import Shown, form, show


async def overview(exchange: Exchange) -> Shown:
    """GET /keeping: retention, holds, shreddings and disposals."""
    caller = await exchange.caller()
    return show(
        "keeping.html",
        retention=await keeping.retention(exchange.beside()),
        holds=await keeping.holds(exchange.beside()),
        shreddings=await keeping.shreddings(exchange.beside()),
        administers=caller.administrator,
        caller=caller,
        confirms=await ways(exchange) if caller.administrator else None,
        people=exchange.services.office.in_force().catalogue.people,
    )


def _here(_: object) -> str:
    return "/keeping"


place_hold = form(keeping.place_hold, _here)
release_hold = form(keeping.release_hold, _here)
request_shredding = form(keeping.request_shredding, _here)
confirm_shredding = form(keeping.confirm_shredding, _here)
withdraw_shredding = form(keeping.withdraw_shredding, _here)
set_retention = form(keeping.set_retention, _here)
confirm_retention = form(keeping.confirm_retention, _here)
withdraw_retention = form(keeping.withdraw_retention, _here)
