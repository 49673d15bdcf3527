"""`sojourn audit replay`: the read models are what the ledger says, or every row that is not is shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from .conftest import CANCELLED, Kept


def _spoil(kept: Kept, statement: str) -> None:
    with closing(sqlite3.connect(kept.layout.projections)) as connection:
        connection.execute(statement)
        connection.commit()


def _differing(told: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    return {one["table"]: one["differing"] for one in told["tables"] if one["differing"]}


def test_read_models_that_are_what_the_ledger_says_are_proved_so_while_nothing_runs(kept: Kept) -> None:
    before = {path.name: path.read_bytes() for path in kept.layout.root.iterdir() if path.is_file()}
    done = kept.run("replay")
    assert done.returncode == 0, done.stderr
    assert f"Folded {CANCELLED + 4} of {CANCELLED + 4} entries" in done.stdout
    assert "are what the ledger says" in done.stdout
    after = {path.name: path.read_bytes() for path in kept.layout.root.iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before


def test_a_row_that_was_changed_is_shown_with_both_values(kept: Kept) -> None:
    _spoil(kept, "UPDATE \"grant\" SET person = 'bob\x1b[2J'")
    done = kept.run("replay")
    assert done.returncode == 1
    assert "are NOT what the ledger says" in done.stdout
    assert "grant g-1" in done.stdout
    assert "person='alice'" in done.stdout
    assert "\x1b" not in done.stdout
    told = kept.ask("replay")
    assert (told["identical"], _differing(told)) == (False, {"grant": 1})
    (grant,) = [one for one in told["tables"] if one["table"] == "grant"]
    assert grant["rows"] == [{"key": ["g-1"], "in_use": {"person": "bob\x1b[2J"}, "folded": {"person": "alice"}}]


def test_a_row_that_was_removed_and_one_that_was_added_are_shown(kept: Kept) -> None:
    _spoil(kept, 'DELETE FROM "grant"')
    _spoil(kept, "UPDATE session SET id = 's-2'")
    told = kept.ask("replay")
    assert _differing(told) == {"grant": 1, "session": 2}
    rows = {one["table"]: one["rows"] for one in told["tables"]}
    assert rows["grant"][0]["in_use"] is None
    assert [one["key"] for one in rows["session"]] == [["s-2"], ["s-1"]]


def test_a_table_that_was_dropped_or_lost_a_column_is_a_difference(kept: Kept) -> None:
    _spoil(kept, "DROP TABLE attempt")
    _spoil(kept, "ALTER TABLE session DROP COLUMN source")
    told = kept.ask("replay")
    problems = {one["table"]: one["problem"] for one in told["tables"] if one["problem"]}
    assert problems["attempt"] == "the table is missing"
    assert "cannot be read" in problems["session"]
    assert told["identical"] is False


def test_read_models_that_are_ahead_of_the_ledger_are_a_difference(kept: Kept) -> None:
    _spoil(kept, "UPDATE cursor SET following = following + 1")
    done = kept.run("replay")
    assert done.returncode == 1
    assert "folded from 305 entries, and the ledger has 304" in done.stdout


@pytest.mark.parametrize("statement", ["UPDATE cursor SET schema = 1", "DELETE FROM cursor"])
def test_read_models_of_another_release_are_told_apart(kept: Kept, statement: str) -> None:
    _spoil(kept, statement)
    done = kept.run("replay")
    assert done.returncode == 1
    assert "empty, or of another release" in done.stdout


def test_missing_read_models_are_no_proof(kept: Kept) -> None:
    kept.layout.projections.unlink()
    assert (kept.run("replay").returncode, kept.ask("replay")["problem"]) == (1, "there are none")


def test_a_directory_without_an_installation_is_refused(kept: Kept) -> None:
    kept.layout.configuration.rmdir()
    done = kept.run("replay")
    assert (done.returncode, done.stderr.split(":")[0]) == (5, "data.directory_missing")
