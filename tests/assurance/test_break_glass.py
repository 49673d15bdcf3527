"""Break-glass in a running installation: nobody decides beforehand, and everybody concerned knows at once."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import sojourn_verify
from sojourn.testing.installation import PASSWORD, Running

# One after the other, in one installation: each goes on from what the ones before have left.

GLASS = {"target": "shop", "role": "fix-status", "duration": "5m", "reason": "orders are stuck"}


def _take(sojourn: Running, **changes: Any) -> Any:
    return sojourn.post("/break-glass", {**GLASS, "password": PASSWORD, **changes}, person="alice")


def test_the_command_asks_for_the_password_again_and_the_access_is_there(sojourn: Running) -> None:
    arguments = ("break-glass", "shop", "fix-status", "--for", "5m", "--reason", "nobody answers")
    done = sojourn.installation.sojourn(*arguments, "--json", person="alice", stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    grant = json.loads(done.stdout)
    assert (grant["status"], grant["break_glass"], grant["person"]) == ("active", True, "alice")
    assert grant["privileges"]
    told = sojourn.installation.sojourn("requests", "--waiting", person="bob")
    assert grant["grant"] in told.stdout and "break-glass" in told.stdout
    assert "break-glass" in sojourn.installation.sojourn("grants", person="carol").stdout


def test_a_wrong_password_takes_nothing_and_is_on_record(sojourn: Running) -> None:
    before = len(sojourn.get("/grants", person="alice")["grants"])
    answered = _take(sojourn, password="not hers at all")
    assert answered["error"]["code"] == "credentials.invalid"
    assert len(sojourn.get("/grants", person="alice")["grants"]) == before
    (last, *_) = sojourn.get("/attempts?actor=alice", person="dora")["attempts"]
    assert (last["verb"], last["code"]) == ("sign_in", "credentials.invalid")


def test_those_who_are_told_see_the_access_and_others_do_not(sojourn: Running) -> None:
    grant = _take(sojourn)
    assert grant["status"] == "active", grant
    for person in ("bob", "carol"):
        waiting = sojourn.get("/requests?waiting=1", person=person)
        assert grant["grant"] in [one["grant"] for one in waiting["told"]]
        assert sojourn.get(f"/requests/{grant['request']}", person=person)["reason"] == "orders are stuck"
    assert sojourn.get("/requests?waiting=1", person="alice")["told"] == []
    assert sojourn.get("/requests", person="bob")["told"] == []


def test_it_is_taken_only_with_a_reason_for_a_short_time_where_a_rule_says_so_and_only_so_often(
    sojourn: Running,
) -> None:
    assert _take(sojourn, reason=" ")["error"]["code"] == "request.reason_missing"
    assert _take(sojourn, duration="2h")["error"]["code"] == "request.duration_too_long"
    assert "error" in _take(sojourn, role="read")
    carol = sojourn.send("POST", "/break-glass", {**GLASS, "password": PASSWORD}, person="carol")
    assert carol.status_code == 403
    assert [_take(sojourn)["status"] for _ in range(2)] == ["active", "active"]
    spent = _take(sojourn)
    assert spent["error"]["code"] == "break_glass.spent"


def test_its_evidence_says_that_nobody_decided_beforehand_and_verifies(sojourn: Running, tmp_path: Path) -> None:
    grants = sojourn.get("/grants?mine=1", person="alice")["grants"]
    taken = next(one for one in grants if one["break_glass"])
    answered = sojourn.send("GET", f"/grants/{taken['grant']}/evidence", person="dora")
    assert answered.status_code == 200, answered.text
    with ZipFile(BytesIO(answered.content)) as pack:
        entries = b"\n".join(pack.read(name) for name in pack.namelist())
    assert b"break_glass" in entries
    path = tmp_path / "pack.zip"
    path.write_bytes(answered.content)
    key = sojourn.get("/ledger", person="dora")["verifier_key"]
    assert sojourn_verify.main([str(path), "--key", key]) == 0
