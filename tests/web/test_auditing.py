"""Evidence through the API: who is given it is on record first, and an exception is disposed of by somebody apart."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sojourn.testing.installation import PASSWORD, Running

DISPOSAL = {"tests": ["H"], "disposition": "corrected", "owner": "bob", "ticket": "PRB-9", "remark": "it was restarted"}


@pytest.fixture(scope="module", autouse=True)
def _signed_in(sojourn: Running) -> None:
    """The auditor works with the command line, too."""
    address = sojourn.installation.address
    done = sojourn.installation.sojourn("login", "dora", "--url", address, stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr


def _entries(sojourn: Running, kind: str) -> list[dict[str, Any]]:
    arguments = ("audit", "search", "--kind", kind, "--data", str(sojourn.installation.layout.root), "--json")
    done = sojourn.installation.sojourn(*arguments)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_whoever_is_given_a_pack_is_on_record_and_in_the_report_of_looks(sojourn: Running, tmp_path: Path) -> None:
    granted = sojourn.granted()
    pack = tmp_path / "pack.zip"
    done = sojourn.installation.sojourn("evidence", granted["grant"], "--out", str(pack), person="dora")
    assert done.returncode == 0, done.stderr
    given = [one["body"] for one in _entries(sojourn, "evidence.given") if granted["grant"] in one["body"]["subject"]]
    content = pack.read_bytes()
    (only,) = given
    assert (only["person"], only["form"], only["bytes"]) == ("dora", "pack", len(content))
    assert only["sha256"] == hashlib.sha256(content).hexdigest()
    sojourn.get("/ledger", person="dora")
    out, data = tmp_path / "looks.zip", str(sojourn.installation.layout.root)
    period = ("--from", "2026-01-01", "--until", "2100-01-01")
    made = sojourn.installation.sojourn("report", "make", "evidence-access", *period, "--out", str(out), "--data", data)
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(out) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("looks.csv").decode(), newline="")))
    assert only["sha256"] in [row["sha256"] for row in rows]


def test_who_may_not_read_a_pack_is_given_none_and_that_is_on_record_too(sojourn: Running) -> None:
    granted = sojourn.granted()
    before = len(_entries(sojourn, "evidence.given"))
    refused = sojourn.get(f"/grants/{granted['grant']}/evidence", person="carol")
    assert refused["error"]["code"] == "permission.denied"
    assert len(_entries(sojourn, "evidence.given")) == before


def test_an_exception_is_disposed_of_by_somebody_who_had_no_part_in_it(sojourn: Running) -> None:
    request = sojourn.granted()["request"]
    place = f"/requests/{request}/disposition"
    for person in ("alice", "bob"):
        assert sojourn.post(place, DISPOSAL, person=person)["error"]["code"] == "permission.denied"
    told = sojourn.post(place, DISPOSAL, person="dora")
    assert (told["tests"], told["disposition"], told["owner"], told["person"]) == (["H"], "corrected", "bob", "dora")
    arguments = ("--tests", "b,c", "--disposition", "accepted", "--owner", "carol", "--remark", "known")
    done = sojourn.installation.sojourn("exception", "dispose", request, *arguments, person="dora")
    assert done.returncode == 0 and "B C: accepted, owner carol" in done.stdout, done.stderr


def test_a_disposition_that_says_too_little_is_refused(sojourn: Running) -> None:
    place = f"/requests/{sojourn.requested()['request']}/disposition"
    for wrong, code in (
        ({"tests": []}, "input.invalid"),
        ({"tests": ["Z"]}, "input.invalid"),
        ({"remark": "  "}, "input.invalid"),
        ({"disposition": "forgotten"}, "input.invalid"),
        ({"owner": "mallory"}, "person.unknown"),
    ):
        assert sojourn.post(place, DISPOSAL | wrong, person="dora")["error"]["code"] == code
    assert (
        sojourn.post("/requests/r-unknown/disposition", DISPOSAL, person="dora")["error"]["code"] == "request.unknown"
    )


def test_an_auditor_fetches_a_report_and_the_record_vouches_for_it(sojourn: Running, tmp_path: Path) -> None:
    granted = sojourn.granted()
    out = tmp_path / "events.zip"
    period = ("--from", "2026-01-01", "--until", "2100-01-01", "--sample", "1", "--seed", "x")
    arguments = ("report", "fetch", "access-events", *period, "--out", str(out), "--json")
    done = sojourn.installation.sojourn(*arguments, person="dora")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    with zipfile.ZipFile(out) as archive:
        manifest, details = archive.read("manifest.json"), archive.read("details.json")
        rows = list(csv.DictReader(io.StringIO(archive.read("population.csv").decode(), newline="")))
    assert granted["grant"] in [row["grant"] for row in rows] and told["rows"]["Population"] == len(rows)
    assert json.loads(details)["parameters"]["run_by"] == "dora"
    given = [one["body"] for one in _entries(sojourn, "evidence.given") if one["body"]["form"] == "report"]
    assert given[-1]["sha256"] == hashlib.sha256(manifest).hexdigest() == told["manifest_sha256"]


def test_reports_are_for_auditors_and_nobody_else(sojourn: Running) -> None:
    wish = {"report": "access-events", "start": "2026-01-01", "end": "2026-02-01"}
    for person in ("alice", "carol"):
        assert sojourn.post("/reports", wish, person=person)["error"]["code"] == "permission.denied"
        assert sojourn.get("/reports", person=person)["error"]["code"] == "permission.denied"
    for wrong in ({"report": "x"}, {"end": "2025-01-01"}, {"start": "soon"}, {"sample": -1}, {"as_of": "x"}):
        assert sojourn.post("/reports", wish | wrong, person="dora")["error"]["code"] == "input.invalid"
    unknown = sojourn.get("/report-runs/run-x/file", person="dora")
    assert unknown["error"]["code"] == "report.unknown"
