"""Targets, requests, decisions, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.testing.installation import Running


def _code(answered: Any) -> str:
    return str(answered["error"]["code"])


def test_a_person_sees_what_they_may_ask_for_and_on_which_terms(sojourn: Running) -> None:
    (shop,) = sojourn.get("/targets", person="alice")["targets"]
    roles = {role["role"]: role for role in shop["roles"]}
    assert roles.keys() == {"read", "fix-status"}
    assert roles["read"]["longest_seconds"] == 4 * 3600
    assert roles["read"]["approvers"] == ["bob"]
    assert "UPDATE (status) on shop.orders" in roles["fix-status"]["privileges"]
    assert sojourn.get("/targets", person="dora") == {"targets": []}


def test_a_request_is_readable_as_soon_as_it_is_answered(sojourn: Running) -> None:
    asked = sojourn.requested(reason="INC-2041 wrong totals")
    assert asked["status"] == "pending"
    assert asked["reason"] == "INC-2041 wrong totals"
    assert asked["duration_seconds"] == 600
    assert sojourn.get("/requests", person="alice")["requests"][0]["request"] == asked["request"]
    waiting = sojourn.get("/requests?waiting=1", person="bob")["requests"]
    assert asked["request"] in {one["request"] for one in waiting}
    assert sojourn.get(f"/requests/{asked['request']}", person="bob")["decidable"] is True
    assert sojourn.get(f"/requests/{asked['request']}", person="alice")["decidable"] is False


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"target": "nowhere"}, 404, "target.unknown"),
        ({"role": "owner"}, 404, "role.unknown"),
        ({"duration": "5h"}, 403, "request.duration_too_long"),
        ({"duration": "soon"}, 422, "request.duration_invalid"),
        ({"duration": "-1m"}, 422, "request.duration_invalid"),
        ({"duration": "0s"}, 422, "request.duration_invalid"),
        ({"reason": " "}, 403, "request.reason_missing"),
        ({"reason": "x" * 2001}, 422, "request.reason_too_long"),
        ({"duration": 600}, 422, "input.invalid"),
    ],
)
def test_what_may_not_be_asked_is_refused_and_on_record(
    sojourn: Running, changed: dict[str, object], status: int, code: str
) -> None:
    asked = {"target": "shop", "role": "read", "duration": "10m", "reason": "to test", **changed}
    answered = sojourn.send("POST", "/requests", asked, person="alice")
    assert (answered.status_code, _code(answered.json())) == (status, code)
    (last, *_) = sojourn.get("/attempts?actor=alice", person="dora")["attempts"]
    assert last["code"] == code


def test_somebody_whom_no_rule_names_may_not_ask(sojourn: Running) -> None:
    asked = {"target": "shop", "role": "read", "duration": "10m", "reason": "curious"}
    assert _code(sojourn.post("/requests", asked, person="dora")) == "policy.no_rule"


def test_nobody_decides_on_their_own_request(sojourn: Running) -> None:
    asked = sojourn.requested()
    for verb in ("approve", "deny"):
        answered = sojourn.send(
            "POST", f"/requests/{asked['request']}/{verb}", {"digest": asked["digest"]}, person="alice"
        )
        assert (answered.status_code, _code(answered.json())) == (403, "approval.self")
    found = sojourn.get(f"/attempts?subject=request/{asked['request']}", person="dora")["attempts"]
    assert [one["verb"] for one in found] == ["deny", "approve"]
    assert sojourn.get(f"/requests/{asked['request']}", person="alice")["status"] == "pending"


def test_an_administrator_is_no_approver(sojourn: Running) -> None:
    asked = sojourn.requested()
    answered = sojourn.post(f"/requests/{asked['request']}/approve", {"digest": asked["digest"]}, person="carol")
    assert _code(answered) == "approval.not_entitled"


def test_an_approval_counts_only_for_what_was_shown(sojourn: Running) -> None:
    asked, other = sojourn.requested(), sojourn.requested()
    answered = sojourn.post(f"/requests/{asked['request']}/approve", {"digest": other["digest"]}, person="bob")
    assert _code(answered) == "request.changed"


def test_an_approval_shows_who_decided_and_what_they_said(sojourn: Running) -> None:
    asked = sojourn.requested()
    said = {"digest": asked["digest"], "comment": "go ahead \u202e"}
    answered = sojourn.post(f"/requests/{asked['request']}/approve", said, person="bob")
    assert answered["status"] == "approved"
    (decision,) = answered["decisions"]
    assert (decision["person"], decision["decision"], decision["comment"]) == ("bob", "approved", "go ahead \u202e")
    again = sojourn.post(f"/requests/{asked['request']}/approve", said, person="bob")
    assert _code(again) == "request.not_pending"


def test_a_request_is_denied_or_withdrawn_once(sojourn: Running) -> None:
    denied, withdrawn = sojourn.requested(), sojourn.requested()
    answer = sojourn.post(f"/requests/{denied['request']}/deny", {"digest": denied["digest"]}, person="bob")
    assert answer["status"] == "denied"
    assert sojourn.post(f"/requests/{withdrawn['request']}/withdraw", person="alice")["status"] == "withdrawn"
    assert _code(sojourn.post(f"/requests/{denied['request']}/withdraw", person="alice")) == "request.not_pending"
    assert _code(sojourn.post(f"/requests/{withdrawn['request']}/withdraw", person="bob")) == "request.not_yours"


def test_auditors_and_administrators_see_every_request_and_nobody_else_does(sojourn: Running) -> None:
    asked = sojourn.requested()
    for person in ("carol", "dora"):
        assert asked["request"] in {one["request"] for one in sojourn.get("/requests", person=person)["requests"]}
    mine = sojourn.get("/requests", person="bob")["requests"]
    assert asked["request"] not in {one["request"] for one in mine}
    assert sojourn.get("/requests?mine=1", person="carol")["requests"] == []


def test_a_list_is_filtered_by_status(sojourn: Running) -> None:
    sojourn.requested()
    found = sojourn.get("/requests?status=pending", person="dora")["requests"]
    assert {one["status"] for one in found} == {"pending"}
    assert sojourn.get("/requests?status=nonsense", person="dora")["requests"] == []
