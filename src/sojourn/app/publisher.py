"""The publisher, wired."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from sojourn.domain.publication import Observed
from sojourn.ledger.entry import format_time
from sojourn.ledger.note import Verifier
from sojourn.publisher.bucket import Bucket, connect
from sojourn.publisher.files import Files
from sojourn.publisher.follow import follow_folder, follow_signatures
from sojourn.publisher.process import run_publisher
from sojourn.publisher.tasks import Context, Task
from sojourn.publisher.upload import fill_bucket
from sojourn.scribe.client import ScribeClient
from sojourn.scribe.process import free_bytes
from sojourn.settings import Layout, Settings
from sojourn.web.api.shapes import CopyShown

from .ambient import BUILD, SystemClock, node
from .timestamps import timestamp_tasks
from .witnesses import witness_tasks

RESERVES_KEPT = 2
"""The folder may lie on the ledger's disk, and stops to grow before the ledger has to."""


async def run_publisher_process(layout: Layout, settings: Settings) -> None:
    """Publish this installation's ledger until cancelled."""
    async with ScribeClient(layout.scribe_socket) as ledger:
        context = Context(
            ledger=ledger,
            settings=settings,
            verifier=Verifier.parse(layout.verifier_key.read_text()),
            clock=SystemClock(),
            files=published_files(layout, settings),
            report=lambda observed: report(layout.published, observed),
        )
        tasks = (
            *publisher_tasks(settings),
            *witness_tasks(layout, settings, context.verifier, context.files),
            *timestamp_tasks(layout, settings, context.files),
        )
        await run_publisher(context, tasks, node=node("publisher"), build=BUILD)


def publisher_tasks(settings: Settings) -> tuple[Task, ...]:
    """What the settings ask the publisher's process to do. Raises SojournError `tool.missing`."""
    tasks: list[Task] = [follow_folder if settings.publisher.folder else follow_signatures]
    bucket = published_bucket(settings)
    if bucket is not None:
        tasks.append(partial(fill_bucket, bucket=bucket))
    return tuple(tasks)


def published_bucket(settings: Settings) -> Bucket | None:
    """The bucket that is filled, or None. Raises SojournError `tool.missing`."""
    if not settings.publisher.s3.bucket:
        return None
    return Bucket(client=connect(settings.publisher.s3), settings=settings.publisher.s3, clock=SystemClock().now)


def published_files(layout: Layout, settings: Settings) -> Files | None:
    """The folder that is published, or None."""
    if not settings.publisher.folder:
        return None
    root = layout.root / Path(settings.publisher.folder).expanduser()
    reserve = settings.scribe.free_bytes_min * RESERVES_KEPT
    return Files(root=root, has_room=lambda arriving: free_bytes(root) >= reserve + arriving)


def report(path: Path, observed: dict[str, Observed]) -> None:
    """Leave what is observed where the API finds it."""
    copies = [
        CopyShown(
            place=place,
            published=seen.published,
            behind_since=None if seen.behind_since is None else format_time(seen.behind_since),
            problem=seen.problem,
            refused=seen.contradicts,
        )
        for place, seen in sorted(observed.items())
    ]
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.encode(copies))
    partial.rename(path)


def published_copies(layout: Layout) -> tuple[CopyShown, ...]:
    """What the publisher left there; nothing while it has not said anything yet."""
    try:
        return msgspec.json.decode(layout.published.read_bytes(), type=tuple[CopyShown, ...])
    except FileNotFoundError:
        return ()
