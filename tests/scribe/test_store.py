"""The store refuses what the ledger forbids, whoever asks; this file attacks it."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sojourn.scribe.protocol import Draft

from .conftest import Desk


@pytest.fixture
def filled(desk: Desk, draft_of: Callable[..., Draft]) -> Desk:
    """A store with a row in each table."""
    desk.append(draft_of("a"), draft_of("b"), draft_of("a"), attachments=[b"matter"])
    desk.store.insert([], keys=[], matter=[], attachments=[], tiles=[(1, 0, bytes(8192))])
    desk.log.sign()
    return desk


def attack(desk: Desk, statement: str) -> None:
    with sqlite3.connect(desk.root / "ledger.db") as connection:
        connection.execute(statement)
    connection.close()


def rows(desk: Desk) -> list[list[tuple[object, ...]]]:
    tables = ("entry", "tile", "checkpoint", "attachment")
    with sqlite3.connect(desk.root / "ledger.db") as connection:
        found = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    connection.close()
    return found


@pytest.mark.parametrize("table", ["entry", "tile", "checkpoint", "attachment"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET rowid = rowid + 10", "DELETE FROM {}"])
def test_no_row_of_the_record_is_changed_or_deleted(filled: Desk, table: str, verb: str) -> None:
    before = rows(filled)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        attack(filled, verb.format(table))
    assert rows(filled) == before
    assert all(before)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO entry SELECT seq, stream, version, 'forged', leaf, bytes FROM entry WHERE seq = 1",
        "INSERT OR REPLACE INTO entry SELECT 3, stream, version, 'forged', leaf, bytes FROM entry WHERE seq = 1",
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
        assert "next place" in str(error)
    assert rows(filled) == before


@pytest.mark.parametrize(
    ("seq", "stream", "version"),
    [
        (4, "session/s-a", 3),
        (-1, "session/s-a", 3),
        (3, "session/s-a", 4),
        (3, "session/s-a", 2),
        (3, "session/s-c", 2),
    ],
)
def test_an_entry_cannot_leave_a_gap(filled: Desk, seq: int, stream: str, version: int) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="next place and the next version"):
        attack(filled, f"INSERT INTO entry VALUES ({seq}, '{stream}', {version}, 'a.b', zeroblob(32), zeroblob(9))")


@pytest.mark.parametrize(
    ("leaf", "size", "rule"), [(31, 9, "a_leaf_is_a_sha256"), (32, 65_536, "an_entry_fits_a_bundle")]
)
def test_a_broken_constraint_names_its_rule(filled: Desk, leaf: int, size: int, rule: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=rule):
        attack(filled, f"INSERT INTO entry VALUES (3, 'b', 1, 'a.b', zeroblob({leaf}), zeroblob({size}))")


def test_a_commit_is_on_the_disk_when_it_returns(filled: Desk) -> None:
    connection = filled.store._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_store_is_readable_by_its_owner_only(filled: Desk) -> None:
    for path in filled.root.glob("ledger.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_looking_for_a_rare_stream_does_not_sort_the_ledger(filled: Desk) -> None:
    plans: list[str] = []
    filled.store._connection.set_trace_callback(plans.append)
    assert [seq for seq, _ in filled.store.matching(0, 3, ["session/s-b"])] == [1]
    filled.store._connection.set_trace_callback(None)
    plan = filled.store._connection.execute(f"EXPLAIN QUERY PLAN {plans[-1]}").fetchall()
    assert "PRIMARY KEY" in str(plan)
    assert "TEMP B-TREE" not in str(plan)


def test_files_of_the_store_lie_where_they_are_said_to(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.open()
    assert desk.store.directory == str(tmp_path)
    desk.store.close()
