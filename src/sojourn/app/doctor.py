"""What an operator finds out about the things that Sojourn relies on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sojourn.codes import RECORD_WAITS
from sojourn.domain.events import WormExamined
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION
from sojourn.errors import Code, SojournError
from sojourn.publisher.worm import examine
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout

from .ambient import new_id, operator
from .installation import require_installation
from .publisher import published_bucket
from .settled import settings_in_force

CONNECT_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found, and its place in the ledger; None if nothing runs that could take it on record."""

    found: WormExamined
    seq: int | None


def examine_worm(layout: Layout) -> Examined:
    """Try to alter a locked object in the bucket of the settings, and put the result on record.

    Raises SojournError `settings.invalid` when there is no bucket, `tool.missing`, or `publication.unreachable`.
    """
    require_installation(layout)
    bucket = published_bucket(settings_in_force(layout))
    if bucket is None:
        raise SojournError(
            Code.SETTINGS_INVALID,
            name="publisher.s3.bucket",
            problem="no bucket is named there",
            expected="the name of a bucket with Object Lock",
        )
    examination = examine(bucket, new_id("canary/c"))
    found = WormExamined(
        place=bucket.place,
        endpoint=bucket.settings.endpoint,
        canary=examination.canary,
        verdict=examination.verdict,
        tries=examination.tries,
        operator=operator(),
    )
    return Examined(found=found, seq=asyncio.run(_record(layout, found)))


async def _record(layout: Layout, found: WormExamined) -> int | None:
    async with ScribeClient(layout.scribe_socket) as ledger:
        try:
            await ledger.connected(CONNECT_SECONDS)
            receipt = await ledger.append([Change(stream=PUBLICATION, event=found, seen=None)])
            await ledger.sign()
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
            return None
        return receipt.first
