"""A simulated year with something wrong of every kind: the report finds all of it, and nothing else.

A short year here; `make sample-year` is the long one.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sojourn_verify
from sojourn.app.reporting import Asked, make_report
from sojourn.app.verifying import verify_file
from sojourn.domain.window import Window
from sojourn.settings import Layout
from sojourn.testing.year import PLANTED, Plan, Story, simulate

PERIOD = Window(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2028, 1, 1, tzinfo=UTC))
PLAN = Plan(people=40, targets=5, grants=150, actions=1500)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Story]:
    """The ledger of a year, and what was planted in it."""
    root = tmp_path_factory.mktemp("year") / "d"
    return root, asyncio.run(simulate(root, PLAN))


def _report(root: Path, directory: Path, period: Window = PERIOD) -> dict[str, list[dict[str, str]]]:
    directory.mkdir()
    asked = Asked(report="access-events", period=period, run_by="test", run_at=PERIOD.end)
    built = make_report(Layout(root=root), asked, directory, lambda *_: None)
    assert built.problem == ""
    with zipfile.ZipFile(built.path) as archive:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
            for name in archive.namelist()
            if name.endswith(".csv")
        }


def test_the_report_finds_everything_that_was_planted_and_nothing_else(
    year: tuple[Path, Story], tmp_path: Path
) -> None:
    root, story = year
    sheets = _report(root, tmp_path / "r")
    found = {row["request"]: row["exceptions"].replace(" ", "") for row in sheets["population"] if row["exceptions"]}
    assert found == story.planted
    assert len(set(found.values())) >= len(PLANTED) - 2, "every kind was planted"
    assert [row for row in sheets["completeness"] if row["result"] == "fail"] == []
    assert {row["result"] for row in sheets["accuracy"]} == {"pass"}


def test_months_roll_forward_into_each_other(year: tuple[Path, Story], tmp_path: Path) -> None:
    root, _ = year
    closing = None
    for month in (6, 7, 8):
        period = Window(start=datetime(2026, month, 1, tzinfo=UTC), end=datetime(2026, month + 1, 1, tzinfo=UTC))
        (row,) = [
            one
            for one in _report(root, tmp_path / str(month), period)["completeness"]
            if one["check"] == "roll-forward"
        ]
        assert row["result"] == "pass"
        assert closing is None or row["expected"].startswith(f"{closing} open at the start")
        closing = row["found"].split()[0]


def test_a_report_of_one_target_shows_no_other_and_names_what_it_leaves_out(
    year: tuple[Path, Story], tmp_path: Path
) -> None:
    root, _ = year
    (tmp_path / "r").mkdir()
    asked = Asked(report="access-events", period=PERIOD, run_by="erin", run_at=PERIOD.end, targets=("db001",))
    built = make_report(Layout(root=root), asked, tmp_path / "r", lambda *_: None)
    key = (root / "ledger.vkey").read_text().strip()
    assert sojourn_verify.main([str(built.path), "--key", key]) == 0
    with zipfile.ZipFile(built.path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    others = [f"db{number:03d}".encode() for number in range(PLAN.targets) if number != 1]
    assert [(name, one) for name, data in files.items() for one in others if one in data] == []
    assert built.rows("Population") > 0 and not any(name.startswith("attachments/") for name in files)
    left_out = json.loads(files["details.json"])["left_out"]
    adopted = next(json.loads(data) for data in files.values() if b'"kind":"configuration.adopted"' in data)
    assert adopted["body"]["catalogue_sha256"] in {one["sha256"] for one in left_out}
    assert all(one["sha256"].encode() in files["parameters.csv"] for one in left_out)
    assert all("more than the targets" in one["why"] for one in left_out)


def test_the_ledger_of_the_year_verifies_offline(year: tuple[Path, Story]) -> None:
    root, _ = year
    key = (root / "ledger.vkey").read_text().strip()
    assert verify_file(root / "ledger.db", keys=[key]).sound
