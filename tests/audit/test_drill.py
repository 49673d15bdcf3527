"""`sojourn audit drill`: whatever is done to a clone of the ledger is caught, and an untouched one is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sojourn.app.drill import ATTACKS, SCRIBE, VERIFIER, VERIFIER_SINCE, forging

from .conftest import Kept

ONLY_WITH_AN_OLDER_CHECKPOINT = {"roll-back", "fork"}


def test_every_attack_is_caught_and_by_whom_is_shown(kept: Kept) -> None:
    before = kept.layout.ledger.read_bytes()
    told = kept.ask("drill")
    assert told["passed"] is True
    assert {look["by"]: look["problem"] for look in told["untouched"]} == dict.fromkeys(
        (VERIFIER, VERIFIER_SINCE, SCRIBE), ""
    )
    caught = {one["name"]: {look["by"] for look in one["looks"] if look["problem"]} for one in told["attacks"]}
    assert caught == {
        name: {VERIFIER_SINCE, SCRIBE} | (set() if name in ONLY_WITH_AN_OLDER_CHECKPOINT else {VERIFIER})
        for name in ATTACKS
    }
    assert kept.layout.ledger.read_bytes() == before


def test_clones_are_kept_where_it_is_asked_for_and_differ_from_the_ledger(kept: Kept, tmp_path: Path) -> None:
    done = kept.run("drill", "--keep", str(tmp_path / "clones"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ATTACKS)} of {len(ATTACKS)} attacks" in done.stdout
    assert {path.name for path in (tmp_path / "clones").iterdir()} == {"untouched", *ATTACKS}
    contents = {_entries(path / "ledger.db") for path in (tmp_path / "clones").iterdir()}
    assert len(contents) == len(ATTACKS), "alter and fork hold the same entries; all others differ"
    again = kept.run("drill", "--keep", str(tmp_path / "clones"))
    assert (again.returncode, again.stderr.split(":")[0]) == (2, "input.invalid")


def test_nothing_is_tried_on_a_ledger_that_is_damaged_already(kept: Kept) -> None:
    forging.flip(kept.layout.ledger, 100)
    told = kept.ask("drill")
    assert (told["passed"], told["attacks"]) == (False, [])
    assert all(look["problem"] for look in told["untouched"])
    done = kept.run("drill")
    assert done.returncode == 1
    assert "not sound as it is" in done.stdout


def _entries(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        return b"".join(row[0] for row in connection.execute("SELECT entries FROM batch ORDER BY first"))
