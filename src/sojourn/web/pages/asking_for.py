"""The catalogue of what one can ask for, and the form that asks."""

from __future__ import annotations

from sojourn.errors import Code, SojournError
from sojourn.web.api import asking
from sojourn.web.exchange import Exchange

from .frame import Onward, Shown, show

DURATIONS = ("15m", "30m", "1h", "2h", "4h", "8h", "24h")
"""What the form offers, as far as the rules allow it."""


async def catalogue(exchange: Exchange) -> Shown:
    """GET /catalogue: targets and roles that may be asked for."""
    await exchange.caller()
    return show("catalogue.html", targets=(await asking.targets(exchange)).targets)


async def ask(exchange: Exchange) -> Shown:
    """GET /ask?target=…&role=…: the form, with the terms under which it would be granted."""
    await exchange.caller()
    target, role = exchange.query("target") or "", exchange.query("role") or ""
    for offered in (await asking.targets(exchange)).targets:
        for one in offered.roles:
            if (offered.target, one.role) == (target, role):
                kinds = exchange.services.office.in_force().catalogue
                return show("ask.html", target=offered, role=one, durations=_offered(one.longest_seconds), kinds=kinds)
    raise SojournError(Code.TARGET_UNKNOWN, target=f"{target} ({role})"[:100])


async def submit(exchange: Exchange) -> Onward:
    """POST /ask: ask; on to the request."""
    asked = await asking.submit(exchange)
    return Onward(path=f"/requests/{asked.request}")


def _offered(longest_seconds: int) -> tuple[str, ...]:
    fitting = tuple(one for one in DURATIONS if asking.duration_of(one).total_seconds() <= longest_seconds)
    return fitting or (f"{longest_seconds}s",)
