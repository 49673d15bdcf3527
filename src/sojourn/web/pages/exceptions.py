"""Exceptions: what targets and the record did not both know, and what becomes of it, and of tests that failed."""

from __future__ import annotations

from sojourn.domain.events import Disposition
from sojourn.web.api import auditing, findings
from sojourn.web.exchange import Exchange

from .frame import Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /exceptions: findings that nobody has disposed of, or all of them."""
    everything = exchange.query("view") == "all"
    query = {"all": "yes"} if everything else {}
    if (before := exchange.query("before")) is not None:
        query["before"] = before
    return show(
        "exceptions.html",
        found=await findings.listing(exchange.beside(**query)),
        view="all" if everything else "open",
        dispositions=tuple(Disposition),
        people=exchange.services.office.in_force().catalogue.people,
    )


dispose = form(findings.dispose, lambda _: "/exceptions")
dispose_of_tests = form(auditing.dispose, lambda disposed: f"/requests/{disposed.request}")
