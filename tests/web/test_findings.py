"""Who came around Sojourn is found at a real PostgreSQL, and stays an exception until it is disposed of."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sojourn.testing.browser import signed_in
from sojourn.testing.installation import PASSWORD, Running

pytestmark = pytest.mark.integration

SAID = {"disposition": "deficiency", "owner": "bob", "ticket": "PRB-7", "remark": "the owner of the host made it"}


@dataclass(frozen=True)
class Ghost:
    """A login that nobody asked for, found and gone again."""

    login: str
    findings: list[dict[str, Any]]


def listed(sojourn: Running, login: str, *, everything: bool = False) -> list[dict[str, Any]]:
    found, before = [], ""
    while True:
        more = "&all=yes" if everything else ""
        answered = sojourn.get(f"/findings?target=shop{more}{before}", person="dora")
        found += [one for one in answered["findings"] if one["subject"] == login]
        if not answered["more"]:
            return found
        before = f"&before={answered['next']}"


@pytest.fixture(scope="module")
def ghost(sojourn: Running) -> Iterator[Ghost]:
    """Found by whichever look comes first, that of the installation or ours."""
    login = "sojourn_wraith"
    done = sojourn.installation.sojourn("login", "dora", "--url", sojourn.installation.address, stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    with sojourn.production.superuser() as owner:
        owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'x'".encode())
        owner.execute(f"COMMENT ON ROLE {login} IS 'Sojourn access {login}'".encode())
        try:
            deadline = time.monotonic() + 40
            while not listed(sojourn, login):
                assert time.monotonic() < deadline, "nobody saw it"
                sojourn.post("/targets/shop/reconcile", person="dora")
        finally:
            owner.execute(f"DROP ROLE {login}".encode())
    yield Ghost(login=login, findings=listed(sojourn, login))


def report(sojourn: Running, path: Path, *more: str) -> dict[str, list[dict[str, str]]]:
    data, period = str(sojourn.installation.layout.root), ("--from", "2026-01-01", "--until", "2100-01-01")
    arguments = ("report", "make", "access-events", *period, "--out", str(path), "--data", data, *more)
    sojourn.get("/ledger", person="dora")
    made = sojourn.installation.sojourn(*arguments)
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(path) as archive:
        return {
            name: list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode(), newline="")))
            for name in ("unmatched", "exceptions", "completeness", "parameters")
        }


def about(sheets: dict[str, list[dict[str, str]]], finding: str) -> dict[str, str]:
    (row,) = [one for one in sheets["exceptions"] if one["exception"] == finding]
    return row


def test_a_finding_is_disposed_of_with_owner_and_follow_up_and_reports_as_of_then_still_say_open(
    sojourn: Running, ghost: Ghost, tmp_path: Path
) -> None:
    assert [one["kind"] for one in ghost.findings] == ["login_unrecorded"], "however many looks told of it"
    (finding,) = (one["finding"] for one in ghost.findings)
    open_then = report(sojourn, tmp_path / "a.zip")
    assert about(open_then, finding)["open"] == "yes"
    assert finding in [one["finding"] for one in open_then["unmatched"]]
    as_of = next(one["value"] for one in open_then["parameters"] if one["parameter"] == "as of")
    said = [f"--{name}={value}" for name, value in SAID.items()]
    done = sojourn.installation.sojourn("exception", "dispose", finding, *said, person="dora")
    assert done.returncode == 0 and f"{finding}: deficiency, owner bob." in done.stdout, done.stderr
    assert listed(sojourn, ghost.login) == []
    (shown,) = listed(sojourn, ghost.login, everything=True)
    assert {name: shown[name] for name in SAID} == SAID and shown["disposed_by"] == "dora"
    row = about(report(sojourn, tmp_path / "b.zip"), finding)
    assert [row[name] for name in ("open", "disposition", "owner", "ticket")] == ["no", "deficiency", "bob", "PRB-7"]
    assert about(report(sojourn, tmp_path / "c.zip", "--as-of", as_of), finding)["open"] == "yes"


def test_findings_are_listed_for_those_who_oversee_and_nobody_else_disposes_of_them(
    sojourn: Running, ghost: Ghost
) -> None:
    (finding,) = (one["finding"] for one in ghost.findings)
    for person in ("alice", "bob"):
        assert sojourn.get("/findings", person=person)["error"]["code"] == "permission.denied"
        answered = sojourn.post(f"/findings/{finding}/disposition", SAID, person=person)
        assert answered["error"]["code"] == "permission.denied"
    for wrong, code in (
        ({"remark": ""}, "input.invalid"),
        ({"disposition": "forgotten"}, "input.invalid"),
        ({"owner": "mallory"}, "person.unknown"),
    ):
        answered = sojourn.post(f"/findings/{finding}/disposition", SAID | wrong, person="carol")
        assert answered["error"]["code"] == code
    assert sojourn.post("/findings/f-x/disposition", SAID, person="carol")["error"]["code"] == "finding.unknown"
    told = sojourn.installation.sojourn("exception", "list", "--all", "--json", person="dora")
    assert finding in [one["finding"] for one in json.loads(told.stdout)["findings"]]


def test_the_page_of_exceptions_shows_findings_and_takes_what_becomes_of_them(sojourn: Running, ghost: Ghost) -> None:
    (finding,) = (one["finding"] for one in ghost.findings)
    carol = signed_in(sojourn, "carol")
    shown = carol.get("/exceptions?view=all").text
    assert finding in shown and ghost.login in shown
    sent = carol.post(f"/findings/{finding}/disposition", {**SAID, "remark": "looked at again", "ticket": ""})
    assert (sent.status_code, sent.headers["location"]) == (303, "/exceptions"), sent.text
    assert "looked at again" in carol.get("/exceptions?view=all").text
    request = sojourn.requested()["request"]
    assert f'action="/requests/{request}/disposition"' in carol.get(f"/requests/{request}").text
    tests = {"tests": "H", "disposition": "accepted", "owner": "bob", "ticket": "", "remark": "known"}
    assert carol.post(f"/requests/{request}/disposition", tests).status_code == 303
