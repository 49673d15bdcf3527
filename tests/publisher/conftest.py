"""A real scribe, and what follows it into a folder."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from sojourn.domain.events import CancelRequested, Event
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION, SessionId, session_stream
from sojourn.domain.publication import Observed
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import leaf_hash, recompute_root
from sojourn.ledger.tiles import TILE_WIDTH, tile_width
from sojourn.publisher.files import Files
from sojourn.publisher.tasks import Context, Task
from sojourn.publisher.tiles import Tiles
from sojourn.scribe.client import ScribeClient
from sojourn.settings import PublisherSettings, ScribeSettings, Settings
from sojourn.testing.bucket import ObjectStore, object_store
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.scribe import KEY, ScribeProcess

SECONDS = 20.0


def changes(count: int, name: str = "a", source: str = "here") -> list[Change]:
    """So many changes to record."""
    session = SessionId(f"s-{name}")
    event = CancelRequested(session=session, source=source)
    return [Change(stream=session_stream(session), event=event, seen=None)] * count


async def fill(ledger: ScribeClient, count: int) -> None:
    """Record so many entries."""
    while count > 0:
        await ledger.append(changes(min(count, 4000)))
        count -= 4000


def stranger(folder: Path) -> tuple[Checkpoint, list[bytes]]:
    """Read a published folder as somebody would who has the key and nothing else; checks all of it."""
    head = checkpoints.open((folder / "checkpoint").read_text(), KEY.verifier())
    tiles = Tiles(read=Files(folder).read, size=head.size)
    entries: list[bytes] = []
    for tile_index in range(-(-head.size // TILE_WIDTH)):
        tiles.check_bundle(tile_index)
        entries.extend(tiles.bundle(tile_index, tile_width(0, tile_index, head.size)))
    assert recompute_root([leaf_hash(entry) for entry in entries]) == head.root == tiles.root()
    return head, entries


@dataclass(slots=True)
class Desk:
    """A scribe and the publisher's tasks over it."""

    scribe: ScribeProcess
    ledger: ScribeClient
    settings: Settings
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    seen: dict[str, Observed] = field(default_factory=dict)
    has_room: Callable[[int], bool] = lambda _: True

    @property
    def folder(self) -> Path:
        """The folder that is published."""
        return self.scribe.root / "public"

    def context(self) -> Context:
        """A fresh context, as after a start."""
        return Context(
            ledger=self.ledger,
            settings=self.settings,
            verifier=KEY.verifier(),
            clock=self.clock,
            files=Files(root=self.folder, has_room=lambda arriving: self.has_room(arriving)),
            report=self.seen.update,
        )

    @asynccontextmanager
    async def running(self, *tasks: Task) -> AsyncIterator[Context]:
        """The tasks, while the block lasts."""
        self.seen.clear()
        context = self.context()
        running = [asyncio.ensure_future(task(context)) for task in tasks]
        try:
            yield context
        finally:
            for one in running:
                one.cancel()
            ended = await asyncio.gather(*running, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Wait until something holds."""
        async with asyncio.timeout(SECONDS):
            while not holds():
                await asyncio.sleep(0.01)

    async def on_record(self) -> Sequence[Event]:
        """What the stream `publication` says."""
        return [one.event for one in await self.ledger.stream(PUBLICATION)]

    async def until_recorded(self, kind: type[Event], times: int = 1) -> Event:
        """Wait for an event of that kind; gives the newest."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = [one for one in await self.on_record() if isinstance(one, kind)]
                if len(found) >= times:
                    return found[-1]
                await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A real object store with a bucket that locks (`worm`) and one that does not (`plain`)."""
    with object_store(tmp_path_factory.mktemp("store")) as running:
        running.client().create_bucket(Bucket="worm", ObjectLockEnabledForBucket=True)
        running.client().create_bucket(Bucket="plain")
        yield running


@pytest.fixture
def scribe(tmp_path: Path) -> Iterator[ScribeProcess]:
    """A scribe process that has been started."""
    made = ScribeProcess(tmp_path / "data", ScribeSettings(checkpoint_seconds=0.2))
    made.start()
    yield made
    if made.running is not None and made.running.poll() is None:
        made.kill()


@pytest.fixture
async def desk(scribe: ScribeProcess) -> AsyncIterator[Desk]:
    """The scribe with a client."""
    publisher = PublisherSettings(seconds=0.05, overdue=timedelta(minutes=10))
    async with ScribeClient(scribe.layout.scribe_socket) as ledger:
        await ledger.connected(SECONDS)
        yield Desk(scribe, ledger, dataclasses.replace(Settings(), publisher=publisher))
