"""An auditor of another house on a running installation: let in by two, for one target, until their mandate ends."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn.app.offline import invite_as_operator
from sojourn.demo.installation import PEOPLE_FILE, TARGETS_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running

PEOPLE = PEOPLE_FILE.replace("bob: { name: Bob Brook }", "bob: { name: Bob Brook, administrator: true }")
OTHER = TARGETS_FILE.partition("targets:\n")[2].replace("  shop:\n", "  bank:\n", 1)
PERIOD = {"start": "2020-01-01", "end": "2100-01-01"}
SECONDS = 120.0


def _change(sojourn: Running, until: datetime) -> Any:
    """Let erin in, by carol's proposal and bob's approval."""
    mandate = f"mandate: {{ until: {until.isoformat()}, targets: [shop] }}"
    files = {path.name: path.read_text() for path in sojourn.installation.layout.configuration.glob("*.yaml")}
    files["people.yaml"] = PEOPLE.replace("teams:\n", f"  erin: {{ name: Erin, {mandate} }}\nteams:\n", 1)
    proposed = sojourn.post("/configuration/changes", {"files": files, "reason": "audit"}, person="carol")
    assert "change" in proposed, proposed
    place = f"/configuration/changes/{proposed['change']}/approve"
    approved = sojourn.post(place, {"digest": proposed["digest"]}, person="bob")
    assert "error" not in approved, approved
    return approved


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation with two targets, an access to one of them, and erin, who audits that one from outside."""
    with running(
        tmp_path_factory.mktemp("outside") / "one", production, people=PEOPLE, targets=TARGETS_FILE + OTHER
    ) as one:
        one.granted()
        yield one


def _signed_in(sojourn: Running) -> None:
    code = invite_as_operator(sojourn.installation.layout, "erin")["code"]
    sojourn.send("POST", "/enrol", {"person": "erin", "code": code, "password": PASSWORD}).raise_for_status()
    signed = sojourn.send("POST", "/sign-in", {"person": "erin", "password": PASSWORD}).raise_for_status()
    sojourn.tokens["erin"] = signed.json()["token"]  # type: ignore[index]


def _report(sojourn: Running) -> Any:
    asked = {"report": "access-events", **PERIOD, "sample": 5, "seed": "1"}
    run = sojourn.post("/reports", asked, person="erin")
    until = time.monotonic() + SECONDS
    while run.get("state") in ("waiting", "running"):
        assert time.monotonic() < until, run
        time.sleep(0.2)
        run = sojourn.get(f"/report-runs/{run['run']}", person="erin")
    return run


def test_a_mandate_covers_reports_samples_and_packs_of_its_target_and_ends_by_itself(
    sojourn: Running, tmp_path: Path
) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=60)
    _change(sojourn, ends)
    _signed_in(sojourn)
    run = _report(sojourn)
    assert run.get("state") == "done", run
    sample = sojourn.get(f"/samples/{run['sample']}", person="erin")
    assert len(sample["requests"]) == 1
    packs = sojourn.send("GET", f"/samples/{run['sample']}/packs", person="erin")
    assert packs.status_code == 200
    _names_no_other_target(packs.content, tmp_path)
    (grant,) = sojourn.get("/grants", person="carol")["grants"]
    alone = sojourn.send("GET", f"/grants/{grant['grant']}/evidence", person="erin")
    assert alone.status_code == 200 and _members(alone.content) == _members(_only(packs.content))
    inside = _members(sojourn.send("GET", f"/grants/{grant['grant']}/evidence", person="dora").content)
    assert any(b"bank" in data for data in inside.values()), "the auditors of the house are given all of it"
    for path in ("/grants", "/requests", "/sessions"):
        assert next(iter(sojourn.get(path, person="erin").values())) == []
    denied = sojourn.post("/reports", {"report": "administrators", **PERIOD}, person="erin")
    assert denied["error"]["code"] == "permission.denied" and "access-events" in denied["error"]["details"]["who"]
    assert sojourn.get("/attempts", person="erin")["error"]["code"] == "permission.denied"
    assert sojourn.get("/delivered-reports", person="erin")["error"]["code"] == "permission.denied"
    while datetime.now(UTC) <= ends:
        time.sleep(0.2)
    over = sojourn.post("/reports", {"report": "access-events", **PERIOD}, person="erin")
    assert over["error"]["code"] == "permission.denied"
    assert sojourn.send("GET", f"/grants/{grant['grant']}/evidence", person="erin").status_code == 404


def _members(content: bytes) -> dict[str, bytes]:
    """The files of a ZIP; what says when or over how much it was made is left out."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name: archive.read(name) for name in archive.namelist() if name.startswith(("entries/", "attachments/"))
        }


def _only(packs: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packs)) as archive:
        (name,) = archive.namelist()
        return archive.read(name)


def _names_no_other_target(packs: bytes, directory: Path) -> None:
    """Nor does any form of the pack, all of which the verifier takes."""
    path = directory / "one.zip"
    path.write_bytes(_only(packs))
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(io.BytesIO(files["pack.xlsx"])) as book:
        files |= {f"pack.xlsx/{name}": book.read(name) for name in book.namelist()}
    assert [name for name, data in files.items() if b"bank" in data] == []
    assert not any(name.startswith("attachments/") for name in files)


def test_one_person_cannot_let_somebody_in(sojourn: Running) -> None:
    files = {path.name: path.read_text() for path in sojourn.installation.layout.configuration.glob("*.yaml")}
    mandate = "mandate: { until: 2100-01-01T00:00:00Z }"
    files["people.yaml"] = PEOPLE.replace("teams:\n", f"  frank: {{ name: F, {mandate} }}\nteams:\n", 1)
    proposed = sojourn.post("/configuration/changes", {"files": files, "reason": "x"}, person="carol")
    place = f"/configuration/changes/{proposed['change']}/approve"
    refused = sojourn.post(place, {"digest": proposed["digest"]}, person="carol")
    assert refused["error"]["code"] == "change.self"
