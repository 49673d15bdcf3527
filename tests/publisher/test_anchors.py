"""A ledger that is behind what others have seen, or tells another story, does not start."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from sojourn.app.anchors import Anchor, read_anchors
from sojourn.errors import Code, SojournError
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout
from sojourn.testing.bucket import ObjectStore

from .conftest import fill
from .test_process import installation, process

STORE = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "checkpoint", "acknowledged")


async def record(root: Path, count: int, *, places: int = 0) -> None:
    """Run the installation for as long as it takes to record so many entries more, and to publish them there."""
    with process(root, "scribe") as scribe:
        async with ScribeClient(Layout(root=root).scribe_socket) as ledger:
            await ledger.connected(30)
            await fill(ledger, count)
            size = await ledger.size()
            if places:
                with process(root, "publisher"):
                    until = time.monotonic() + 30
                    while [one >= size for one in copies(root)] != [True] * places and time.monotonic() < until:
                        await asyncio.sleep(0.05)
        assert scribe.stdin is not None
        scribe.stdin.close()
        assert scribe.wait(20) == 0


def copies(root: Path) -> list[int]:
    """How much is in each place, as the publisher says."""
    path = Layout(root=root).published
    return [copy["published"] for copy in json.loads(path.read_text())] if path.exists() else []


def keep(root: Path, place: Path) -> None:
    """Copy the store with its own anchor, as it lies there."""
    place.mkdir()
    with sqlite3.connect(root / "ledger.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for name in STORE:
        if (root / name).exists():
            shutil.copy(root / name, place / name)


def roll_back(root: Path, place: Path) -> None:
    """Put an old copy in the place of the store and of its own anchor."""
    for name in STORE:
        (root / name).unlink(missing_ok=True)
        if (place / name).exists():
            shutil.copy(place / name, root / name)


def refusal(root: Path) -> str:
    """What the scribe says when it does not start."""
    said = root.with_name("said")
    before = len(said.read_text())
    with process(root, "scribe") as scribe:
        assert scribe.wait(30) == 1
    return said.read_text()[before:]


async def test_a_ledger_that_was_rolled_back_with_its_own_anchor_is_behind_the_folder(tmp_path: Path) -> None:
    root = installation(tmp_path / "data")
    await record(root, 300)
    keep(root, tmp_path / "old")
    await record(root, 300, places=1)
    roll_back(root, tmp_path / "old")
    said = refusal(root)
    assert "record.behind" in said
    assert f"folder:{root / 'public'}" in said


async def test_a_ledger_with_another_history_is_told_from_the_one_in_the_folder(tmp_path: Path) -> None:
    root = installation(tmp_path / "data")
    await record(root, 100)
    keep(root, tmp_path / "old")
    await record(root, 100, places=1)
    shutil.move(root / "public", tmp_path / "public")
    roll_back(root, tmp_path / "old")
    await record(root, 500)
    shutil.move(tmp_path / "public", root / "public")
    said = refusal(root)
    assert "record.damaged" in said
    assert f"folder:{root / 'public'}" in said


async def test_a_folder_that_holds_nothing_of_use_keeps_nobody_from_starting(tmp_path: Path) -> None:
    root = installation(tmp_path / "data")
    (root / "public").mkdir()
    (root / "public" / "checkpoint").write_text("nothing of use")
    await record(root, 5)
    assert "an anchor does not answer" in (tmp_path / "said").read_text()


async def test_without_folder_and_anchor_the_locked_bucket_still_knows(tmp_path: Path, store: ObjectStore) -> None:
    root = installation(tmp_path / "data")
    s3 = f"{{bucket: worm, prefix: anchors/, endpoint: '{store.endpoint}', seconds: 0.05}}"
    (root / "config" / "settings.yaml").write_text(f"publisher: {{seconds: 0.05, s3: {s3}}}\n")
    await record(root, 300)
    keep(root, tmp_path / "old")
    await record(root, 300, places=2)
    roll_back(root, tmp_path / "old")
    shutil.rmtree(root / "public")
    said = refusal(root)
    assert "record.behind" in said
    assert "bucket:worm/anchors/" in said

    store.stop()
    try:
        started = time.monotonic()
        await record(root, 1)
        assert time.monotonic() - started < 25
        assert "an anchor does not answer" in (tmp_path / "said").read_text()
    finally:
        store.start()


def test_who_does_not_answer_in_time_is_left_out_and_who_holds_something_else_is_not() -> None:
    head = Checkpoint(origin="test.localhost/ledger", size=7, root=bytes(32))
    told: list[str] = []

    def silent() -> None:
        time.sleep(0.5)

    def wrong() -> None:
        raise SojournError(Code.PUBLICATION_CONFLICT, place="bucket:b/", problem="it is something else")

    asked = [Anchor(place="slow", read=silent), Anchor(place="good", read=lambda: head)]
    seen = read_anchors(asked, lambda said, place: told.append(place), 0.1)
    assert [(one.place, one.checkpoint) for one in seen] == [("good", head)]
    assert told == ["slow"]
    with pytest.raises(SojournError) as caught:
        read_anchors([Anchor(place="b", read=wrong)], print)
    assert caught.value.code is Code.PUBLICATION_CONFLICT
