"""What an installation checks its store with: what it accepts, what it names, and that it changes nothing."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify
from sojourn.app.verifying import verify_file
from sojourn.ledger import merkle
from sojourn.ledger.tiles import encode_bundle
from sojourn.scribe.sqlite_store import SqliteStore


def codes(report: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in report["problems"]}


def problem(report: dict[str, Any], code: str) -> dict[str, str]:
    found: dict[str, str] = next(item for item in report["problems"] if item["code"] == code)
    return found


@pytest.fixture
def verify() -> Any:
    """Verify a store; give 0, 1, or 2 for what is no store, and what was told."""

    def run(path: Path, _: str, key_file: str, *since: Any) -> tuple[int, dict[str, Any]]:
        found = verify_file(path, keys=[Path(key_file).read_text()], since=since[1] if since else None)
        unusable = any(one["code"].startswith("input.") for one in found.problems)
        told = {"problems": list(found.problems), "checked": found.checked, "size": found.size}
        return 2 if unusable else int(not found.sound), told

    return run


def alter(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def alter_entry(path: Path, seq: int, data: bytes, leaf: bytes | None = None) -> None:
    """Put other bytes, and if given another leaf, in the place of an entry that has a row of its own."""
    alter(path, "UPDATE batch SET entries = ? WHERE first = ?", encode_bundle([data]), seq)
    if leaf is not None:
        alter(path, "UPDATE batch SET leaves = ? WHERE first = ?", leaf, seq)


@pytest.fixture
def store(ledger: Any, tmp_path: Path) -> Path:
    path: Path = ledger.write_store(tmp_path / "ledger.db", 2, 5, 7)
    return path


def test_a_store_verifies(store: Path, verify: Any, key_file: str, ledger: Any) -> None:
    status, report = verify(store, "--key", key_file)
    assert (status, report["problems"]) == (0, [])
    assert report["checked"] == {"checkpoints": 3, "entries": 7, "entries not yet signed": 0}
    assert report["size"] == 7


def test_the_store_that_the_scribe_writes_verifies(ledger: Any, tmp_path: Path, verify: Any, key_file: str) -> None:
    written = SqliteStore(tmp_path / "ledger.db")
    with written.writing():
        attachments = ledger.attachments.items()
        written.insert(ledger.rows, keys=[], matter=[], attachments=attachments, tiles=[])
        written.insert_checkpoint(0, ledger.note(0))
        written.insert_checkpoint(7, ledger.note())
    assert verify(tmp_path / "ledger.db", "--key", key_file)[0] == 0, "while the scribe has it open"
    written.close()
    assert verify(tmp_path / "ledger.db", "--key", key_file)[0] == 0


def test_entries_after_the_last_checkpoint_are_reported_as_not_yet_signed(
    ledger: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    path = ledger.write_store(tmp_path / "ledger.db", 5)
    status, report = verify(path, "--key", key_file)
    assert status == 0 and report["checked"]["entries not yet signed"] == 2 and report["size"] == 5


def test_an_altered_entry_is_named(store: Path, ledger: Any, verify: Any, key_file: str) -> None:
    alter_entry(store, 2, ledger.rows[2][5].replace(b"alice", b"carol"))
    status, report = verify(store, "--key", key_file)
    assert status == 1
    assert problem(report, "entry.altered")["where"] == "entry 2 (request.submitted, request/r-1 version 1)"
    assert codes(report) == {"entry.altered"}


def test_an_entry_altered_together_with_its_leaf_is_found_by_the_signed_roots(
    store: Path, ledger: Any, verify: Any, key_file: str
) -> None:
    data = ledger.rows[2][5].replace(b"alice", b"carol")
    alter_entry(store, 2, data, merkle.leaf_hash(data))
    status, report = verify(store, "--key", key_file)
    assert status == 1 and codes(report) == {"root.altered"}
    assert problem(report, "root.altered")["where"] == "entries 2 to 4"


def test_an_entry_that_can_no_longer_be_read_is_named_by_its_place(store: Path, verify: Any, key_file: str) -> None:
    alter_entry(store, 6, b"{}")
    status, report = verify(store, "--key", key_file)
    assert status == 1 and codes(report) == {"entry.altered"}
    assert problem(report, "entry.altered")["where"] == "entry 6"


def test_an_entry_that_says_another_place_or_version_is_found(
    store: Path, ledger: Any, verify: Any, key_file: str
) -> None:
    for said, instead, code in (
        (b'"version":2', b'"version":9', "stream.gap"),
        (b'"seq":6', b'"seq":5', "entry.misplaced"),
    ):
        data = ledger.rows[6][5].replace(said, instead)
        alter_entry(store, 6, data, merkle.leaf_hash(data))
        status, report = verify(store, "--key", key_file)
        assert status == 1 and codes(report) == {code, "root.altered"}


@pytest.mark.parametrize(
    "change", ["entries = entries || x'0000'", "entries = x''", "leaves = leaves || x'00'", "count = 2"]
)
def test_a_row_that_holds_more_or_less_than_it_says_is_found(
    change: str, store: Path, verify: Any, key_file: str
) -> None:
    alter(store, f"UPDATE batch SET {change} WHERE first = 6")
    status, report = verify(store, "--key", key_file)
    assert status == 1 and codes(report) & {"row.damaged", "bundle.form", "tile.form"}


def test_a_row_of_no_entries_is_found(store: Path, verify: Any, key_file: str) -> None:
    alter(store, "INSERT INTO batch VALUES (7, 0, x'', x'')")
    assert codes(verify(store, "--key", key_file)[1]) == {"tile.form"}


def test_a_removed_entry_is_named_in_the_middle_and_at_the_end(
    store: Path, ledger: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    alter(store, "DELETE FROM batch WHERE first = 3")
    status, report = verify(store, "--key", key_file)
    assert status == 1 and problem(report, "store.gap")["where"] == "entries 3 to 3"
    path = ledger.write_store(tmp_path / "cut.db")
    alter(path, "DELETE FROM batch WHERE first >= 5")
    status, report = verify(path, "--key", key_file)
    assert status == 1 and problem(report, "store.truncated")["where"] == "entries 5 to 6"


def test_two_entries_that_changed_places_are_found(store: Path, ledger: Any, verify: Any, key_file: str) -> None:
    for seq, row in ((0, ledger.rows[1]), (1, ledger.rows[0])):
        alter_entry(store, seq, row[5], row[4])
    status, report = verify(store, "--key", key_file)
    assert status == 1 and {"entry.misplaced", "root.altered"} <= codes(report)


def test_a_history_written_anew_contradicts_an_older_checkpoint(
    ledger: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    older = tmp_path / "older"
    older.write_text(ledger.note(3))
    path = ledger.write_store(tmp_path / "honest.db")
    assert verify(path, "--key", key_file, "--since", older)[0] == 0
    forged = type(ledger)(key=ledger.key)
    for place in range(7):
        forged.append("grant/g-1", "grant.created", {"place": place})
    path = forged.write_store(tmp_path / "forged.db")
    assert verify(path, "--key", key_file)[0] == 0, "by itself it looks whole"
    status, report = verify(path, "--key", key_file, "--since", older)
    assert status == 1 and codes(report) == {"root.altered"}
    older.write_text(ledger.note(7))
    path = forged.write_store(tmp_path / "shorter.db", 4)
    alter(path, "DELETE FROM batch WHERE first >= 4")
    assert codes(verify(path, "--key", key_file, "--since", older)[1]) == {"store.truncated"}


def test_a_checkpoint_that_was_altered_or_moved_is_found(store: Path, ledger: Any, verify: Any, key_file: str) -> None:
    alter(store, "UPDATE checkpoint SET note = ? WHERE size = 5", ledger.note(4))
    assert codes(verify(store, "--key", key_file)[1]) == {"checkpoint.misplaced"}
    alter(store, "UPDATE checkpoint SET note = replace(note, char(10, 52, 10), char(10, 53, 10)) WHERE size = 5")
    status, report = verify(store, "--key", key_file)
    assert status == 1 and problem(report, "checkpoint.signature")["where"] == "checkpoint of size 5"


def test_a_store_without_a_checkpoint_proves_nothing(store: Path, verify: Any, key_file: str) -> None:
    alter(store, "DELETE FROM checkpoint")
    status, report = verify(store, "--key", key_file)
    assert status == 1 and codes(report) == {"checkpoint.missing"}


def test_matter_beside_the_entries_has_to_be_named_by_one(store: Path, verify: Any, key_file: str) -> None:
    alter(store, "INSERT INTO sealed VALUES (?, 'k', x'00')", "ab" * 32)
    alter(store, "INSERT INTO attachment VALUES (?, x'41')", hashlib.sha256(b"A").hexdigest())
    status, report = verify(store, "--key", key_file)
    assert status == 1 and codes(report) == {"store.unbound"} and len(report["problems"]) == 2
    alter(store, "UPDATE attachment SET bytes = x'42'")
    assert "attachment.altered" in codes(verify(store, "--key", key_file)[1])


def test_a_write_ahead_log_is_read_without_a_change_to_the_folder(
    ledger: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    ledger.write_store(source / "ledger.db", 5)
    connection = sqlite3.connect(source / "ledger.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("INSERT INTO checkpoint VALUES (7, ?)", (ledger.note(),))
    connection.commit()
    # Another process has the store open; its last commit lies in the log alone.
    status, report = verify(source / "ledger.db", "--key", key_file)
    assert status == 0 and report["size"] == 7
    copied = tmp_path / "copied"
    copied.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(source / name, copied / name)
    connection.close()
    before = {path.name: path.read_bytes() for path in copied.iterdir()}
    status, report = verify(copied / "ledger.db", "--key", key_file)
    assert status == 0 and report["size"] == 7
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == before


def test_a_closed_store_in_a_folder_that_cannot_be_written_verifies(
    ledger: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    path = ledger.write_store(folder / "ledger.db")
    alter(path, "PRAGMA journal_mode = WAL")
    before = {item.name: item.read_bytes() for item in folder.iterdir()}
    folder.chmod(0o500)
    assert verify(path, "--key", key_file)[0] == 0
    folder.chmod(0o700)
    assert {item.name: item.read_bytes() for item in folder.iterdir()} == before


def test_a_store_of_another_shape_is_unreadable_not_a_crash(tmp_path: Path, verify: Any, key_file: str) -> None:
    empty = sqlite3.connect(tmp_path / "empty.db")
    empty.execute("CREATE TABLE other (a)")
    empty.close()
    assert verify(tmp_path / "empty.db", "--key", key_file)[0] == 2


def test_a_view_that_would_never_end_is_refused_before_it_is_read(tmp_path: Path, verify: Any, key_file: str) -> None:
    hostile = sqlite3.connect(tmp_path / "hostile.db")
    endless = "WITH RECURSIVE n(size, note) AS (SELECT 1, '' UNION ALL SELECT size + 1, '' FROM n) SELECT * FROM n"
    hostile.execute(f"CREATE VIEW checkpoint AS {endless}")
    hostile.close()
    assert verify(tmp_path / "hostile.db", "--key", key_file)[0] == 2


def test_a_table_whose_numbers_are_missing_is_refused(ledger: Any, tmp_path: Path, verify: Any, key_file: str) -> None:
    path = ledger.write_store(tmp_path / "ledger.db")
    alter(path, "ALTER TABLE batch RENAME TO kept")
    alter(path, "CREATE TABLE batch AS SELECT NULL AS first, count, leaves, entries FROM kept")
    assert verify(path, "--key", key_file)[0] == 2


@pytest.mark.parametrize("size", [255, 256, 257, 1000])
def test_stores_of_many_sizes_verify_at_each_checkpoint(
    size: int, ledger: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    for place in range(size - 7):
        ledger.append(f"session/s-{place % 5}", "statement.intended", {"place": place})
    path = ledger.write_store(tmp_path / "ledger.db", 1, 7, 128, 200, size - 1, size)
    status, report = verify(path, "--key", key_file)
    assert status == 0 and report["checked"]["checkpoints"] == 6 and report["checked"]["entries"] == size


def test_only_the_first_thousand_problems_are_kept_and_all_are_counted() -> None:
    report = sojourn_verify.Verification()
    for place in range(1500):
        report.need(False, "store.gap", str(place), "missing")
    assert (report.found, len(report.problems)) == (1500, 1000)


def test_a_changed_a_missing_and_a_made_up_tile_are_found(
    ledger: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    """The scribe answers proofs from these; only ledgers of 65,536 entries and more have one."""
    for place in range(65_536 - len(ledger.rows)):
        ledger.append("session/s-1", "statement.intended", {"place": place})
    path = ledger.write_store(tmp_path / "ledger.db")
    hashes = b"".join(merkle.recompute_root(ledger.leaves[at : at + 256]) for at in range(0, 65_536, 256))
    assert codes(verify(path, "--key", key_file)[1]) == {"tile.missing"}
    alter(path, "INSERT INTO tile VALUES (1, 0, ?)", hashes)
    assert verify(path, "--key", key_file)[0] == 0
    for other in (bytes([hashes[0] ^ 1]) + hashes[1:], hashes[:-1] + b"!", hashes[:-1], hashes + b"!", hashes.hex()):
        alter(path, "UPDATE tile SET hashes = ?", other)
        assert codes(verify(path, "--key", key_file)[1]) & {"tile.altered", "tile.form"}
    alter(path, "UPDATE tile SET hashes = ?", hashes)
    for level, index in ((1, 1), (2, 0), (0, 0)):
        alter(path, "INSERT INTO tile VALUES (?, ?, ?)", level, index, hashes)
        assert codes(verify(path, "--key", key_file)[1]) == {"tile.unknown"}
        alter(path, "DELETE FROM tile WHERE level = ? AND tile_index = ?", level, index)
