"""The ledger as a folder of files: complete, correct at every size, and never written over another history."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from sojourn.domain.events import (
    ConfigurationAdopted,
    ConfigurationFile,
    PublicationOverdue,
    PublicationRefused,
    PublicationResumed,
)
from sojourn.domain.history import Change
from sojourn.domain.identifiers import CONFIGURATION
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import leaf_hash, recompute_root
from sojourn.ledger.note import SigningKey
from sojourn.publisher.files import Files
from sojourn.publisher.folder import open_folder
from sojourn.publisher.follow import follow_folder
from sojourn.testing.scribe import KEY, ScribeProcess

from .conftest import Desk, changes, fill, stranger


def note(leaves: list[bytes], key: SigningKey = KEY) -> tuple[str, Checkpoint]:
    head = Checkpoint(origin=key.name, size=len(leaves), root=recompute_root([leaf_hash(one) for one in leaves]))
    return checkpoints.sign(head, key), head


@pytest.mark.parametrize("sizes", [(1, 2, 255, 256, 257, 511, 512, 513), (65_535, 65_536, 65_537)])
def test_a_stranger_reads_everything_at_every_size_and_publishing_goes_on_from_there(
    tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    entries = [b'{"n":%d}' % number for number in range(sizes[-1])]
    for size in sizes:
        folder = open_folder(Files(tmp_path / "public"), KEY.verifier())
        folder.stage(entries[folder.size : size])
        folder.publish(*note(entries[:size]))
        head, found = stranger(tmp_path / "public")
        assert (head.size, found) == (size, entries[:size])
    whole = sizes[-1] // 256
    assert not any((tmp_path / "public" / "tile" / "entries").glob("*.p")) or sizes[-1] % 256
    assert len([one for one in (tmp_path / "public" / "tile" / "0").rglob("*") if one.is_file()]) >= whole


async def test_what_is_recorded_is_published_and_a_restart_goes_on(desk: Desk) -> None:
    await fill(desk.ledger, 700)
    async with desk.running(follow_folder) as context:
        await context.newest.beyond(699)
        await fill(desk.ledger, 100)
        await context.newest.beyond(799)
    before = (desk.folder / "tile" / "0" / "001").stat().st_ino
    async with desk.running(follow_folder) as context:
        await fill(desk.ledger, 1)
        await context.newest.beyond(800)
    head, entries = stranger(desk.folder)
    assert list(await desk.ledger.raw(range(head.size))) == entries
    assert (desk.folder / "tile" / "0" / "001").stat().st_ino == before, "what was published is not written again"
    assert not await desk.on_record()


async def test_attachments_lie_under_their_hash(desk: Desk) -> None:
    content = b"people: {}\n"
    name = hashlib.sha256(content).hexdigest()
    elsewhere = "0" * 64
    file = ConfigurationFile(name="people.yaml", sha256=name)
    adopted = ConfigurationAdopted(catalogue_sha256=elsewhere, files=(file,), operator="operator:test")
    await desk.ledger.append([Change(stream=CONFIGURATION, event=adopted, seen=0)], attachments=[content])
    async with desk.running(follow_folder) as context:
        await context.newest.beyond(0)
    assert (desk.folder / "attachment" / name).read_bytes() == content
    assert not (desk.folder / "attachment" / elsewhere).exists()


async def test_a_bit_that_flips_in_a_published_file_stops_publishing_and_is_on_record(desk: Desk) -> None:
    await fill(desk.ledger, 600)
    async with desk.running(follow_folder) as context:
        await context.newest.beyond(599)
        victim = desk.folder / "tile" / "entries" / "000"
        content = bytearray(victim.read_bytes())
        content[1000] ^= 1
        # In one step: the patrol may look at any moment, and a file half written is another fault.
        altered = desk.folder.with_name("altered")
        altered.write_bytes(content)
        altered.replace(victim)
        refused = await desk.until_recorded(PublicationRefused)
        assert isinstance(refused, PublicationRefused)
        assert "tile/entries/000" in refused.problem
        assert desk.seen[refused.place].contradicts
        shutil.move(desk.folder, desk.folder.with_name("kept"))
        await desk.until_recorded(PublicationResumed)
    head, _ = stranger(desk.folder)
    assert head.size > 600


@pytest.mark.parametrize(
    "path", ["checkpoint", "tile/0/000", "tile/0/001.p/88", "tile/entries/001.p/88", "tile/1/000.p/1"]
)
async def test_a_flipped_bit_is_found_at_the_start_wherever_it_is(desk: Desk, path: str) -> None:
    await desk.ledger.append(changes(344))
    async with desk.running(follow_folder) as context:
        await context.newest.beyond(343)
    victim = desk.folder / path
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    async with desk.running(follow_folder):
        await desk.until_recorded(PublicationRefused)
    assert victim.read_bytes() == content, "what disagrees is kept as it is"


async def test_a_folder_of_another_ledger_is_not_written_to(desk: Desk) -> None:
    other = SigningKey.generate("other.localhost/ledger", b"\x09" * 32)
    foreign = open_folder(Files(desk.folder), other.verifier())
    foreign.stage([b"{}"])
    foreign.publish(*note([b"{}"], other))
    before = sorted(desk.folder.rglob("*"))
    await fill(desk.ledger, 10)
    async with desk.running(follow_folder):
        await desk.until_recorded(PublicationRefused)
    assert sorted(desk.folder.rglob("*")) == before


async def test_a_folder_with_another_history_of_this_ledger_is_not_written_to(desk: Desk) -> None:
    forked = open_folder(Files(desk.folder), KEY.verifier())
    forked.stage([b"{}"])
    forked.publish(*note([b"{}"]))
    await fill(desk.ledger, 10)
    async with desk.running(follow_folder):
        refused = await desk.until_recorded(PublicationRefused)
        assert isinstance(refused, PublicationRefused)
        assert "not those of the ledger" in refused.problem
    assert stranger(desk.folder)[0].size == 1


async def test_a_folder_that_has_seen_more_than_the_ledger_is_not_written_to(desk: Desk) -> None:
    ahead = open_folder(Files(desk.folder), KEY.verifier())
    ahead.stage([b"{}"] * 50)
    ahead.publish(*note([b"{}"] * 50))
    async with desk.running(follow_folder):
        refused = await desk.until_recorded(PublicationRefused)
        assert isinstance(refused, PublicationRefused)
        assert "50 entries" in refused.problem


async def test_without_room_publishing_waits_is_overdue_and_goes_on_by_itself(desk: Desk) -> None:
    await fill(desk.ledger, 300)
    full = True
    desk.has_room = lambda _: not full
    async with desk.running(follow_folder):
        await desk.until(lambda: any(one.problem for one in desk.seen.values()))
        assert not await desk.on_record(), "a short trouble is nobody's business"
        desk.clock.advance(timedelta(minutes=11))
        overdue = await desk.until_recorded(PublicationOverdue)
        assert isinstance(overdue, PublicationOverdue)
        assert (overdue.published, overdue.size) == (0, 300)
        await fill(desk.ledger, 5)
        full = False
        await desk.until_recorded(PublicationResumed)
        await desk.until(lambda: (desk.folder / "checkpoint").exists())
    assert [type(one) for one in await desk.on_record()] == [PublicationOverdue, PublicationResumed]
    stranger(desk.folder)


async def test_a_folder_that_cannot_be_made_is_tried_again(desk: Desk) -> None:
    desk.folder.write_text("a file where the folder belongs")
    await fill(desk.ledger, 3)
    async with desk.running(follow_folder) as context:
        await desk.until(lambda: any(one.problem for one in desk.seen.values()))
        desk.folder.unlink()
        await context.newest.beyond(2)
    stranger(desk.folder)


async def test_publishing_survives_a_scribe_that_is_killed(desk: Desk, scribe: ScribeProcess) -> None:
    async with desk.running(follow_folder) as context:
        for round_ in range(3):
            await fill(desk.ledger, 400)
            await asyncio.to_thread(scribe.kill)
            scribe.start()
            await desk.ledger.connected(20)
            await fill(desk.ledger, 1)
            await context.newest.beyond(400 * (round_ + 1) + round_)
    head, entries = stranger(desk.folder)
    assert list(await desk.ledger.raw(range(head.size))) == entries


def test_a_checkpoint_over_something_else_is_never_published(tmp_path: Path) -> None:
    folder = open_folder(Files(tmp_path), KEY.verifier())
    folder.stage([b"a", b"b"])
    with pytest.raises(SojournError) as caught:
        folder.publish(*note([b"a", b"c"]))
    assert caught.value.code is Code.PUBLICATION_CONFLICT
    assert not (tmp_path / "checkpoint").exists()
