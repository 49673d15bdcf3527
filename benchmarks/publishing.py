"""How long after it is acknowledged an entry is signed, published, witnessed, and in a bucket that locks, under load.

All is real and set as by default: a scribe with fsync, the publisher's tasks into a folder, a witness in a process of
its own, and an object store that enforces Object Lock. The publisher runs in this process, beside the load.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sojourn.domain.events import CancelRequested
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import policy as policies
from sojourn.ledger.note import split
from sojourn.publisher.asking import http_client
from sojourn.publisher.bucket import Bucket
from sojourn.publisher.files import Files
from sojourn.publisher.follow import follow_folder
from sojourn.publisher.tasks import Context
from sojourn.publisher.upload import fill_bucket
from sojourn.publisher.witnesses import Witnessing
from sojourn.scribe.client import ScribeClient
from sojourn.settings import BucketSettings, PublisherSettings, Settings
from sojourn.testing.bucket import object_store
from sojourn.testing.scribe import KEY, ScribeProcess
from sojourn.testing.witness import WitnessProcess

from .figures import Figure, percentile

RATE = 1000
"""Entries a second."""

TURN_SECONDS = 0.05
LOOK_SECONDS = 0.01
DRAIN_SECONDS_MAX = 60.0


class _Clock:
    """Implements `workflow.ports.Clock`."""

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)


@dataclass(slots=True)
class Places:
    """How far each place is, and how long each probe took to get there."""

    far: dict[str, Callable[[], int]]
    waiting: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def probe(self, size: int) -> None:
        """An entry was acknowledged now, as the last of so many."""
        for name in self.far:
            self.waiting.setdefault(name, []).append((size, time.perf_counter()))

    def look(self) -> None:
        """See which probes have arrived."""
        for name, far in self.far.items():
            size, now = far(), time.perf_counter()
            waiting = self.waiting.get(name, [])
            arrived = [since for wanted, since in waiting if wanted <= size]
            self.seconds.setdefault(name, []).extend(now - since for since in arrived)
            self.waiting[name] = waiting[len(arrived) :]

    @property
    def all_arrived(self) -> bool:
        """Whether nothing is waited for."""
        return not any(self.waiting.values())


def _signed(anchor: Path) -> int:
    """The size of the newest checkpoint that the scribe has signed by itself."""
    try:
        text, _ = split(anchor.read_text())
        return checkpoints.parse(text).size
    except FileNotFoundError:
        return 0


async def _load(ledger: ScribeClient, places: Places, seconds: float) -> None:
    """Record at an even rate, and look all the while."""
    session = SessionId("s-load")
    event = CancelRequested(session=session, source="bench")
    changes = [Change(stream=session_stream(session), event=event, seen=None)] * round(RATE * TURN_SECONDS)
    start = following = time.perf_counter()
    while time.perf_counter() < start + seconds:
        receipt = await ledger.append(changes)
        places.probe(receipt.first + len(changes))
        following += TURN_SECONDS
        while time.perf_counter() < following:
            places.look()
            await asyncio.sleep(LOOK_SECONDS)
    async with asyncio.timeout(DRAIN_SECONDS_MAX):
        while not places.all_arrived:
            places.look()
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def _publishing(context: Context, witness: WitnessProcess, bucket: Bucket) -> AsyncIterator[None]:
    policy = policies.parse(f"witness w {witness.cosigner.vkey()} {witness.url}\nquorum w\n".encode())
    witnessing = Witnessing(policy=policy, open_http=http_client, keep=lambda note: None)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(follow_folder(context)),
            group.create_task(witnessing.run(context)),
            group.create_task(fill_bucket(context, bucket)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _measure(
    root: Path, scribe: ScribeProcess, witness: WitnessProcess, bucket: Bucket, seconds: float
) -> Places:
    settings = Settings(publisher=PublisherSettings(s3=bucket.settings))
    async with ScribeClient(scribe.layout.scribe_socket) as ledger:
        await ledger.connected(10)
        context = Context(
            ledger=ledger,
            settings=settings,
            verifier=KEY.verifier(),
            clock=_Clock(),
            files=Files(root / "public"),
            report=lambda observed: None,
        )

        def published(place: str) -> int:
            seen = context.observed.get(place)
            return 0 if seen is None else seen.published

        places = Places(
            {
                "signed": lambda: _signed(scribe.layout.anchor),
                "published in a folder": lambda: context.newest.signed.head.size if context.newest.signed else 0,
                "witnessed": lambda: context.newest.cosigned.head.size if context.newest.cosigned else 0,
                "in WORM": lambda: published(bucket.place),
            }
        )
        async with _publishing(context, witness, bucket):
            await _load(ledger, places, seconds)
        return places


def lags(*, quick: bool) -> Iterator[Figure]:
    """From the acknowledgement of an entry until it is there: the median and the longest."""
    root = Path(tempfile.mkdtemp(prefix="sojourn-bench-"))
    try:
        scribe = ScribeProcess(root / "data")
        witness = WitnessProcess.make(root / "witness", KEY.verifier()).start()
        scribe.start()
        try:
            with object_store(root / "store") as store:
                store.client().create_bucket(Bucket="worm", ObjectLockEnabledForBucket=True)
                settings = BucketSettings(bucket="worm", endpoint=store.endpoint, retention_days=1)
                bucket = Bucket(client=store.client(), settings=settings, clock=lambda: datetime.now(UTC))
                places = asyncio.run(_measure(root, scribe, witness, bucket, 10 if quick else 60))
        finally:
            witness.kill()
            scribe.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
    for name, samples in places.seconds.items():
        title = f"acknowledged to {name}, at {RATE:,} entries/s"
        yield Figure(name=f"{title}, p50", unit="s", value=percentile(samples, 0.5))
        yield Figure(name=f"{title}, longest of {len(samples)}", unit="s", value=max(samples))
