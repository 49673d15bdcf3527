"""The store refuses what the ledger forbids, whoever asks; this file attacks it."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.scribe import sqlite_store
from sojourn.scribe.protocol import Draft
from sojourn.scribe.sqlite_room import STEP
from sojourn.scribe.sqlite_schema import SCHEMA
from sojourn.scribe.sqlite_store import SqliteStore

from .conftest import Desk

TABLES = {
    "batch": "first",
    "stream_part": "version",
    "indexed": "size",
    "tile": "level",
    "checkpoint": "size",
    "attachment": "sha256",
}
"""The tables that only grow, and a column of each."""


@pytest.fixture
def filled(desk: Desk, draft_of: Callable[..., Draft], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A store with a row in each table."""
    desk.append(draft_of("a"), draft_of("b"), draft_of("a"), attachments=[b"matter"])
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 1)
    with desk.store.writing():
        desk.store.insert([], keys=[], matter=[], attachments=[], tiles=[(1, 0, bytes(8192))])
    desk.log.sign()
    return desk


def attack(desk: Desk, statement: str) -> None:
    with sqlite3.connect(desk.root / "ledger.db") as connection:
        connection.execute(statement)
    connection.close()


def rows(desk: Desk) -> list[list[tuple[object, ...]]]:
    with sqlite3.connect(desk.root / "ledger.db") as connection:
        found = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]
    connection.close()
    return found


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_no_row_of_the_record_is_changed_or_deleted(filled: Desk, table: str, verb: str) -> None:
    before = rows(filled)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        attack(filled, verb.format(table, TABLES[table]))
    assert rows(filled) == before
    assert all(before)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO batch SELECT first, count, zeroblob(32 * count), entries FROM batch",
        "INSERT OR REPLACE INTO batch SELECT 1, 1, zeroblob(32), zeroblob(9)",
        "INSERT OR REPLACE INTO stream_part SELECT stream, version, zeroblob(8) FROM stream_part",
        "INSERT OR REPLACE INTO indexed SELECT size, sealed FROM indexed",
        "INSERT OR REPLACE INTO tile VALUES (1, 0, zeroblob(8192))",
        "INSERT OR REPLACE INTO checkpoint SELECT size, 'forged' FROM checkpoint",
        "INSERT OR REPLACE INTO attachment SELECT sha256, x'00' FROM attachment",
    ],
)
def test_no_row_of_the_record_is_replaced(filled: Desk, statement: str) -> None:
    before = rows(filled)
    try:
        attack(filled, statement)
    except sqlite3.IntegrityError as error:
        assert "next" in str(error) or "only grows" in str(error)
    assert rows(filled) == before


@pytest.mark.parametrize("first", [4, 2, 0, -1])
def test_entries_cannot_leave_a_gap(filled: Desk, first: int) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="entries take the next place"):
        attack(filled, f"INSERT INTO batch VALUES ({first}, 1, zeroblob(32), zeroblob(9))")


@pytest.mark.parametrize("place", ["0", "2", "-1", "NULL"])
def test_sealed_values_cannot_leave_a_gap(filled: Desk, place: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="sealed values take the next place"):
        attack(filled, f"INSERT INTO sealed VALUES ({place}, '{64 * 'a'}', 'k-1', x'00')")


@pytest.mark.parametrize(("stream", "version"), [("session/s-a", 4), ("session/s-a", 2), ("session/s-c", 2)])
def test_the_index_of_streams_cannot_leave_a_gap(filled: Desk, stream: str, version: int) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="takes its next version"):
        attack(filled, f"INSERT INTO stream_part VALUES ('{stream}', {version}, zeroblob(8))")


@pytest.mark.parametrize(
    ("count", "leaves", "size", "rule"),
    [
        (1, 31, 9, "a_leaf_is_a_sha256"),
        (1, 32, 65_538, "an_entry_fits_a_bundle"),
        (2, 64, 7, "an_entry_fits_a_bundle"),
        (257, 257 * 32, 5000, "a_row_holds_a_bundle"),
        (0, 0, 0, "a_row_holds_a_bundle"),
    ],
)
def test_a_broken_constraint_names_its_rule(filled: Desk, count: int, leaves: int, size: int, rule: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=rule):
        attack(filled, f"INSERT INTO batch VALUES (3, {count}, zeroblob({leaves}), zeroblob({size}))")


