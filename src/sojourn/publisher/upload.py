"""The task that fills a bucket from the folder.

    tile/…, tile/entries/…         full tiles and full bundles, as in the folder
    tail/<first>-<last>            entries that are in no full bundle yet, in the form of a bundle
    attachment/<sha256>            as in the folder
    rotations/<size>               changes of the key that signs, each for itself
    checkpoints/<size>             the signed checkpoint that a round ended with
    cosigned/<size>-<hash>         the newest checkpoint that the quorum of witnesses had cosigned by then

Everything is locked for the whole retention, but the tail, whose entries come again in a full bundle: its lock is
short, and renewed while they are in none. A partial tile is never put there. A checkpoint comes last, so what it
covers is there; the newest one says how far the bucket is, and there is no other state.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sojourn.errors import Code, SojournError
from sojourn.ledger import rotation as rotations
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.tiles import TILE_WIDTH, encode_bundle, tile_path, tiles_completed

from .attachments import attachment_path, candidates
from .bucket import CONNECTIONS, Bucket, checkpoint_path, cosigned_path, rotation_path, tail_path
from .files import Files
from .folder import ROTATIONS, conflict, place_of
from .tasks import Context, Signed
from .tiles import Tiles

RETRY_SECONDS = 1.0
RETRY_SECONDS_MAX = 60.0
IDLE_SECONDS = 60.0
"""How often it is looked whether the tail's lock is to be renewed while nothing is recorded."""

RENEWALS = 3
"""The tail is locked anew after this part of its retention."""

STEP = 64


