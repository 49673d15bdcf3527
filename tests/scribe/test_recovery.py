"""A store that is not what was written is not written to again."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import leaf_hash
from sojourn.ledger.note import SigningKey
from sojourn.scribe.protocol import Appended, Draft
from sojourn.testing.scribe import KEY, ScribeProcess

from .conftest import Desk

MakeDraft = Callable[..., Draft]
TRIGGERS = [
    "entry_refuses_update",
    "entry_refuses_delete",
    "tile_refuses_update",
    "checkpoint_refuses_update",
    "checkpoint_refuses_delete",
]


@pytest.fixture
def closed(desk: Desk, draft_of: MakeDraft) -> Desk:
    """A closed store: 300 entries signed, 10 behind them."""
    for start in range(0, 300, 30):
        desk.append(*[draft_of("a" if number % 3 else "b") for number in range(start, start + 30)])
    desk.log.sign()
    desk.append(*[draft_of("c") for _ in range(10)])
    desk.store.close()
    return desk


def alter(desk: Desk, *statements: str) -> None:
    with sqlite3.connect(desk.root / "ledger.db") as connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def refused(desk: Desk, **more: int) -> SojournError:
    with pytest.raises(SojournError) as error:
        desk.open(**more)
    desk.store.close()
    return error.value


def test_a_store_that_was_left_alone_opens_and_goes_on(closed: Desk, draft_of: MakeDraft) -> None:
    log = closed.open()
    assert (log.size, log.signed_size, log.read_back.size) == (310, 300, 310)
    assert log.read_back.root() == log.edges.root()
    got = closed.append(draft_of("c", 10))
    assert isinstance(got, Appended)
    assert got.first == 310


@pytest.mark.parametrize("rehashed_max", [1_000_000, 0])
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE entry SET bytes = replace(bytes, 'here', 'gone') WHERE seq = 305", "entry 305"),
        ("UPDATE entry SET kind = 'session.closed' WHERE seq = 305", "entry 305"),
        ("UPDATE entry SET stream = 'session/s-d' WHERE seq = 309", "session/s-d"),
        ("UPDATE entry SET leaf = zeroblob(32) WHERE seq = 305", "entry 305"),
        ("UPDATE entry SET leaf = zeroblob(32) WHERE seq = 5", ""),
        ("UPDATE entry SET leaf = 'text of thirty-two characters...' WHERE seq = 5", ""),
        ("UPDATE checkpoint SET note = CAST(note AS BLOB)", "the last checkpoint"),
        ("DELETE FROM entry WHERE seq = 7", "309 entries are there"),
        ("DELETE FROM entry WHERE seq = 0", "places run from 1 to 309"),
        ("UPDATE entry SET seq = -1 WHERE seq = 0", "places run from -1"),
        ("UPDATE entry SET version = 400 WHERE seq = 200", "session/s-"),
        ("UPDATE checkpoint SET note = replace(note, '300', '299')", "the last checkpoint"),
        ("UPDATE checkpoint SET note = 'x'", "the last checkpoint"),
    ],
)
def test_an_alteration_is_refused_and_named(closed: Desk, statement: str, named: str, rehashed_max: int) -> None:
    alter(closed, statement)
    error = refused(closed, rehashed_max=rehashed_max)
    assert error.code is Code.RECORD_DAMAGED
    assert named in str(error)


def test_a_large_store_is_rehashed_behind_its_last_checkpoint_only(closed: Desk) -> None:
    alter(closed, "UPDATE entry SET bytes = replace(bytes, 'here', 'gone') WHERE seq = 5")
    assert closed.open(rehashed_max=0).size == 310
    closed.store.close()
    assert "entry 5 " in str(refused(closed))


def test_an_entry_that_was_rewritten_with_its_leaf_contradicts_the_checkpoint(closed: Desk) -> None:
    with sqlite3.connect(closed.root / "ledger.db") as connection:
        (data,) = connection.execute("SELECT bytes FROM entry WHERE seq = 5").fetchone()
        connection.execute("DROP TRIGGER entry_refuses_update")
        forged = data.replace(b"here", b"gone")
        connection.execute("UPDATE entry SET bytes = ?, leaf = ? WHERE seq = 5", (forged, leaf_hash(forged)))
    connection.close()
    error = refused(closed)
    assert error.code is Code.RECORD_DAMAGED
    assert "first 300 entries are not those that were signed" in str(error)


def test_a_tile_that_was_altered_is_named(desk: Desk, draft_of: MakeDraft) -> None:
    for _ in range(17):
        desk.append(*[draft_of("a") for _ in range(4096)])
    desk.store.close()
    alter(desk, "UPDATE tile SET hashes = zeroblob(8192)")
    assert "tile 0 of level 1" in str(refused(desk))


def test_a_store_that_was_rolled_back_is_behind_its_anchor(closed: Desk) -> None:
    alter(closed, "DELETE FROM entry WHERE seq >= 299", "DELETE FROM checkpoint")
    error = refused(closed)
    assert error.code is Code.RECORD_BEHIND
    assert "holds 299 entries" in str(error)
    assert "has seen 300" in str(error)


def test_a_store_without_its_signed_tail_is_damaged_even_without_an_anchor(closed: Desk) -> None:
    alter(closed, "DELETE FROM entry WHERE seq >= 299")
    (closed.root / "checkpoint").unlink()
    error = refused(closed)
    assert error.code is Code.RECORD_DAMAGED
    assert "300 entries were signed and 299 are there" in str(error)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not a checkpoint\n"])
def test_an_anchor_that_is_no_checkpoint_is_refused(closed: Desk, content: bytes) -> None:
    (closed.root / "checkpoint").write_bytes(content)
    error = refused(closed)
    assert error.code is Code.RECORD_DAMAGED
    assert "anchor" in str(error)


def test_an_anchor_of_another_history_is_refused(closed: Desk) -> None:
    forked = checkpoints.sign(Checkpoint(origin=KEY.name, size=200, root=bytes(32)), KEY)
    (closed.root / "checkpoint").write_text(forked)
    assert "first 200 entries are not those that were signed" in str(refused(closed))


def test_a_checkpoint_that_somebody_else_signed_is_refused(closed: Desk) -> None:
    other = SigningKey.generate(KEY.name, b"\x08" * 32)
    note = checkpoints.sign(Checkpoint(origin=KEY.name, size=310, root=bytes(32)), other)
    with sqlite3.connect(closed.root / "ledger.db") as connection:
        connection.execute("INSERT INTO checkpoint VALUES (310, ?)", (note,))
    connection.close()
    assert "the last checkpoint does not verify" in str(refused(closed))


def test_an_anchor_that_a_crash_left_behind_is_brought_up(closed: Desk, draft_of: MakeDraft) -> None:
    before = (closed.root / "checkpoint").read_text()
    closed.open()
    note = closed.log.sign()
    closed.store.close()
    (closed.root / "checkpoint").write_text(before)
    closed.open()
    assert (closed.root / "checkpoint").read_text() == note


def test_an_anchor_is_never_set_back(closed: Desk) -> None:
    closed.open()
    note = closed.log.sign()
    closed.store.close()
    alter(closed, "DELETE FROM checkpoint WHERE size = 310")
    closed.open()
    assert (closed.root / "checkpoint").read_text() == note


@pytest.mark.parametrize("cut", [1, 7, 24, 4000, 4120, 9000])
def test_a_torn_write_ahead_log_loses_whole_commits_from_its_end_only(
    desk: Desk, draft_of: MakeDraft, tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    for number in range(30):
        desk.append(draft_of("a", number), draft_of("b", number))
    copy = tmp_path_factory.mktemp("torn")
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(desk.root / name, copy / name)
    os.truncate(copy / "ledger.db-wal", (copy / "ledger.db-wal").stat().st_size - cut)
    torn = Desk(copy)
    log = torn.open()
    assert 50 <= log.size < 60
    assert log.size % 2 == 0
    assert isinstance(torn.append(draft_of("a", log.size // 2), draft_of("b", log.size // 2)), Appended)
    torn.store.close()


def _start(root: Path) -> tuple[int, str]:
    scribe = ScribeProcess(root)
    scribe.start()
    return scribe.stop()


def test_the_process_refuses_to_start_on_an_altered_store_and_says_which_entry(closed: Desk) -> None:
    alter(closed, "UPDATE entry SET bytes = replace(bytes, 'here', 'gone') WHERE seq = 42")
    code, said = _start(closed.root)
    assert code == 1
    assert "record.damaged" in said
    assert "entry 42 (session.cancel_requested, session/s-b version 15) was altered" in said
    assert not (closed.root / "run" / "scribe.sock").exists()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, None])
def test_a_file_that_is_no_database_is_refused(closed: Desk, content: bytes | None) -> None:
    path = closed.root / "ledger.db"
    whole = path.read_bytes()
    path.write_bytes(content if content is not None else whole[:20_000] + bytes(len(whole) - 20_000))
    code, said = _start(closed.root)
    assert code == 1
    assert "record.damaged" in said
