"""What an earlier release left behind is opened, and accesses that were live then end on time and are taken back.

The releases lie in `releases/`, made once by `make.py` with the code of that time, and are never made again.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sojourn.configuration.catalogue import read_catalogue
from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.events import ConfigurationAdopted
from sojourn.domain.grant import Grant
from sojourn.domain.grant import Status as GrantStatus
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import GrantId, PersonId, RequestId
from sojourn.domain.request import Request
from sojourn.domain.request import Status as RequestStatus
from sojourn.projections.projector import Projections
from sojourn.scribe.client import ScribeClient
from sojourn.testing.identifiers import CountedIds
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.loop import LoopClock, SimulatedLoop
from sojourn.testing.node import Node, World
from sojourn.testing.promises import Promises
from sojourn.testing.scribe import ScribeProcess
from sojourn.testing.target import Login, SimulatedTarget
from sojourn.workflow.activate import activate
from sojourn.workflow.adopt import adopt, load_adopted
from sojourn.workflow.approve import approve
from sojourn.workflow.loading import fold

RELEASES = sorted(path for path in (Path(__file__).parent / "releases").iterdir() if path.is_dir())
ALICE, BOB = PersonId("alice"), PersonId("bob")
LIVE, LONGER, ENDED, MAKING = (GrantId(f"g-{number:010d}") for number in (2, 4, 7, 9))
APPROVED, ASKED = (RequestId(f"r-{number:010d}") for number in (10, 11))


@dataclass(frozen=True, slots=True)
class Left:
    """What a release left behind: its entries, the attachments that they name, and the moment it stopped."""

    entries: tuple[Recorded, ...]
    attachments: dict[str, bytes]
    at: datetime


@asynccontextmanager
async def opened(release: Path, root: Path) -> AsyncIterator[ScribeClient]:
    """A real scribe of this release on a copy of what that one left."""
    shutil.copytree(release, root, dirs_exist_ok=True)
    scribe = ScribeProcess(root)
    scribe.start()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as client:
            await client.connected(20)
            yield client
    finally:
        scribe.kill()


async def left(release: Path, root: Path) -> Left:
    made = json.loads((release / "made.json").read_text())
    async with opened(release, root) as client:
        assert await client.size() == made["size"]
        entries = await client.read(0, made["size"])
        adopted = [one.event for one in entries if isinstance(one.event, ConfigurationAdopted)]
        named = [one.catalogue_sha256 for one in adopted] + [file.sha256 for one in adopted for file in one.files]
        attachments = {sha256: await client.attachment(sha256) for sha256 in named}
    return Left(entries, attachments, datetime.fromisoformat(made["at"]))


@pytest.fixture(params=RELEASES, ids=lambda path: path.name)
def release(request: pytest.FixtureRequest) -> Path:
    """Each release there was."""
    assert isinstance(request.param, Path)
    return request.param


def test_there_is_a_release_to_look_at() -> None:
    assert [path.name for path in RELEASES][:1] == ["0.1.0"]


async def test_its_configuration_is_the_one_in_force_and_adopting_it_again_records_nothing(
    release: Path, tmp_path: Path
) -> None:
    async with opened(release, tmp_path / "root") as client:
        catalogue, files = read_catalogue(release / "config")
        adopted = await load_adopted(client)
        assert adopted is not None and adopted.catalogue == catalogue
        size = await client.size()
        assert (await adopt(client, catalogue=catalogue, files=files, operator="x")).version == adopted.version
        assert await client.size() == size


async def test_its_ledger_goes_on_where_it_stopped(release: Path, tmp_path: Path) -> None:
    then = await left(release, tmp_path / "root")
    assert [one.seq for one in then.entries] == list(range(len(then.entries)))
    projections = Projections.open(None)
    projections.apply(then.entries)
    projections.close()
    promises = Promises(then.attachments, slack=timedelta(seconds=5))
    promises.see(then.entries)
    assert not promises.broken, promises.broken
    assert set(promises.accesses.grants) == {LIVE, LONGER, ENDED, MAKING}


def test_accesses_that_were_live_end_on_time_and_what_was_begun_goes_on(release: Path, tmp_path: Path) -> None:
    then = asyncio.run(left(release, tmp_path / "root"))
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        world = runner.run(_lived_on(then))
    promises = Promises(then.attachments, slack=timedelta(seconds=10))
    promises.see(world.ledger.entries)
    assert not promises.broken, promises.broken
    assert not promises.unfinished() and not world.target.logins
    for name, lasts in ((LIVE, 30), (LONGER, 45), (MAKING, 30)):
        grant = _grant(world, name)
        assert grant.end - grant.created.window.start == timedelta(minutes=lasts)
        ended = next(
            one.at for one in world.ledger.entries if one.stream == f"grant/{name}" and one.event.kind == "grant.ended"
        )
        assert timedelta(0) <= ended - grant.end < timedelta(seconds=5)


def _grant(world: World, name: str) -> Grant:
    state = fold(grants.evolve, (one for one in world.ledger.entries if one.stream == f"grant/{name}"))
    assert state is not None
    return state


def _request(world: World, name: str) -> Request:
    state = fold(requests.evolve, (one for one in world.ledger.entries if one.stream == f"request/{name}"))
    assert state is not None
    return state


async def _lived_on(then: Left) -> World:
    """A node of this release begins on what is there; the target still has the logins of then."""
    ledger = MemoryLedger(LoopClock(began=then.at), entries=list(then.entries), attachments=dict(then.attachments))
    world = World(ledger=ledger, target=SimulatedTarget(), new_id=CountedIds(start=100))
    for name in (LIVE, LONGER, ENDED):
        created = _grant(world, name).created
        login = Login(grant=name, password="password", until=created.window.end, sessions=1)
        world.target.logins[created.credential] = login
    node = Node(world, clock=LoopClock(began=then.at))
    running = asyncio.create_task(node.run())
    await asyncio.sleep(5)
    assert _grant(world, ENDED).status is GrantStatus.REMOVED
    assert _grant(world, MAKING).status is GrantStatus.ACTIVE
    assert _grant(world, LIVE).opens(node.clock.now())
    office = node.office
    assert office is not None
    digest = _request(world, ASKED).submitted.digest
    assert isinstance(await approve(office, request=ASKED, person=BOB, digest=digest, source="t"), Request)
    assert isinstance(await activate(office, request=APPROVED, person=ALICE, source="t"), Grant)
    await asyncio.sleep(3600)
    assert _request(world, APPROVED).status is RequestStatus.ACTIVATED
    assert _request(world, ASKED).status is RequestStatus.APPROVED
    running.cancel()
    await asyncio.wait([running])
    return world
