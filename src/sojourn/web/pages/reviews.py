"""Reviews after use: the queue, and one review with its checklist."""

from __future__ import annotations

from sojourn.domain.events import ReviewOutcome
from sojourn.web.api import reviewing
from sojourn.web.exchange import Exchange

from .frame import Shown, form, show

ANSWERS = ("yes", "no", "not_applicable")


async def listing(exchange: Exchange) -> Shown:
    """GET /reviews: those one can conclude, the riskiest first; those of what one did; or all of them."""
    caller = await exchange.caller()
    view = exchange.query("view") or "waiting"
    # What waits is in the order of risk; what is over, in that of time.
    query = {"mine": {"mine": "yes"}, "all": {"all": "yes"}}.get(view, {"by": "risk"})
    if (before := exchange.query("before")) is not None:
        query = {**query, "before": before}
    found = await reviewing.listing(exchange.beside(**query))
    return show("reviews.html", found=found, view=view, overseer=caller.administrator or caller.auditor)


async def one(exchange: Exchange) -> Shown:
    """GET /reviews/{name}: what is to be judged, what was found, and the outcome."""
    caller = await exchange.caller()
    review = await reviewing.one(exchange)
    return show(
        "review.html",
        review=review,
        judging=caller.id in review.reviewers and review.outcome is None,
        outcomes=tuple(ReviewOutcome),
        answers=ANSWERS,
    )


note = form(reviewing.note, lambda review: f"/reviews/{review.grant}")

conclude = form(reviewing.conclude, lambda review: f"/reviews/{review.grant}")
