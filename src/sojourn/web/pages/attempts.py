"""What was tried and refused, for those who watch over it."""

from __future__ import annotations

from sojourn.web.api import record
from sojourn.web.exchange import Exchange

from .frame import Shown, show


async def listing(exchange: Exchange) -> Shown:
    """GET /attempts: refused attempts, the last first."""
    query = {name: given for name in ("actor", "subject", "before") if (given := exchange.query(name))}
    return show(
        "attempts.html",
        found=await record.attempts(exchange.beside(**query)),
        actor=query.get("actor", ""),
        subject=query.get("subject", ""),
    )
