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
from sojourn.ledger.note import SigningKey
from sojourn.scribe import sqlite_store
from sojourn.scribe.protocol import Appended, Draft, Key, Matter
from sojourn.testing.scribe import KEY, ScribeProcess

from .conftest import Desk, alter, forge, log_end

MakeDraft = Callable[..., Draft]


@pytest.fixture
def closed(desk: Desk, draft_of: MakeDraft, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A closed store: 300 entries signed, 10 behind them, all but a few in the index of streams."""
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 290)
    for start in range(0, 300, 30):
        desk.append(*[draft_of("a" if number % 3 else "b") for number in range(start, start + 30)])
    desk.log.sign()
    desk.append(*[draft_of("c") for _ in range(10)])
    desk.store.close()
    return desk


def altered(desk: Desk, *statements: str) -> None:
    alter(desk.root / "ledger.db", *statements)


def gone(data: bytes) -> bytes:
    return data.replace(b"here", b"gone")


@pytest.mark.parametrize("rehashed_max", [1_000_000, 0])
@pytest.mark.parametrize(
    ("was", "instead", "with_leaf"),
    [
        (b"here", b"gone", False),
        (b'"kind":"session.cancel_requested"', b'"kind":"session.closed"', False),
        (b"session/s-c", b"session/s-d", True),
        (b'"seq":305', b'"seq":306', True),
        (b'"version":6', b'"version":9', True),
    ],
)
def test_an_altered_entry_is_refused_and_named(
    closed: Desk, was: bytes, instead: bytes, with_leaf: bool, rehashed_max: int
) -> None:
    forge(closed.root / "ledger.db", 305, lambda data: data.replace(was, instead), with_leaf=with_leaf)
    error = refused(closed, rehashed_max=rehashed_max)
    assert error.code is Code.RECORD_DAMAGED
    assert "305" in str(error) or "306" in str(error) or "session/s-d" in str(error)


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
        ("UPDATE batch SET leaves = zeroblob(320) WHERE first = 300", "entry 300"),
        ("UPDATE batch SET leaves = zeroblob(960) WHERE first = 0", ""),
        ("UPDATE batch SET entries = CAST(x'0000' || entries AS BLOB) WHERE first = 300", "row of entry 300"),
        ("UPDATE batch SET count = 9, leaves = substr(leaves, 1, 288) WHERE first = 300", "entry 300"),
        ("UPDATE checkpoint SET note = CAST(note AS BLOB)", "the last checkpoint"),
        ("DELETE FROM batch WHERE first = 30", "280 entries are there"),
        ("DELETE FROM batch WHERE first = 0", "places run from 30 to 309"),
        ("UPDATE batch SET first = -1 WHERE first = 0", "places run from -1"),
        ("UPDATE batch SET first = 31 WHERE first = 30", "entries 30 to 30 are missing"),
        ("UPDATE stream_part SET version = 2 WHERE stream = 'session/s-a'", "session/s-a"),
        ("DELETE FROM stream_part WHERE stream = 'session/s-a'", "the index of streams"),
        ("UPDATE stream_part SET places = substr(places, 9) WHERE stream = 'session/s-a'", "the index of streams"),
        ("DELETE FROM indexed", "the index of streams"),
        ("UPDATE checkpoint SET note = replace(note, '300', '299')", "the last checkpoint"),
        ("UPDATE checkpoint SET note = 'x'", "the last checkpoint"),
    ],
)
def test_an_alteration_is_refused_and_named(closed: Desk, statement: str, named: str, rehashed_max: int) -> None:
    altered(closed, statement)
    error = refused(closed, rehashed_max=rehashed_max)
    assert error.code is Code.RECORD_DAMAGED
    assert named in str(error)


def test_an_index_that_names_another_stream_is_refused(closed: Desk) -> None:
    altered(closed, "UPDATE stream_part SET stream = 'session/s-x' WHERE stream = 'session/s-a'")
    assert "session/s-a" in str(refused(closed))
    closed.open(rehashed_max=0)
    with pytest.raises(SojournError, match="entry 1 is not version 1 of session/s-x"):
        list(closed.store.stream("session/s-x", 0))
    closed.store.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DELETE FROM sealed WHERE place = 2", "2 sealed values are there, and their places run to 3"),
        ("DELETE FROM sealed WHERE place = 3", "the index of sealed values"),
        ("DELETE FROM sealed_place WHERE place = 2", "the index of sealed values"),
        ("UPDATE indexed SET sealed = 2", "the index of sealed values"),
    ],
)
def test_a_sealed_value_that_is_missing_or_not_found_is_refused(
    desk: Desk, draft_of: MakeDraft, monkeypatch: pytest.MonkeyPatch, statement: str, named: str
) -> None:
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 1)
    matter = [Matter(f"{number:064x}", "k-1", b"sealed") for number in range(3)]
    desk.append(draft_of("a"), matter=matter, keys=[Key("k-1", "alice/statement", "evidence", b"wrapped")])
    desk.store.close()
    altered(desk, statement)
    error = refused(desk)
    assert error.code is Code.RECORD_DAMAGED
    assert named in str(error)


def test_an_index_that_names_another_sealed_value_is_found_by_whoever_reads_through_it(
    desk: Desk, draft_of: MakeDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 1)
    matter = [Matter(f"{number:064x}", "k-1", b"sealed") for number in range(2)]
    desk.append(draft_of("a"), matter=matter, keys=[Key("k-1", "alice/statement", "evidence", b"wrapped")])
    desk.store.close()
    altered(desk, "UPDATE sealed_place SET place = 3 - place")
    desk.open()
    with pytest.raises(SojournError, match="is not at place 2, as its index says"):
        desk.store.matter(matter[0].commitment)


def test_bytes_that_were_made_text_are_still_the_same_bytes(closed: Desk) -> None:
    altered(closed, "UPDATE batch SET entries = CAST(entries AS TEXT)")
    assert closed.open().size == 310
    closed.store.close()


def test_a_large_store_is_rehashed_behind_its_last_checkpoint_only(closed: Desk) -> None:
    forge(closed.root / "ledger.db", 5, gone)
    assert closed.open(rehashed_max=0).size == 310
    closed.store.close()
    assert "entry 5 " in str(refused(closed))


def test_an_entry_that_was_rewritten_with_its_leaf_contradicts_the_checkpoint(closed: Desk) -> None:
    forge(closed.root / "ledger.db", 5, gone, with_leaf=True)
    error = refused(closed)
    assert error.code is Code.RECORD_DAMAGED
    assert "first 300 entries are not those that were signed" in str(error)


def test_a_tile_that_was_altered_is_named(desk: Desk, draft_of: MakeDraft) -> None:
    for _ in range(17):
        desk.append(*[draft_of("a") for _ in range(4096)])
    desk.store.close()
    altered(desk, "UPDATE tile SET hashes = zeroblob(8192)")
    assert "tile 0 of level 1" in str(refused(desk))


def test_a_store_that_was_rolled_back_is_behind_its_anchor(closed: Desk) -> None:
    altered(closed, "DELETE FROM batch WHERE first >= 270", "DELETE FROM checkpoint")
    error = refused(closed)
    assert error.code is Code.RECORD_BEHIND
    assert "holds 270 entries" in str(error)
    assert "has seen 300" in str(error)


def test_a_store_without_its_signed_tail_is_damaged_even_without_an_anchor(closed: Desk) -> None:
    altered(closed, "DELETE FROM batch WHERE first >= 270")
    (closed.root / "checkpoint").unlink()
    error = refused(closed)
    assert error.code is Code.RECORD_DAMAGED
    assert "300 entries were signed and 270 are there" in str(error)


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
    altered(closed, "DELETE FROM checkpoint WHERE size = 310")
    closed.open()
    assert (closed.root / "checkpoint").read_text() == note


@pytest.mark.parametrize("cut", [1, 7, 24, 4000, 4120, 9000])
@pytest.mark.parametrize("instead", ["nothing", "zeros", "what lay there before"])
def test_a_torn_write_ahead_log_loses_whole_commits_from_its_end_only(
    desk: Desk, draft_of: MakeDraft, tmp_path_factory: pytest.TempPathFactory, cut: int, instead: str
) -> None:
    for number in range(30):
        desk.append(draft_of("a", number), draft_of("b", number))
    copy = tmp_path_factory.mktemp("torn")
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(desk.root / name, copy / name)
    log_file = copy / "ledger.db-wal"
    end = log_end(log_file)
    whole = log_file.read_bytes()
    if instead == "nothing":
        os.truncate(log_file, end - cut)
    else:
        old = bytes(cut) if instead == "zeros" else whole[end - cut - 3 * 4120 : end - 3 * 4120]
        log_file.write_bytes(whole[: end - cut] + old + whole[end:])
    torn_log = log_file.read_bytes()
    torn = Desk(copy)
    log = torn.open()
    # Bytes that are what they were, as the end of a page may be, are no loss.
    torn_at_all = torn_log != whole
    assert 50 <= log.size < 60 if torn_at_all else log.size == 60
    assert log.size % 2 == 0
    assert isinstance(torn.append(draft_of("a", log.size // 2), draft_of("b", log.size // 2)), Appended)
    torn.store.close()


def _start(root: Path) -> tuple[int, str]:
    scribe = ScribeProcess(root)
    scribe.start()
    return scribe.stop()


def test_the_process_refuses_to_start_on_an_altered_store_and_says_which_entry(closed: Desk) -> None:
    forge(closed.root / "ledger.db", 42, gone)
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
