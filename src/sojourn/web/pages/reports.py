"""Reports for an auditor: which there are, asking for one, and fetching it; and what schedules made by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.web.api import reporting
from sojourn.web.exchange import Exchange

from .frame import Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /reports: the reports, and a form that asks for one of the last whole month."""
    await exchange.caller()
    reports = (await reporting.listing(exchange)).reports
    start, end = last_month(exchange.services.office.clock.now())
    return show("reports.html", reports=reports, start=start, end=end)


async def delivered(exchange: Exchange) -> Shown:
    """GET /delivered-reports: how far each schedule is, and the files that they made."""
    return show("delivered.html", found=await reporting.delivered(exchange))


async def run(exchange: Exchange) -> Shown:
    """GET /report-runs/{name}: how far it is; the page asks again while it is being made."""
    shown = await reporting.one(exchange)
    return show("report_run.html", run=shown, going=shown.state in ("waiting", "running"))


def last_month(now: datetime) -> tuple[datetime, datetime]:
    """The last whole calendar month in UTC, as `[start, end)`."""
    end = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (end - timedelta(days=1)).replace(day=1), end


ask = form(reporting.ask, lambda made: f"/report-runs/{made.run}")
