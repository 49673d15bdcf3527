"""Activating, connecting, ending, and what is left on record, over HTTP and through the real gateway."""

from __future__ import annotations

import io
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

import sojourn_verify
from sojourn.testing.installation import Running


def _code(answered: Any) -> str:
    return str(answered["error"]["code"])


def _connected(sojourn: Running, tmp_path: Path, role: str = "read") -> psycopg.Connection[Any]:
    """A client of alice's, as the API tells her to connect."""
    told = sojourn.post("/targets/shop/connection", {"role": role}, person="alice")
    authority = tmp_path / "authority.crt"
    authority.write_text(told["authority"])
    return psycopg.connect(
        host=told["host"],
        port=told["port"],
        dbname=told["database"],
        user=told["user"],
        password=told["token"],
        sslmode="verify-full",
        sslrootcert=str(authority),
        autocommit=True,
    )


def test_an_approval_becomes_one_active_grant_with_the_privileges_read_back(sojourn: Running) -> None:
    asked = sojourn.approved()
    grant = sojourn.post(f"/requests/{asked['request']}/activate", person="alice")
    assert grant["status"] == "active"
    assert grant["privileges"]
    again = sojourn.send("POST", f"/requests/{asked['request']}/activate", {}, person="alice")
    assert (again.status_code, _code(again.json())) == (409, "request.already_activated")
    assert sojourn.get(f"/requests/{asked['request']}", person="alice")["grant"] == grant["grant"]


def test_only_the_requester_activates_and_only_what_is_approved(sojourn: Running) -> None:
    pending, approved = sojourn.requested(), sojourn.approved()
    assert _code(sojourn.post(f"/requests/{pending['request']}/activate", person="alice")) == "request.not_approved"
    assert _code(sojourn.post(f"/requests/{approved['request']}/activate", person="bob")) == "request.not_yours"


def test_two_clicks_at_once_give_one_grant(sojourn: Running) -> None:
    asked = sojourn.approved()
    with ThreadPoolExecutor(4) as pool:
        clicks = [
            pool.submit(sojourn.send, "POST", f"/requests/{asked['request']}/activate", {}, person="alice")
            for _ in range(4)
        ]
        statuses = sorted(click.result().status_code for click in clicks)
    assert statuses == [200, 409, 409, 409]


def test_a_connection_activates_the_one_approved_request(sojourn: Running, tmp_path: Path) -> None:
    for grant in sojourn.get("/grants?status=active&mine=1", person="alice")["grants"]:
        sojourn.post(f"/grants/{grant['grant']}/end", person="alice")
    for asked in sojourn.get("/requests?status=approved", person="alice")["requests"]:
        sojourn.post(f"/requests/{asked['request']}/withdraw", person="alice")
    none = sojourn.send("POST", "/targets/shop/connection", {}, person="alice")
    assert (none.status_code, _code(none.json())) == (403, "grant.none_active")
    asked = sojourn.approved()
    with _connected(sojourn, tmp_path, role="") as client:
        assert client.execute("select count(*) > 0 from shop.orders").fetchone() == (True,)
    assert sojourn.get(f"/requests/{asked['request']}", person="alice")["status"] == "activated"


def test_with_two_roles_the_person_says_which(sojourn: Running) -> None:
    sojourn.granted(role="read")
    sojourn.granted(role="fix-status")
    assert _code(sojourn.post("/targets/shop/connection", {}, person="alice")) == "grant.ambiguous"
    told = sojourn.post("/targets/shop/connection", {"role": "fix-status"}, person="alice")
    assert told["user"] == "alice+fix-status"
    assert told["url"].startswith("postgresql://alice%2Bfix-status:sj_gateway_")


def test_a_target_that_is_not_there_is_refused_on_record(sojourn: Running) -> None:
    refused = sojourn.send("POST", "/targets/nowhere/connection", {}, person="alice")
    assert (refused.status_code, _code(refused.json())) == (404, "target.unknown")
    (last, *_) = sojourn.get("/attempts?actor=alice", person="dora")["attempts"]
    assert last["code"] == "target.unknown"


