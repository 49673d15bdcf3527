"""Requests: the list, one request with what happens next, and the decision."""

from __future__ import annotations

from sojourn.domain.events import Disposition
from sojourn.evidence.attributes.answer import Letter
from sojourn.web.api import access, asking, deciding, shapes
from sojourn.web.exchange import Exchange

from .confirming import ways
from .frame import Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /requests: one's own, those that wait for one, or all of them."""
    caller = await exchange.caller()
    view = exchange.query("view") or "mine"
    query = {"mine": {"mine": "yes"}, "waiting": {"waiting": "yes"}}.get(view, {})
    if (before := exchange.query("before")) is not None:
        query = {**query, "before": before}
    found = await asking.listing(exchange.beside(**query))
    return show("requests.html", found=found, view=view, overseer=caller.administrator or caller.auditor)


async def one(exchange: Exchange) -> Shown:
    """GET /requests/{name}: everything about it, and what the reader may do."""
    caller = await exchange.caller()
    request = await asking.one(exchange)
    grant = await access.one(exchange.beside(request.grant)) if request.grant is not None else None
    own = caller.id == request.person
    confirms = await ways(exchange) if request.decidable else None
    disposes = (caller.administrator or caller.auditor) and not own
    return show(
        "request.html",
        request=request,
        grant=grant,
        own=own,
        steps=steps(request, grant),
        confirms=confirms,
        dispositions=tuple(Disposition) if disposes else (),
        letters=tuple(Letter),
        people=exchange.services.office.in_force().catalogue.people,
    )


def steps(request: shapes.RequestShown, grant: shapes.GrantShown | None) -> list[tuple[str, str, str | None]]:
    """What happens on the way, in order: a title, whether it is `done`, `now` or `ahead`, and when it was."""
    decided = [one.at for one in request.decisions]
    closed = request.status in ("denied", "withdrawn", "expired")
    found: list[tuple[str, str, str | None]] = [("Asked", "done", request.submitted_at)]
    if closed:
        return [*found, (request.status.capitalize(), "done", decided[-1] if decided else None)]
    asked = request.status == "pending"
    found.append(("Decided by others", "now" if asked else "done", None if asked else decided[-1] if decided else None))
    if grant is None:
        return [*found, ("Used", "now" if request.status == "approved" else "ahead", None), ("Over", "ahead", None)]
    found.append(("Begun", "done", grant.start))
    found.append(("Over", "done" if grant.ended_at else "ahead", grant.ended_at or grant.end))
    found.append(("Read back as gone", "done" if grant.removed_at else "ahead", grant.removed_at))
    return found


def _back(shown: shapes.RequestShown) -> str:
    return f"/requests/{shown.request}"


approve = form(deciding.approve, _back)
approve_less = form(deciding.approve_less, _back)
deny = form(deciding.deny, _back)
comment = form(deciding.comment, _back)
withdraw = form(asking.withdraw, _back)
withdraw_approval = form(deciding.withdraw_approval, _back)
activate = form(access.activate, lambda grant: f"/grants/{grant.grant}")
