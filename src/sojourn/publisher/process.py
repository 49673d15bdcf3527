"""The publisher as a process: the tasks that follow the ledger to where others can see it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sojourn.codes import RECORD_WAITS
from sojourn.configuration import settings_digest
from sojourn.domain.events import ProcessStarted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SYSTEM
from sojourn.errors import SojournError

from .tasks import Context, Task

RETRY_SECONDS = 0.5


async def run_publisher(context: Context, tasks: Sequence[Task], *, node: str, build: str) -> None:
    """Run all tasks until cancelled, once the start is on record."""
    await _begin(context, node, build)
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(task(context))


async def _begin(context: Context, node: str, build: str) -> None:
    """Put the start on record; waits for the record."""
    under = settings_digest(context.settings)
    event = ProcessStarted(process="publisher", node=node, build=build, settings_sha256=under)
    while True:
        try:
            await context.ledger.append([Change(stream=SYSTEM, event=event, seen=None)])
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
            await context.sleep(RETRY_SECONDS)
        else:
            return
