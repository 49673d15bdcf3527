"""The task that keeps the folder in step with the ledger.

- It goes on where it stopped: the folder says by itself how far it is.
- A folder that has another history than the ledger is never written to, and one that was refused is gone through from
  end to end before it is written to again. It is looked at from time to time, so that moving it away is all that has
  to be done.
- A folder that cannot be written, or has no room, is tried again for ever. The ledger waits for none of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sojourn.codes import RECORD_WAITS
from sojourn.domain.identifiers import LEDGER
from sojourn.domain.publication import statements
from sojourn.errors import Code, SojournError
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import verify_consistency

from .attachments import always_candidates, candidates
from .folder import Folder, conflict, open_folder, place_of
from .patrol import Patrol
from .tasks import Context, PublishedLedger, Signed

PAGE = 2000
RETRY_SECONDS = 0.5
RETRY_SECONDS_MAX = 30.0


async def follow_folder(context: Context) -> None:
    """Publish to the folder of `context`, for ever. Implements `tasks.Task`."""
    assert context.files is not None, "this task is for installations that publish a folder"
    place, published = place_of(context.files), 0
    pause = RETRY_SECONDS
    patrol = Patrol()
    while True:
        signed: Signed | None = None
        try:
            signed = await context.sign()
            folder = await asyncio.to_thread(open_folder, context.files, context.verifier)
            published = folder.published.size
            await compare(context.ledger, place, folder.published, signed.head)
            if (await context.standing(place)).refused_for:
                await _look_at_all(folder, patrol)
            while True:
                await _publish(context, folder, signed)
                published, pause = signed.head.size, RETRY_SECONDS
                await asyncio.to_thread(patrol.step, folder)
                await context.observe(place, published=published, size=published)
                await context.sleep(context.settings.publisher.seconds)
                signed = await context.sign()
        except OSError as error:
            size = published if signed is None else signed.head.size
            await context.observe(place, published=published, size=size, problem=f"it cannot be written: {error}")
        except SojournError as error:
            if error.code is Code.PUBLICATION_CONFLICT:
                size = published if signed is None else signed.head.size
                problem = error.refusal.details["problem"]
                await context.observe(place, published=published, size=size, problem=problem, wrong=True)
            elif error.code not in RECORD_WAITS:
                raise
        await context.sleep(pause)
        pause = min(RETRY_SECONDS_MAX, pause * 2)


async def follow_signatures(context: Context) -> None:
    """Where no folder is published: tell the other tasks what is signed, for ever. Implements `tasks.Task`."""
    while True:
        try:
            signed = await context.sign()
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
        else:
            if context.newest.signed != signed:
                context.newest.put(signed)
        await context.sleep(context.settings.publisher.seconds)


async def compare(ledger: PublishedLedger, place: str, published: Checkpoint, head: Checkpoint) -> None:
    """Check that the ledger, whose head is `head`, is what a place has published, and more.

    Raises SojournError `publication.conflict`, or those of the ledger.
    """
    if published.size > head.size:
        raise conflict(place, f"it has {published.size} entries, and the ledger has {head.size}")
    proof = await ledger.consistency(published.size, head.size)
    try:
        verify_consistency(old=published.size, new=head.size, old_root=published.root, new_root=head.root, proof=proof)
    except LedgerError as error:
        raise conflict(place, f"its {published.size} entries are not those of the ledger") from error


async def _look_at_all(folder: Folder, patrol: Patrol) -> None:
    """Raises SojournError `publication.conflict` for anything in the folder that is not what was published."""
    passes = patrol.passes
    while patrol.passes == passes:
        await asyncio.to_thread(patrol.step, folder)


async def _publish(context: Context, folder: Folder, signed: Signed) -> None:
    size = signed.head.size
    while folder.size < size:
        entries = await context.ledger.raw(range(folder.size, min(size, folder.size + PAGE)))
        if not entries:
            raise SojournError(Code.RECORD_DAMAGED, problem=f"entry {folder.size} is missing", path="ledger.db")
        named = candidates if context.settings.publisher.attachments else always_candidates
        await _add_attachments(context.ledger, folder, [sha256 for entry in entries for sha256 in named(entry)])
        await asyncio.to_thread(folder.stage, entries)
    if folder.published.size < size:
        rotations = statements(one.event for one in await context.ledger.stream(LEDGER))
        await asyncio.to_thread(folder.publish, signed.note, signed.head, rotations)
    if context.newest.signed is None or context.newest.signed.head.size < size:
        context.newest.put(signed)


async def _add_attachments(ledger: PublishedLedger, folder: Folder, named: Sequence[str]) -> None:
    for sha256 in named:
        if folder.has_attachment(sha256):
            continue
        try:
            content = await ledger.attachment(sha256)
        except SojournError as error:
            # Not every hash in an entry is that of an attachment.
            if error.code is not Code.RECORD_DAMAGED:
                raise
        else:
            await asyncio.to_thread(folder.add_attachment, sha256, content)
