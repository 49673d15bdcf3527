"""Samples that auditors drew: their items, what was asked about them, and what becomes of a test that failed."""

from __future__ import annotations

from sojourn.web.api import sampling
from sojourn.web.api.sampling_shapes import SampleShown
from sojourn.web.exchange import Exchange

from .frame import Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /samples: every sample for auditors and administrators; for others, those that they are asked about."""
    caller = await exchange.caller()
    query = {} if (before := exchange.query("before")) is None else {"before": before}
    found = await sampling.listing(exchange.beside(**query))
    return show("samples.html", found=found, overseer=caller.administrator or caller.auditor)


async def one(exchange: Exchange) -> Shown:
    """GET /samples/{name}: a sample; whoever is only asked about it sees what they are asked."""
    caller = await exchange.caller()
    sample = await sampling.one(exchange)
    audits = caller.may_audit(exchange.services.office.clock.now())
    return show(
        "sample.html",
        sample=sample,
        # Of the questions, those that this reader can answer.
        answerable=[one.number for one in sample.questions if caller.administrator or one.of == caller.id],
        audits=audits and (caller.auditor or caller.id == sample.person),
        overseer=caller.administrator or caller.auditor,
        people=exchange.services.office.in_force().catalogue.people,
    )


def _back(shown: SampleShown) -> str:
    return f"/samples/{shown.sample}"


ask = form(sampling.ask, _back)
answer = form(sampling.answer, _back)
