"""What time brings about: escalations, reviews, overdue reviews, the ends of campaigns, the proof of removals.

Each is a question to the read models and an ordinary append that names the versions it was decided on. So several
nodes may do it, a crash in between loses nothing, and a read model that is behind only makes it later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from sojourn.domain.catalogue import Adopted
from sojourn.domain.identifiers import CampaignId, GrantId, RequestId
from sojourn.errors import SojournError
from sojourn.projections import assured, queries
from sojourn.projections.moments import text
from sojourn.projections.projector import Projections

from .certifying import close_campaign, confirm_removal
from .expire import escalate_request
from .ports import Office
from .reviewing import open_review, report_overdue

TICK_SECONDS = 1.0
LOOK_BACK = timedelta(days=31)
"""How long after its end the review of an access is still opened, should nobody have kept time."""

log = structlog.get_logger("timekeeping")


async def keep_time(office: Office, projections: Projections, files: Callable[[], Adopted]) -> None:
    """Do what is due, once a second, until cancelled. `files` is the configuration as it was adopted."""
    while True:
        try:
            await tick(office, projections, files())
        except SojournError as error:
            # The record is away, or somebody else was faster: what is due stays due.
            log.warning("time waits", code=error.code, text=str(error))
        except Exception:  # the top of a task: one fault must not stop the clock for good
            log.exception("fault while keeping time")
        await asyncio.sleep(TICK_SECONDS)


async def tick(office: Office, projections: Projections, files: Adopted) -> None:
    """Do everything that is due now. Raises SojournError from the ledger; what was not done stays due."""
    now = office.clock.now()
    with projections.reading() as connection:
        escalate = queries.to_escalate(connection, text(now))
        review = assured.to_review(connection, text(now - LOOK_BACK))
        overdue = assured.reviews_due(connection, text(now))
        over = assured.campaigns_due(connection, text(now))
    for request in escalate:
        await escalate_request(office, RequestId(request))
    for grant, ended_at, used in review:
        await open_review(office, grant=GrantId(grant), ended_at=datetime.fromisoformat(ended_at), used=used)
    for grant in overdue:
        await report_overdue(office, GrantId(grant))
    for campaign in over:
        await close_campaign(office, CampaignId(campaign))
    await _prove(office, projections, files)


async def _prove(office: Office, projections: Projections, files: Adopted) -> None:
    """Confirm removals whose loop is closed: the files no longer give it, and no access under it is left."""
    for removal in sorted(office.in_force().standing.removals, key=lambda one: (one.person, one.target, one.role)):
        if files.eligible(removal.person, removal.target, removal.role):
            continue
        with projections.reading() as connection:
            left = assured.live_grants(connection, removal.person, removal.target, removal.role)
        if not left:
            await confirm_removal(office, removal)
