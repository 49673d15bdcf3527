"""Certification campaigns in a running installation: what is removed is gone at once, and silence removes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn.testing.installation import Running

# One after the other, in one installation: each goes on from what the ones before have left.

SECONDS = 30.0


def _until(found: Callable[[], Any]) -> Any:
    """What `found` gives, once it gives something."""
    deadline = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline, "time has not brought it about"
        time.sleep(0.1)
    return value


def _due(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


def _open(sojourn: Running, due: str, person: str = "carol") -> Any:
    body = {"title": "First quarter", "reviewers": ["bob", "carol"], "due": due}
    return sojourn.post("/campaigns", body, person=person)


def test_what_a_reviewer_removes_is_gone_at_once_and_everything_decided_ends_the_campaign(sojourn: Running) -> None:
    grant = sojourn.granted()
    done = sojourn.installation.sojourn(
        *("certify", "open", "First quarter", "--reviewer", "bob", "--reviewer", "carol", "--until", _due(days=3)),
        person="carol",
    )
    assert done.returncode == 0 and "First quarter" in done.stdout, done.stderr
    (campaign,) = sojourn.get("/campaigns", person="dora")["campaigns"]
    name = campaign["campaign"]
    shown = sojourn.get(f"/campaigns/{name}", person="carol")
    items = {(one["person"], one["role"]): one for one in shown["items"]}
    assert set(items) == {(who, role) for who in ("alice", "bob") for role in ("read", "fix-status")}
    assert sojourn.get("/campaigns", person="alice")["campaigns"] == []
    assert sojourn.get(f"/campaigns/{name}", person="alice")["error"]["code"] == "campaign.unknown"
    assert {one["person"] for one in sojourn.get(f"/campaigns/{name}", person="bob")["items"]} == {"alice"}

    own = {"number": items["bob", "read"]["number"], "keep": True}
    refused = sojourn.post(f"/campaigns/{name}/decisions", own, person="bob")
    assert refused["error"]["code"] == "campaign.not_entitled"
    early = sojourn.post(f"/campaigns/{name}/close", person="carol")
    assert early["error"]["code"] == "campaign.invalid"
    assert sojourn.post(f"/campaigns/{name}/close", person="bob")["error"]["code"] == "permission.denied"

    number = str(items["alice", "read"]["number"])
    removed = sojourn.installation.sojourn(
        "certify", "decide", name, number, "--remove", "--comment", "changed teams", person="bob"
    )
    assert removed.returncode == 0, removed.stderr
    asked = sojourn.requested()
    assert asked["error"]["code"] == "eligibility.removed"
    _until(lambda: sojourn.get(f"/grants/{grant['grant']}", person="alice")["status"] == "removed")
    for key, item in items.items():
        if key != ("alice", "read"):
            kept = {"number": item["number"], "keep": True}
            assert "error" not in sojourn.post(f"/campaigns/{name}/decisions", kept, person="carol")
    over = _until(
        lambda: (now := sojourn.get(f"/campaigns/{name}", person="carol"))["campaign"]["status"] == "closed" and now
    )
    assert (over["campaign"]["kept"], over["campaign"]["removed"]) == (3, 1)
    assert over["items"][int(number) - 1]["comment"] == "changed teams"
    closed = sojourn.installation.sojourn("certify", "close", name, person="carol")
    assert closed.returncode == 0, closed.stderr


def test_silence_removes_when_the_time_is_up(sojourn: Running) -> None:
    opened = _open(sojourn, _due(seconds=3))
    name = opened["campaign"]["campaign"]
    _until(lambda: sojourn.get(f"/campaigns/{name}", person="carol")["campaign"]["status"] == "closed")
    shown = sojourn.get(f"/campaigns/{name}", person="carol")
    assert {(one["decision"], one["decided_by"]) for one in shown["items"]} == {("removed", "")}
    asked = {"target": "shop", "role": "read", "duration": "10m", "reason": "x"}
    refused = _until(lambda: sojourn.post("/requests", asked, person="bob").get("error"))
    assert refused["code"] == "eligibility.removed"
    late = sojourn.post(f"/campaigns/{name}/decisions", {"number": 1, "keep": True}, person="carol")
    assert late["error"]["code"] in ("campaign.closed", "campaign.decided")


def test_only_an_administrator_begins_one_and_not_without_an_end_or_reviewers(sojourn: Running) -> None:
    assert _open(sojourn, _due(days=3), person="bob")["error"]["code"] == "permission.denied"
    for due in (_due(days=-1), _due(days=93)):
        assert _open(sojourn, due)["error"]["code"] == "campaign.invalid"
    nobody = {"title": "x", "reviewers": [], "due": _due(days=1)}
    assert sojourn.post("/campaigns", nobody, person="carol")["error"]["code"] == "campaign.invalid"
