"""Facts in a running installation: an integration tells them, and requests rest on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sojourn.app.offline import invite_as_operator
from sojourn.demo.installation import PEOPLE_FILE, POLICY_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running

PAGER = "  pager: { name: Pager, kind: service, owner: carol, tells: [incident, ticket, on_call] }\n"
RULES = POLICY_FILE.replace("reason: required\n", "reason: required\n    when: { incident: required }\n")

# One after the other, in one installation: each goes on from what the ones before have left.
pytestmark = pytest.mark.xdist_group("facts")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """Everything runs; access takes an open incident, and the pager tells which are."""
    people = PEOPLE_FILE.replace("teams:\n", PAGER + "teams:\n")
    with running(tmp_path_factory.mktemp("facts") / "one", production, people=people, policy=RULES) as one:
        code = invite_as_operator(one.installation.layout, "pager")["code"]
        body = {"person": "pager", "code": code, "password": PASSWORD}
        one.send("POST", "/enrol", body).raise_for_status()
        signed = {"person": "pager", "password": PASSWORD}
        tokens = {**one.tokens, "pager": one.send("POST", "/sign-in", signed).raise_for_status().json()["token"]}
        done = one.installation.sojourn("login", "pager", "--url", one.installation.address, stdin=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        yield Running(installation=one.installation, production=production, tokens=tokens)


def _ask(told: Running, incident: str) -> Any:
    asked = {"target": "shop", "role": "read", "duration": "10m", "reason": "looking", "incident": incident}
    return told.post("/requests", asked, person="alice")


def test_an_incident_that_nobody_has_told_is_none_and_one_that_is_told_opens_the_way(told: Running) -> None:
    refused = _ask(told, "INC-1")
    assert refused["error"]["code"] == "policy.no_rule"
    assert "INC-1 is not on record as open" in refused["error"]["message"]
    done = told.installation.ask("facts", "incident", "INC-1", "--origin", "pager", person="pager")
    assert done["holds"] is True and done["told_by"] == "pager"
    asked = _ask(told, "INC-1")
    assert (asked["status"], asked["incident"]) == ("pending", "INC-1")


def test_an_incident_that_is_over_at_the_approval_does_not_count_any_more(told: Running) -> None:
    told.installation.ask("facts", "incident", "INC-2", "--origin", "pager", person="pager")
    asked = _ask(told, "INC-2")
    done = told.installation.sojourn("facts", "withdraw", "incident", "INC-2", person="pager")
    assert done.returncode == 0, done.stderr
    approve = {"digest": asked["digest"]}
    refused = told.post(f"/requests/{asked['request']}/approve", approve, person="bob")
    assert refused["error"]["code"] == "approval.not_entitled"
    told.installation.ask("facts", "incident", "INC-2", "--origin", "pager", person="pager")
    approved = told.post(f"/requests/{asked['request']}/approve", approve, person="bob")
    assert approved["status"] == "approved"


def test_only_those_who_are_entitled_tell_and_every_other_try_is_on_record(told: Running) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"fact": "incident", "subject": "INC-3", "until": until, "origin": "me", "state": "open"}
    assert told.post("/facts", body, person="alice")["error"]["code"] == "fact.not_entitled"
    deployment = {"fact": "deployment", "subject": "shop", "until": until, "origin": "me", "people": ["bob"]}
    assert told.post("/facts", deployment, person="pager")["error"]["code"] == "fact.not_entitled"
    codes = [one["code"] for one in told.get("/attempts?subject=fact", person="dora")["attempts"]]
    assert codes == ["fact.not_entitled", "fact.not_entitled"]
    assert told.send("GET", "/facts", person="alice").status_code == 403


def test_schedules_and_tickets_are_listed_as_they_were_told(told: Running) -> None:
    day = datetime.now(UTC).replace(microsecond=0)
    span = f"{day.isoformat()}/{(day + timedelta(days=1)).isoformat()}"
    shift = told.installation.ask(
        *("facts", "on-call", "primary", "--shift", f"alice={span}", "--origin", "pager"), person="pager"
    )
    assert [one["person"] for one in shift["shifts"]] == ["alice"]
    told.installation.ask(
        *("facts", "ticket", "C-7", "--kind", "change", "--state", "approved", "--executor", "bob"),
        *("--origin", "tracker"),
        person="pager",
    )
    listed = told.get("/facts?fact=ticket", person="dora")["facts"]
    assert [(one["subject"], one["sort"], one["state"], one["people"]) for one in listed] == [
        ("C-7", "change", "approved", ["bob"])
    ]
    table = told.installation.sojourn("facts", "list", person="pager").stdout
    assert "primary" in table and "C-7" in table
    wrong = told.installation.sojourn(
        *("facts", "on-call", "primary", "--shift", "alice", "--origin", "x"), person="pager"
    )
    assert wrong.returncode != 0 and "is no shift" in wrong.stderr