@pytest.mark.parametrize("name", sorted(SCHEMA))
def test_a_store_without_one_of_its_triggers_or_tables_is_refused_and_it_is_not_made_again(
    filled: Desk, name: str
) -> None:
    filled.store.close()
    attack(filled, f"DROP {SCHEMA[name].split()[1]} {name}")
    for _ in range(2):
        with pytest.raises(SojournError, match=name) as error:
            SqliteStore(filled.root / "ledger.db")
        assert error.value.code is Code.RECORD_DAMAGED


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW more AS SELECT 1",
        "CREATE TRIGGER more AFTER INSERT ON batch BEGIN DELETE FROM sealed; END",
        "CREATE INDEX more ON sealed (key_id)",
    ],
)
def test_a_store_with_more_in_it_than_a_ledger_is_refused(filled: Desk, statement: str) -> None:
    filled.store.close()
    attack(filled, statement)
    with pytest.raises(SojournError, match="more"):
        SqliteStore(filled.root / "ledger.db")


def test_a_trigger_that_was_replaced_by_a_weaker_one_is_refused(filled: Desk) -> None:
    filled.store.close()
    attack(filled, "DROP TRIGGER batch_refuses_delete")
    attack(filled, "CREATE TRIGGER batch_refuses_delete BEFORE DELETE ON batch WHEN 0 BEGIN SELECT 1; END")
    with pytest.raises(SojournError, match="batch_refuses_delete"):
        SqliteStore(filled.root / "ledger.db")


def test_a_commit_is_on_the_disk_when_it_returns(filled: Desk) -> None:
    connection = filled.store._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_store_is_readable_by_its_owner_only(filled: Desk) -> None:
    for path in filled.root.glob("ledger.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_files_of_the_store_lie_where_they_are_said_to(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.open()
    assert desk.store.directory == str(tmp_path)
    desk.store.close()


@pytest.mark.parametrize(
    ("matter", "around"), [([], set()), ([b"more"], {"BEGIN", "COMMIT"})], ids=["one-row", "two-rows"]
)
def test_one_row_is_a_transaction_by_itself_and_more_have_one_around_them(
    desk: Desk, draft_of: Callable[..., Draft], matter: list[bytes], around: set[str]
) -> None:
    said: list[str] = []
    desk.store._connection.set_trace_callback(said.append)
    desk.append(draft_of("a"), attachments=matter)
    assert {one.split()[0] for one in said} - {"SELECT"} == {"INSERT"} | around
    assert not desk.store._connection.in_transaction
    assert desk.store.version("session/s-a") == 1


def test_the_write_ahead_log_has_room_before_it_is_needed_and_again_after_it_was_cut(
    desk: Desk, draft_of: Callable[..., Draft]
) -> None:
    log = desk.root / "ledger.db-wal"
    desk.store.fold()
    assert log.stat().st_size == STEP
    # A body of 60,000 bytes takes 16 pages: 20 of them are more than a mebibyte of log.
    for _ in range(20):
        desk.append(draft_of("a", source="x" * 60_000))
        desk.store.fold()
    grown = log.stat().st_size
    assert grown > STEP
    assert grown % STEP == 0
    assert desk.store.forget_old_pages()
    assert log.stat().st_size == 0
    desk.store.fold()
    assert log.stat().st_size == STEP


def test_a_log_that_was_folded_is_written_from_its_start_and_grows_no_longer(
    desk: Desk, draft_of: Callable[..., Draft], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "FOLDED_EVERY", 1 << 18)
    for _ in range(60):
        desk.append(draft_of("a", source="x" * 60_000))
        desk.store.fold()
    assert (desk.root / "ledger.db-wal").stat().st_size == STEP
    assert desk.store.version("session/s-a") == 60