@dataclass(slots=True, kw_only=True)
class Upload:
    """How far a bucket is: `size` entries; `renewed_at` is when the whole tail was locked last.

    `cosigned` is the size of the newest cosigned checkpoint that was put there, 0 before the first.
    """

    files: Files
    bucket: Bucket
    size: int = 0
    cosigned: int = 0
    renewed_at: datetime | None = None

    def resume(self, context: Context, signed: Signed) -> None:
        """Find out how far the bucket is, and that it has the same history as the folder, which publishes `signed`.

        Raises SojournError `publication.unreachable` or `publication.conflict`.
        """
        self.bucket.check_lockable()
        newest = self.bucket.newest(context.verifier, signed.head.size)
        if newest is None:
            self.size = 0
            return
        if newest.size > signed.head.size:
            raise conflict(self.bucket.place, f"it has {newest.size} entries, and the ledger has {signed.head.size}")
        try:
            root = Tiles(read=self.files.read, size=signed.head.size).root(newest.size)
        except LedgerError as error:
            raise conflict(place_of(self.files), str(error)) from error
        if root != newest.root:
            raise conflict(self.bucket.place, f"its {newest.size} entries are not those of the ledger")
        self.size = newest.size

    def is_due(self, signed: Signed) -> bool:
        """Whether a round would do anything."""
        return signed.head.size > self.size or (signed.head.size % TILE_WIDTH > 0 and self._renewal_is_due())

    def _renewal_is_due(self) -> bool:
        life = timedelta(days=self.bucket.settings.tail_retention_days) / RENEWALS
        return self.renewed_at is None or self.bucket.clock() - self.renewed_at >= life

    def keep_cosigned(self, cosigned: Signed | None) -> None:
        """Put a cosigned checkpoint there, if it is of more entries than the one before. One for each size is enough:
        witnesses sign the same size again and again while nothing is recorded.

        Raises SojournError `publication.unreachable` or `publication.conflict`.
        """
        if cosigned is None or cosigned.head.size <= self.cosigned:
            return
        note, size = cosigned.note.encode(), cosigned.head.size
        self.bucket.put(cosigned_path(size, note), note, self.bucket.settings.retention_days)
        self.cosigned = size

    def round(self, signed: Signed, stopped: threading.Event) -> None:
        """Put everything up to `signed` into the bucket, its checkpoint last; gives up when `stopped` is set.

        Raises OSError, or SojournError `publication.unreachable` or `publication.conflict`.
        """
        settings, size = self.bucket.settings, signed.head.size
        tiles = Tiles(read=self.files.read, size=size)
        renewal, now = self._renewal_is_due(), self.bucket.clock()
        try:
            if tiles.root() != signed.head.root:
                raise LedgerError(f"its tiles do not lead to the root that was signed at {size} entries")
            with ThreadPoolExecutor(CONNECTIONS) as pool:
                objects = self._objects(tiles)
                while step := list(islice(objects, STEP)):
                    list(pool.map(self._keep, step))
                    if stopped.is_set():
                        return
            whole = size - size % TILE_WIDTH
            first = whole if renewal else max(self.size, whole)
            if first < size:
                entries = tiles.bundle(whole // TILE_WIDTH, size - whole)[first - whole :]
                self.bucket.put(tail_path(first, size - 1), encode_bundle(entries), settings.tail_retention_days)
            self._keep_rotations()
        except LedgerError as error:
            raise conflict(place_of(self.files), str(error)) from error
        self.bucket.put(checkpoint_path(size), signed.note.encode(), settings.retention_days)
        self.size = size
        if renewal:
            self.renewed_at = now

    def _keep_rotations(self) -> None:
        """Put the changes of keys there that the folder has. Raises LedgerError."""
        content = self.files.read(ROTATIONS) or b""
        for statement in rotations.split(content.decode(errors="replace")):
            path = rotation_path(rotations.parse(statement).size)
            self.bucket.put(path, statement.encode(), self.bucket.settings.retention_days)

    def _keep(self, one: tuple[str, bytes]) -> None:
        path, content = one
        self.bucket.put(path, content, self.bucket.settings.retention_days)

    def _objects(self, tiles: Tiles) -> Iterator[tuple[str, bytes]]:
        """Full bundles, full tiles and attachments that the bucket does not have yet. Raises LedgerError."""
        for tile_index in range(self.size // TILE_WIDTH, -(-tiles.size // TILE_WIDTH)):
            tiles.check_bundle(tile_index)
            width = min(TILE_WIDTH, tiles.size - tile_index * TILE_WIDTH)
            entries = tiles.bundle(tile_index, width)
            if width == TILE_WIDTH:
                yield tile_path(None, tile_index), encode_bundle(entries)
            fresh = entries[max(0, self.size - tile_index * TILE_WIDTH) :]
            named = dict.fromkeys(one for entry in fresh for one in candidates(entry))
            for path in map(attachment_path, named):
                content = self.files.read(path)
                if content is not None:
                    yield path, content
        for level, tile_index in tiles_completed(self.size, tiles.size):
            yield tile_path(level, tile_index), tiles.tile(level, tile_index, TILE_WIDTH)


async def fill_bucket(context: Context, bucket: Bucket) -> None:
    """Keep a bucket in step with the folder, for ever. With a bucket bound, implements `tasks.Task`."""
    assert context.files is not None, "a bucket is filled from the folder"
    upload = Upload(files=context.files, bucket=bucket)
    stopped = threading.Event()
    pause, problem, wrong = RETRY_SECONDS, "", False
    signed = await context.newest.beyond(-1)
    try:
        while True:
            try:
                await asyncio.to_thread(upload.resume, context, signed)
                while True:
                    if upload.is_due(signed):
                        await asyncio.to_thread(upload.round, signed, stopped)
                    await asyncio.to_thread(upload.keep_cosigned, context.newest.cosigned)
                    pause, size = RETRY_SECONDS, upload.size
                    await context.observe(bucket.place, published=size, size=size)
                    await context.sleep(bucket.settings.seconds)
                    signed = await _newer(context, size, upload.cosigned)
            except OSError as error:
                problem, wrong = f"the folder cannot be read: {error}", False
            except SojournError as error:
                if error.code not in (Code.PUBLICATION_UNREACHABLE, Code.PUBLICATION_CONFLICT):
                    raise
                problem = error.refusal.details["problem"]
                # What is wrong with the folder is the folder's own affair, and on record as such.
                wrong = error.code is Code.PUBLICATION_CONFLICT and error.refusal.details["place"] == bucket.place
            signed = context.newest.signed or signed
            await context.observe(
                bucket.place, published=upload.size, size=signed.head.size, problem=problem, wrong=wrong
            )
            await context.sleep(pause)
            pause = min(RETRY_SECONDS_MAX, pause * 2)
    finally:
        stopped.set()


async def _newer(context: Context, size: int, cosigned: int) -> Signed:
    """The next checkpoint beyond `size`; the present one when one is cosigned beyond `cosigned`, or after a while."""
    assert context.newest.signed is not None, "one was there before"
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            return await context.newest.beyond(size, cosigned)
    except TimeoutError:
        return context.newest.signed
