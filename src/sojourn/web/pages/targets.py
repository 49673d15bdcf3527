"""Targets: what there is, how each was found lately, what Sojourn's account lacks there, and what is seen of it."""

from __future__ import annotations

from sojourn.errors import Code, SojournError
from sojourn.web.api import targets
from sojourn.web.exchange import Exchange

from .coverage import coverage
from .frame import Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /targets: all of them with their health."""
    return show("targets.html", targets=(await targets.inventory(exchange)).targets)


async def one(exchange: Exchange) -> Shown:
    """GET /targets/{name}: its roles and the looks at it."""
    return await _shown(exchange)


async def preflight(exchange: Exchange) -> Shown:
    """POST /targets/{name}/preflight: what is lacking there now."""
    return await _shown(exchange, lacking=(await targets.preflight(exchange)).lacking)


reconcile = form(targets.reconcile, lambda look: f"/targets/{look.target}")


async def _shown(exchange: Exchange, lacking: tuple[str, ...] | None = None) -> Shown:
    name = exchange.name
    kept = next((one for one in (await targets.inventory(exchange)).targets if one.target == name), None)
    if kept is None:
        raise SojournError(Code.TARGET_UNKNOWN, target=name[:100])
    query = {} if (before := exchange.query("before")) is None else {"before": before}
    looks = await targets.listing(exchange.beside(name, **query))
    return show("target.html", target=kept, looks=looks, lacking=lacking, coverage=coverage(kept.kind))
