"""The ledger in a bucket with Object Lock, on a real server that enforces it."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

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
from sojourn.ledger import policy as policies
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import leaf_hash, recompute_root
from sojourn.ledger.note import SigningKey
from sojourn.ledger.tiles import decode_bundle, tile_path
from sojourn.publisher.asking import http_client
from sojourn.publisher.bucket import Bucket, checkpoint_path
from sojourn.publisher.follow import follow_folder
from sojourn.publisher.tasks import Task
from sojourn.publisher.upload import Upload, fill_bucket
from sojourn.publisher.witnesses import Witnessing
from sojourn.settings import BucketSettings, WitnessSettings
from sojourn.testing.bucket import ObjectStore
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.scribe import KEY
from sojourn.testing.witness import WitnessHere

from .conftest import Desk, changes, fill


@dataclass(slots=True)
class Remote:
    """A ledger's part of a bucket that locks, and what is in it."""

    store: ObjectStore
    bucket: Bucket
    clock: SimulatedClock

    def names(self, prefix: str = "") -> list[str]:
        """Everything that can be seen in it, in order."""
        name, start = self.bucket.settings.bucket, self.bucket.settings.prefix
        found: list[str] = []
        for page in self.bucket.client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=start + prefix):
            found += [one["Key"].removeprefix(start) for one in page.get("Contents", ())]
        return found

    def read(self, path: str) -> bytes:
        """An object's bytes."""
        settings = self.bucket.settings
        return self.bucket.client.get_object(Bucket=settings.bucket, Key=settings.prefix + path)["Body"].read()

    def lock(self, path: str) -> tuple[str, timedelta]:
        """The mode of an object's lock, and how long it lasts."""
        settings = self.bucket.settings
        held = self.bucket.client.head_object(Bucket=settings.bucket, Key=settings.prefix + path)
        return held["ObjectLockMode"], held["ObjectLockRetainUntilDate"] - self.clock.now()

    def stranger(self) -> tuple[Checkpoint, list[bytes]]:
        """Read the bucket as somebody would who has the key and nothing else."""
        newest = self.names("checkpoints/")[-1]
        head = checkpoints.open(self.read(newest).decode(), KEY.verifier())
        entries: dict[int, bytes] = {}
        for tile_index in range(head.size // 256):
            found = decode_bundle(self.read(tile_path(None, tile_index)))
            assert self.read(tile_path(0, tile_index)) == b"".join(map(leaf_hash, found))
            entries.update(enumerate(found, tile_index * 256))
        for name in self.names("tail/"):
            first, last = map(int, name.removeprefix("tail/").split("-"))
            found = decode_bundle(self.read(name))
            assert len(found) == last - first + 1
            for seq, entry in enumerate(found, first):
                assert entries.setdefault(seq, entry) == entry
        ordered = [entries[seq] for seq in range(head.size)]
        assert recompute_root([leaf_hash(entry) for entry in ordered]) == head.root
        return head, ordered

    def task(self) -> Task:
        """The task that fills it."""
        return partial(fill_bucket, bucket=self.bucket)


@pytest.fixture
def remote(store: ObjectStore, desk: Desk) -> Remote:
    """A part of the bucket that nobody has written to."""
    prefix = hashlib.sha256(str(desk.folder).encode()).hexdigest()[:12]
    desk.clock.moment = datetime.now(UTC)
    settings = BucketSettings(bucket="worm", prefix=f"{prefix}/", endpoint=store.endpoint, seconds=0.05)
    return Remote(store, Bucket(client=store.client(), settings=settings, clock=desk.clock.now), desk.clock)


@pytest.fixture
async def filled(desk: Desk, remote: Remote) -> AsyncIterator[Remote]:
    """A bucket with 700 entries of the ledger."""
    await fill(desk.ledger, 700)
    async with desk.running(follow_folder, remote.task()):
        await desk.until(lambda: desk.seen.get(remote.bucket.place, None) and remote.names("checkpoints/"))
    yield remote


async def uploaded(desk: Desk, remote: Remote, size: int) -> None:
    """Wait until so many entries are in the bucket."""
    await desk.until(lambda: (seen := desk.seen.get(remote.bucket.place)) is not None and seen.published >= size)


async def test_everything_is_in_the_bucket_locked_and_only_the_tail_for_short(desk: Desk, filled: Remote) -> None:
    content = b"people: {}\n"
    name = hashlib.sha256(content).hexdigest()
    file = ConfigurationFile(name="people.yaml", sha256=name)
    adopted = ConfigurationAdopted(catalogue_sha256="0" * 64, files=(file,), operator="operator:test")
    async with desk.running(follow_folder, filled.task()):
        await desk.ledger.append([Change(stream=CONFIGURATION, event=adopted, seen=0)], attachments=[content])
        await uploaded(desk, filled, 701)
        await desk.ledger.append(changes(100))
        await uploaded(desk, filled, 801)
    head, entries = await asyncio.to_thread(filled.stranger)
    assert list(await desk.ledger.raw(range(head.size))) == entries
    assert filled.read(f"attachment/{name}") == content
    for path in filled.names():
        mode, life = filled.lock(path)
        days = 14 if path.startswith("tail/") else 2647
        assert mode == "COMPLIANCE"
        assert timedelta(days=days) - timedelta(minutes=5) < life < timedelta(days=days, minutes=1), path
    assert not [path for path in filled.names() if ".p/" in path], "a partial tile is never put there"
    assert filled.names("tile/") == [
        *(f"tile/{level}/{number:03}" for level in (0, "entries") for number in range(3)),
    ]


async def test_the_store_may_be_down_and_come_back(desk: Desk, filled: Remote) -> None:
    async with desk.running(follow_folder, filled.task()) as context:
        await uploaded(desk, filled, 700)
        await asyncio.to_thread(filled.store.stop)
        try:
            await fill(desk.ledger, 600)
            await context.newest.beyond(1299)
            await desk.until(lambda: desk.seen[filled.bucket.place].problem)
            assert not await desk.on_record()
            desk.clock.advance(timedelta(minutes=11))
            overdue = await desk.until_recorded(PublicationOverdue)
            assert isinstance(overdue, PublicationOverdue)
            assert overdue.published == 700
            assert (await desk.ledger.append(changes(1))).size > 1300, "the ledger waits for nobody"
        finally:
            await asyncio.to_thread(filled.store.start)
        await desk.until_recorded(PublicationResumed)
        await uploaded(desk, filled, 1301)
    head, entries = await asyncio.to_thread(filled.stranger)
    assert list(await desk.ledger.raw(range(head.size))) == entries


async def test_what_was_put_before_a_crash_is_taken_as_it_is(desk: Desk, filled: Remote) -> None:
    signed_at = filled.names("checkpoints/")
    async with desk.running(follow_folder) as context:
        await fill(desk.ledger, 300)
        signed = await context.newest.beyond(999)
        upload = Upload(files=context.files or pytest.fail("no folder"), bucket=filled.bucket)
        await asyncio.to_thread(upload.resume, context, signed)
        stopped = threading.Event()
        stopped.set()
        await asyncio.to_thread(upload.round, signed, stopped)
        assert filled.names("checkpoints/") == signed_at, "a round that gave up says nothing"
        await asyncio.to_thread(upload.round, signed, threading.Event())
        assert len(filled.names("checkpoints/")) == len(signed_at) + 1
        assert upload.size == signed.head.size
        again = Upload(files=upload.files, bucket=filled.bucket)
        await asyncio.to_thread(again.resume, context, signed)
        await asyncio.to_thread(again.round, signed, threading.Event())
        assert again.size == signed.head.size


async def test_the_tails_lock_is_renewed_while_its_entries_are_in_no_full_bundle(desk: Desk, filled: Remote) -> None:
    async with desk.running(follow_folder) as context:
        signed = await context.newest.beyond(699)
        upload = Upload(files=context.files or pytest.fail("no folder"), bucket=filled.bucket)
        await asyncio.to_thread(upload.resume, context, signed)
        await asyncio.to_thread(upload.round, signed, threading.Event())
        assert not upload.is_due(signed)
        tail = filled.names("tail/")[-1]
        desk.clock.advance(timedelta(days=5))
        assert filled.lock(tail)[1] < timedelta(days=10)
        assert upload.is_due(signed)
        await asyncio.to_thread(upload.round, signed, threading.Event())
        assert filled.lock(tail)[1] > timedelta(days=13)


@pytest.mark.parametrize("path", [tile_path(None, 3), tile_path(0, 3), checkpoint_path(1024)])
async def test_something_else_under_our_name_is_an_alarm(desk: Desk, filled: Remote, path: str) -> None:
    settings = filled.bucket.settings
    filled.bucket.client.put_object(Bucket=settings.bucket, Key=settings.prefix + path, Body=b"something else")
    async with desk.running(follow_folder, filled.task()):
        await fill(desk.ledger, 1024 - 700)
        refused = await desk.until_recorded(PublicationRefused)
        assert isinstance(refused, PublicationRefused)
        assert refused.place == filled.bucket.place
        assert path in refused.problem
    assert filled.read(path) == b"something else"


async def test_a_bucket_with_another_history_of_this_ledger_is_an_alarm(desk: Desk, filled: Remote) -> None:
    head = Checkpoint(origin=KEY.name, size=650, root=recompute_root([b"\0" * 32]))
    forged = checkpoints.sign(dataclasses.replace(head, size=701), KEY)
    filled.bucket.put(checkpoint_path(701), forged.encode(), 1)
    async with desk.running(follow_folder, filled.task()):
        await fill(desk.ledger, 50)
        refused = await desk.until_recorded(PublicationRefused)
    assert isinstance(refused, PublicationRefused)
    assert "not those of the ledger" in refused.problem or "701 entries" in refused.problem


async def test_a_checkpoint_of_another_key_is_an_alarm(desk: Desk, filled: Remote) -> None:
    other = SigningKey.generate(KEY.name, b"\x0a" * 32)
    forged = checkpoints.sign(Checkpoint(origin=KEY.name, size=690, root=b"\0" * 32), other)
    filled.bucket.put(checkpoint_path(900), forged.encode(), 1)
    async with desk.running(follow_folder, filled.task()):
        await fill(desk.ledger, 300)
        refused = await desk.until_recorded(PublicationRefused)
    assert isinstance(refused, PublicationRefused)
    assert "no checkpoint of this ledger" in refused.problem


async def test_a_bucket_without_object_lock_is_refused(desk: Desk, store: ObjectStore) -> None:
    settings = BucketSettings(bucket="plain", endpoint=store.endpoint, seconds=0.05)
    bucket = Bucket(client=store.client(), settings=settings, clock=desk.clock.now)
    await fill(desk.ledger, 3)
    async with desk.running(follow_folder, partial(fill_bucket, bucket=bucket)):
        refused = await desk.until_recorded(PublicationRefused)
    assert isinstance(refused, PublicationRefused)
    assert "without Object Lock" in refused.problem


async def test_the_newest_checkpoint_is_found_under_a_delete_marker_and_among_many(desk: Desk, filled: Remote) -> None:
    settings, client = filled.bucket.settings, filled.bucket.client

    def note(size: int) -> str:
        return checkpoints.sign(Checkpoint(origin=KEY.name, size=size, root=bytes(32)), KEY)

    for size in (1, 2, 5, 10, 701, 705, 4096, 4097, 70_000, 2**40, 2**53 - 1):
        filled.bucket.put(checkpoint_path(size), note(size).encode(), 1)
        newest = filled.bucket.newest(KEY.verifier())
        assert newest is not None
        assert newest.size == max(size, 700)
    for path in filled.names("checkpoints/")[-3:]:
        client.delete_object(Bucket=settings.bucket, Key=settings.prefix + path)
    newest = filled.bucket.newest(KEY.verifier())
    assert newest is not None
    assert newest.size == 2**53 - 1


def test_a_bucket_that_does_not_answer_is_unreachable_and_an_unknown_one_too(store: ObjectStore, desk: Any) -> None:
    settings = BucketSettings(bucket="nowhere", endpoint=store.endpoint)
    for client in (store.client(), ObjectStore(Path("/nonexistent"), ports=[9]).client()):
        bucket = Bucket(client=client, settings=settings, clock=lambda: datetime.now(UTC))
        with pytest.raises(SojournError) as caught:
            bucket.put("tile/0/000", b"", 1)
        assert caught.value.code is Code.PUBLICATION_UNREACHABLE


def test_nothing_that_was_put_can_be_deleted(filled: Remote) -> None:
    settings, client = filled.bucket.settings, filled.bucket.client
    versions = client.list_object_versions(Bucket=settings.bucket, Prefix=settings.prefix)["Versions"]
    assert len(versions) == 6
    for one in versions:
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(
                Bucket=settings.bucket, Key=one["Key"], VersionId=one["VersionId"], BypassGovernanceRetention=True
            )


async def test_what_a_quorum_has_cosigned_is_put_there_once_for_each_size_under_the_long_lock(
    desk: Desk, remote: Remote, tmp_path: Path
) -> None:
    witness = WitnessHere.make(tmp_path / "w", KEY.verifier(), name="one.example/w").start()
    policy = policies.parse(f"witness one {witness.vkey} {witness.url}\nquorum one\n".encode())
    desk.settings = dataclasses.replace(desk.settings, witness=WitnessSettings(seconds=0.05, answer_seconds=2.0))
    notes: list[str] = []
    witnessing = Witnessing(policy=policy, open_http=http_client, keep=notes.append)
    names: list[str] = []

    def cosigned(count: int) -> bool:
        names[:] = remote.names("cosigned/")
        return len(names) == count

    try:
        async with desk.running(follow_folder, witnessing.run, remote.task()):
            for round_number, size in enumerate((3, 300), 1):
                await fill(desk.ledger, size - await desk.ledger.size())
                await desk.until(partial(cosigned, round_number))
                before = len(notes)
                await desk.until(partial(_more_than, notes, before + 3))
            assert cosigned(2), names
    finally:
        witness.close()
    for name, size in zip(names, (3, 300), strict=True):
        note = remote.read(name).decode()
        assert policies.accept(policy, note, [KEY.verifier()]).checkpoint.size == size
        mode, left = remote.lock(name)
        assert (mode, left > timedelta(days=remote.bucket.settings.retention_days - 1)) == ("COMPLIANCE", True)


def _more_than(notes: list[str], count: int) -> bool:
    return len(notes) > count
