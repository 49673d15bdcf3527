"""Two reports side by side: what differs is what differs in their rows."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sojourn.evidence.reports.build import build
from sojourn.evidence.reports.comparing import compare, read
from sojourn.evidence.reports.directory import REPORTS
from sojourn.testing.organisation import Workplace

from .accesses import Company


async def _reports(directory: Path, report: str = "access-events") -> tuple[Path, Path]:
    """A report of one proper access, and a later one with a late removal beside it."""
    at = Company(place=await Workplace.open())
    paths = []
    for name in ("first", "second"):
        await at.whole()
        (directory / name).mkdir()
        context = at.context()
        context.parameters = replace(context.parameters, report=report)
        paths.append(build(context, REPORTS[report].sheets(context), directory / name, lambda *_: None).path)
        late = await at.active()
        at.wait()
        await at.over(late, after=timedelta(hours=2))
    return paths[0], paths[1]


async def test_every_measure_of_both_is_there_with_its_difference(tmp_path: Path) -> None:
    first, second = map(read, await _reports(tmp_path))
    found = {one.measure: one for one in compare(first, second)}
    rows = found["rows of Population"]
    assert (rows.first, rows.second, rows.difference) == (1, 3, 2)
    assert (found["test H failed"].first, found["test H failed"].second) == (0, 1)
    assert (found["status: removed"].first, found["status: removed"].second) == (1, 3)
    assert found["Population: sum of actions"].difference == 2
    assert all(one.difference == 0 for one in compare(first, first))


async def test_different_reports_and_other_files_are_refused(tmp_path: Path) -> None:
    first, _ = await _reports(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = await _reports(tmp_path / "other", "review-ageing")
    with pytest.raises(ValueError, match="different reports"):
        compare(read(first), read(other))
    (tmp_path / "no.zip").write_bytes(b"PK")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    for name in ("no.zip", "empty.zip"):
        with pytest.raises(ValueError, match="is no report"):
            read(tmp_path / name)


async def test_the_command_tells_both_periods(tmp_path: Path) -> None:
    first, second = await _reports(tmp_path)
    command = [sys.executable, "-m", "sojourn", "report", "compare", str(first), str(second)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["first"]["start"].startswith("2026-01-01")
    assert {one["measure"] for one in told["compared"]} >= {"rows of Population", "test H failed"}
    text = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    assert "rows of Population" in text and "+2" in text
    wrong = subprocess.run([*command[:-1], str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert (wrong.returncode, wrong.stderr.split(":")[0]) == (2, "input.invalid")