def test_a_session_and_its_actions_are_shown_without_their_text(sojourn: Running, tmp_path: Path) -> None:
    grant = sojourn.granted()
    with _connected(sojourn, tmp_path) as client:
        client.execute("select 'a secret word' from shop.customers limit 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute("update shop.orders set status = 'paid'")
    (session, *_) = _until(lambda: _closed(sojourn, grant))
    actions = sojourn.get(f"/sessions/{session['session']}/actions", person="alice")
    first, second = actions["actions"]
    assert (first["number"], first["verb"], first["outcome"], first["rows"]) == (1, "read", "completed", 1)
    assert (second["outcome"], second["sqlstate"]) == ("failed", "42501")
    assert "secret word" not in str(actions)
    assert [one["number"] for one in _actions(sojourn, session, after=1)] == [2]
    assert _code(sojourn.get(f"/sessions/{session['session']}", person="bob")) == "session.unknown"
    assert sojourn.get(f"/sessions/{session['session']}", person="dora")["actions"] == 2


def _closed(sojourn: Running, grant: dict[str, Any]) -> list[dict[str, Any]]:
    found = sojourn.get(f"/sessions?grant={grant['grant']}", person="alice")["sessions"]
    return [one for one in found if one["closed_at"]]


def _actions(sojourn: Running, session: dict[str, Any], *, after: int) -> list[dict[str, Any]]:
    return list(sojourn.get(f"/sessions/{session['session']}/actions?after={after}", person="dora")["actions"])


def _until(look: Any) -> Any:
    deadline = time.monotonic() + 10
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "9" * 30, "\u0663"])
def test_a_place_that_is_no_number_is_refused(sojourn: Running, tmp_path: Path, after: str) -> None:
    sojourn.granted()
    _connected(sojourn, tmp_path).close()
    (session, *_) = sojourn.get("/sessions", person="alice")["sessions"]
    refused = sojourn.get(f"/sessions/{session['session']}/actions?after={after}", person="alice")
    assert _code(refused) == "input.invalid"


def test_revoking_cuts_the_session_and_tells_how_fast(sojourn: Running, tmp_path: Path) -> None:
    grant = sojourn.granted()
    with _connected(sojourn, tmp_path) as client:
        client.execute("select 1")
        ended = sojourn.post(f"/grants/{grant['grant']}/revoke", person="bob")
        assert ended["removed"] is True
        assert ended["grant"]["status"] == "removed"
        assert (ended["grant"]["cause"], ended["grant"]["ended_by"]) == ("revoked", "bob")
        assert ended["removal_ms"] is not None
        with pytest.raises(psycopg.OperationalError):
            client.execute("select 2")
    again = sojourn.send("POST", f"/grants/{grant['grant']}/revoke", {}, person="carol")
    assert (again.status_code, _code(again.json())) == (409, "grant.ended")


def test_only_the_holder_ends_and_only_the_entitled_revoke(sojourn: Running) -> None:
    grant = sojourn.granted()
    assert _code(sojourn.post(f"/grants/{grant['grant']}/end", person="bob")) == "grant.not_yours"
    assert _code(sojourn.post(f"/grants/{grant['grant']}/revoke", person="dora")) == "grant.revoke_not_entitled"
    assert sojourn.post(f"/grants/{grant['grant']}/end", person="alice")["removed"] is True


def test_a_grant_is_seen_by_those_whom_it_concerns(sojourn: Running) -> None:
    grant = sojourn.granted()
    for person in ("alice", "bob", "carol", "dora"):
        assert sojourn.get(f"/grants/{grant['grant']}", person=person)["grant"] == grant["grant"]
    assert grant["grant"] not in {one["grant"] for one in sojourn.get("/grants", person="bob")["grants"]}
    assert grant["grant"] in {one["grant"] for one in sojourn.get("/grants?target=shop", person="dora")["grants"]}


