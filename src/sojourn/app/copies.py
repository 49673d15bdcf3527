"""Whether the copies of the record that have to be kept up are: what is there, by the ages in the ledger."""

from __future__ import annotations

from datetime import timedelta

from sojourn.domain.publication import Held, first_late
from sojourn.publisher.witnesses import QUORUM
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings
from sojourn.workflow.ports import Clock, Late

from .publisher import published_copies


def kept_up(settings: Settings) -> tuple[str, ...]:
    """The places that count, by the beginning of their names: the folder, the bucket, and the quorum of witnesses."""
    publisher = settings.publisher
    asked = {
        "folder:": bool(publisher.folder),
        "bucket:": bool(publisher.s3.bucket),
        QUORUM: bool(settings.witness.policy),
    }
    return tuple(place for place, counts in asked.items() if counts)


def late_copies(layout: Layout, settings: Settings, ledger: ScribeClient, clock: Clock) -> Late | None:
    """Asks which place is late, for `workflow.ports.Office`; None where accesses begin whatever is published."""
    refuse_after = timedelta(minutes=settings.publisher.refuse_after_minutes)
    if not refuse_after:
        return None

    async def late() -> Held | None:
        copies = published_copies(layout)
        held = []
        for place in kept_up(settings):
            # A publisher that has said nothing of a place, or that found something else there, has nothing there.
            there = [one for one in copies if one.place.startswith(place) and not one.refused]
            published = min((one.published for one in there), default=0)
            missing = await ledger.read(published, 1)
            since = missing[0].at if missing else None
            held.append(Held(place=there[0].place if there else place, published=published, missing_since=since))
        return first_late(held, clock.now(), refuse_after)

    return late
