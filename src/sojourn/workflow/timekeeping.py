"""What time brings about: escalations, reviews, overdue reviews, ends of campaigns, proof of removals, look-backs.

Each is a question to the read models and an ordinary append that names the versions it was decided on. So several
nodes may do it, a crash in between loses nothing, and a read model that is behind only makes it later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import structlog

from sojourn.domain.catalogue import Adopted
from sojourn.domain.identifiers import CampaignId, GrantId, RequestId
from sojourn.errors import Code, SojournError
from sojourn.projections import assured, queries
from sojourn.projections.moments import text
from sojourn.projections.projector import Projections

from .certifying import close_campaign, confirm_removal
from .expire import escalate_request
from .look_back import look_back
from .ports import Office
from .reviewing import open_review, report_overdue

TICK_SECONDS = 1.0
REVIEWS_BACK = timedelta(days=31)
"""How long after its end the review of an access is still opened, should nobody have kept time."""

Due = Callable[[], Awaitable[object]]
Step = Callable[[Office, Projections, Adopted], Sequence[Due]]

log = structlog.get_logger("timekeeping")


async def keep_time(office: Office, projections: Projections, files: Callable[[], Adopted]) -> None:
    """Do what is due, once a second, until cancelled. `files` is the configuration as it was adopted."""
    while True:
        await tick(office, projections, files())
        await asyncio.sleep(TICK_SECONDS)


async def tick(office: Office, projections: Projections, files: Adopted) -> tuple[Exception, ...]:
    """Do everything that is due now; gives what failed, which is logged and stays due.

    Each thing fails by itself: the others are done. Only where the record is away are the rest of its kind not tried.
    """
    failed: list[Exception] = []
    for what, step in STEPS.items():
        with _by_itself(what, failed):
            for due in step(office, projections, files):
                with _by_itself(what, failed, unless=Code.RECORD_UNAVAILABLE):
                    await due()
    return tuple(failed)


@contextmanager
def _by_itself(what: str, failed: list[Exception], unless: Code | None = None) -> Iterator[None]:
    """Let a fault end what is done here, and nothing else; one of the code `unless` goes on to the caller."""
    try:
        yield
    except SojournError as error:
        if error.code is unless:
            raise
        # The record is away, or somebody else was faster: what is due stays due.
        log.warning("time waits", what=what, code=error.code, text=str(error))
        failed.append(error)
    except Exception as error:  # the top of a task: one fault must not stop the clock for good
        log.exception("fault while keeping time", what=what)
        failed.append(error)


def _escalations(office: Office, projections: Projections, _: Adopted) -> Sequence[Due]:
    with projections.reading() as connection:
        found = queries.to_escalate(connection, text(office.clock.now()))
    return [partial(escalate_request, office, RequestId(request)) for request in found]


def _reviews(office: Office, projections: Projections, _: Adopted) -> Sequence[Due]:
    with projections.reading() as connection:
        found = assured.to_review(connection, text(office.clock.now() - REVIEWS_BACK))
    return [
        partial(open_review, office, grant=GrantId(grant), ended_at=datetime.fromisoformat(ended_at), used=used)
        for grant, ended_at, used in found
    ]


def _overdue_reviews(office: Office, projections: Projections, _: Adopted) -> Sequence[Due]:
    with projections.reading() as connection:
        found = assured.reviews_due(connection, text(office.clock.now()))
    return [partial(report_overdue, office, GrantId(grant)) for grant in found]


def _campaigns(office: Office, projections: Projections, _: Adopted) -> Sequence[Due]:
    with projections.reading() as connection:
        found = assured.campaigns_due(connection, text(office.clock.now()))
    return [partial(close_campaign, office, CampaignId(campaign)) for campaign in found]


def _removals(office: Office, projections: Projections, files: Adopted) -> Sequence[Due]:
    """Removals whose loop is closed: neither files nor groups give it any more, and no access under it is left."""
    now = office.in_force()
    taken = sorted(now.standing.removals, key=lambda one: (one.person, one.target, one.role))
    if not taken:
        return []
    # Who has left is in no team for now, and what their groups would give them is not to be seen.
    unseen = {person for person, _ in now.standing.counted if person in now.standing.left}
    with projections.reading() as connection:
        return [
            partial(confirm_removal, office, one)
            for one in taken
            if one.person not in unseen
            and not any(adopted.gives(one.person, one.target, one.role) for adopted in (files, now))
            and not assured.live_grants(connection, one.person, one.target, one.role)
        ]


def _look_backs(office: Office, projections: Projections, _: Adopted) -> Sequence[Due]:
    return [partial(look_back, office, projections)] if office.in_force().standing.to_look_back else []


STEPS: Mapping[str, Step] = {
    "escalations": _escalations,
    "reviews": _reviews,
    "overdue reviews": _overdue_reviews,
    "campaigns": _campaigns,
    "removals": _removals,
    "look-backs": _look_backs,
}