def test_the_evidence_pack_verifies_and_is_not_for_administrators(
    sojourn: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grant = sojourn.granted()
    with _connected(sojourn, tmp_path) as client:
        client.execute("select count(*) from shop.orders")
    sojourn.post(f"/grants/{grant['grant']}/end", person="alice")
    answered = sojourn.send("GET", f"/grants/{grant['grant']}/evidence", person="dora")
    assert answered.headers["content-type"] == "application/zip"
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(answered.content)).namelist()
    pack = tmp_path / "pack.zip"
    pack.write_bytes(answered.content)
    key = sojourn.get("/ledger", person="dora")["verifier_key"]
    assert sojourn_verify.main([str(pack), "--key", key]) == 0, capsys.readouterr()
    refused = sojourn.send("GET", f"/grants/{grant['grant']}/evidence", person="carol")
    assert (refused.status_code, _code(refused.json())) == (403, "permission.denied")


def test_the_ledgers_head_is_signed_and_grows(sojourn: Running) -> None:
    before = sojourn.get("/ledger", person="bob")
    sojourn.requested()
    after = sojourn.get("/ledger", person="bob")
    assert after["size"] > before["size"]
    assert after["checkpoint"].startswith(f"{after['origin']}\n{after['size']}\n{after['root']}\n")


def test_refused_attempts_are_for_administrators_and_auditors(sojourn: Running) -> None:
    assert _code(sojourn.get("/attempts", person="bob")) == "permission.denied"
    for person in ("carol", "dora"):
        assert "attempts" in sojourn.get("/attempts", person=person)


def test_without_the_record_nothing_is_done_and_afterwards_everything_goes_on(sojourn: Running) -> None:
    asked = sojourn.requested()
    sojourn.installation.kill("scribe")
    refused = sojourn.send("POST", f"/requests/{asked['request']}/approve", {"digest": asked["digest"]}, person="bob")
    assert (refused.status_code, _code(refused.json())) == (503, "record.unavailable")
    _until(lambda: sojourn.send("GET", "/health").json()["ok"])
    assert sojourn.get(f"/requests/{asked['request']}", person="bob")["status"] == "pending"
    answered = sojourn.post(f"/requests/{asked['request']}/approve", {"digest": asked["digest"]}, person="bob")
    assert answered["status"] == "approved"


def test_grants_that_overlap_are_shown_as_the_one_span_that_they_make_up(sojourn: Running) -> None:
    first, second = sojourn.granted(role="fix-status"), sojourn.granted(role="fix-status", duration="20m")
    (span,) = [
        one
        for one in sojourn.get("/spans", person="alice")["spans"]
        if one["role"] == "fix-status" and {first["grant"], second["grant"]} <= set(one["grants"])
    ]
    assert (span["start"], span["end"]) == (min(first["start"], span["start"]), second["end"])
    assert sojourn.get("/spans", person="bob")["spans"] == []
    ended = sojourn.post(f"/grants/{second['grant']}/end", person="alice")["grant"]
    spans = [one for one in sojourn.get("/spans", person="dora")["spans"] if first["grant"] in one["grants"]]
    assert [one["end"] for one in spans] == [max(first["end"], ended["ended_at"])]


def test_who_approved_takes_it_back_before_the_access_begins(sojourn: Running) -> None:
    asked = sojourn.approved()
    refused = sojourn.post(f"/requests/{asked['request']}/withdraw-approval", person="carol")
    assert _code(refused) == "approval.not_given"
    again = sojourn.post(f"/requests/{asked['request']}/withdraw-approval", person="bob")
    assert (again["status"], again["decisions"]) == ("pending", [])
    assert asked["request"] in [one["request"] for one in sojourn.get("/requests?waiting=1", person="bob")["requests"]]
    assert _code(sojourn.post(f"/requests/{asked['request']}/activate", person="alice")) == "request.not_approved"
