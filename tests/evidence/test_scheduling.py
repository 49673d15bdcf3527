"""Reports by schedule on a running installation: made, kept, taken to a folder, and an alarm when that fails."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify
from sojourn.demo.installation import SETTINGS_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running

SECONDS = 180.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reports go."""
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production, folder: Path) -> Iterator[Running]:
    """An installation with a schedule that works and one whose folder is not there."""
    schedules = (
        "reports:\n"
        "  schedules:\n"
        f"    monthly: {{ report: access-events, every: month, sample: 5, seed: s, folder: '{folder}' }}\n"
        f"    nowhere: {{ report: ledger-integrity, every: quarter, folder: '{folder}/missing', overdue: 1s }}\n"
    )
    with running(tmp_path_factory.mktemp("schedules") / "one", production, settings=SETTINGS_FILE + schedules) as one:
        done = one.installation.sojourn("login", "dora", "--url", one.installation.address, stdin=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        yield one


def _entries(sojourn: Running, kind: str) -> list[dict[str, Any]]:
    """Entries of the stream of schedules, once there is one of that kind."""
    until = time.monotonic() + SECONDS
    root = str(sojourn.installation.layout.root)
    while time.monotonic() < until:
        done = sojourn.installation.sojourn("audit", "show", "schedules", "--json", "--data", root)
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        wanted = [one for one in found if one["kind"] == kind]
        if wanted:
            return wanted
        time.sleep(0.5)
    raise AssertionError(f"no {kind} within {SECONDS:g} s")


def test_the_report_of_the_last_month_is_delivered_verifies_and_is_there_to_be_taken(
    sojourn: Running, folder: Path, tmp_path: Path
) -> None:
    (told,) = [one["body"] for one in _entries(sojourn, "report.delivered") if one["body"]["schedule"] == "monthly"]
    (path,) = folder.glob("monthly-*.zip")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    assert told["places"] == ["sojourn report delivered", f"folder {folder}"] and told["problem"] == ""
    assert path.stat().st_mode & 0o777 == 0o600
    key = (sojourn.installation.layout.root / "ledger.vkey").read_text().strip()
    assert sojourn_verify.__file__ is not None
    command = [sys.executable, sojourn_verify.__file__, str(path), "--key", key]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    out = tmp_path / "taken.zip"
    done = sojourn.installation.sojourn("report", "delivered", path.name, "--out", str(out), person="dora")
    assert (done.returncode, out.read_bytes()) == (0, path.read_bytes()), done.stderr
    with zipfile.ZipFile(out) as archive:
        period = json.loads(archive.read("details.json"))["parameters"]["period"]
    assert path.name == f"monthly-{period['start'][:10]}-{period['end'][:10]}.zip"


def test_a_delivery_that_cannot_be_made_is_an_alarm_on_record_once(sojourn: Running) -> None:
    overdue = [one["body"] for one in _entries(sojourn, "report.delivery_overdue")]
    assert [one["schedule"] for one in overdue] == ["nowhere"]
    assert "is no folder" in overdue[0]["problem"]


@pytest.mark.parametrize("person", ["alice", "carol"])
def test_only_auditors_take_delivered_reports(sojourn: Running, person: str) -> None:
    assert sojourn.get("/delivered-reports", person=person)["error"]["code"] == "permission.denied"
    assert sojourn.get("/delivered-reports/ledger.db", person="dora")["error"]["code"] == "report.unknown"
