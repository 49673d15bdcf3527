"""Tokens for programs: for their scope, until their end, and never for a decision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sojourn.demo.installation import PEOPLE_FILE
from sojourn.demo.production import Production
from sojourn.domain.people import Scope
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.web.api.endpoints import ENDPOINTS, OPEN

PEOPLE = PEOPLE_FILE.replace(
    "teams:",
    "  deployer: { name: The pipeline, kind: service, owner: alice, tells: [deployment] }\n"
    "  directory: { name: The directory, kind: service, owner: carol }\nteams:",
)


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation with a service that alice answers for."""
    with running(tmp_path_factory.mktemp("programs") / "one", production, people=PEOPLE) as one:
        yield one


def _made(sojourn: Running, by: str = "alice", **wanted: Any) -> Any:
    signed = sojourn.send("POST", "/sign-in", {"person": by, "password": PASSWORD}).json()
    sent = {"label": "ci", "scope": ["read"], "life": "1d", **wanted}
    return sojourn.send("POST", "/tokens", sent, headers={"authorization": f"Bearer {signed['token']}"})


def _bearer(made: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {made.json()['text']}"}


@pytest.mark.parametrize("scope", list(Scope), ids=str)
def test_a_token_for_a_program_does_what_its_scope_says_and_nothing_else(sojourn: Running, scope: Scope) -> None:
    # carol administers, so whatever she is refused here the scope refuses.
    whose = "directory" if scope is Scope.PROVISION else "carol"
    made = _made(sojourn, "carol", scope=[scope], person=whose)
    for one in ENDPOINTS:
        if one.permission is OPEN or one.path == "/sign-out":
            continue
        body: dict[str, str] | None = {} if one.method != "GET" else None
        path = one.path.replace("{name}", "nothing")
        answered = sojourn.send(one.method, path, body, headers=_bearer(made), whole=False)
        code = "" if answered.status_code == 200 else answered.json()["error"]["code"]
        refused = code == "permission.denied" and "with a token for" in answered.json()["error"]["message"]
        # Some addresses look at the body before they ask who sends it.
        assert refused or one.scope is scope or code == "input.invalid", (one.path, code)
        assert not (refused and one.scope is scope), one.path


def test_no_decision_and_no_account_is_within_any_scope() -> None:
    words = ("approve", "deny", "confirm", "configuration", "people", "passkey", "password", "second", "token", "holds")
    open_to_programs = [one.path for one in ENDPOINTS if one.method != "GET" and one.scope is not None]
    assert open_to_programs
    assert [path for path in open_to_programs if any(word in path for word in words)] == []


def test_it_ends_when_its_person_says_so_and_is_listed_until_then(sojourn: Running) -> None:
    made = _made(sojourn, label="nightly report", scope=["read", "ask"])
    shown = [one for one in sojourn.get("/sign-ins", person="alice")["sign_ins"] if one["label"] == "nightly report"]
    assert [(one["token"], one["scope"], one["current"]) for one in shown] == [
        (made.json()["token"], ["ask", "read"], False)
    ]
    assert sojourn.send("GET", "/me", headers=_bearer(made)).status_code == 200
    sojourn.post(f"/sign-ins/{made.json()['token']}/end", person="alice")
    assert sojourn.send("GET", "/me", headers=_bearer(made)).status_code == 401


def test_a_service_has_tokens_by_whoever_answers_for_it_and_nobody_else(sojourn: Running) -> None:
    made = _made(sojourn, person="deployer", scope=["tell", "read"])
    assert sojourn.send("GET", "/me", headers=_bearer(made)).json()["person"] == "deployer"
    for by, person in (("bob", "deployer"), ("carol", "deployer"), ("carol", "alice"), ("alice", "nobody")):
        assert _made(sojourn, by, person=person).json()["error"]["code"] == "permission.denied"
    sojourn.post("/people/deployer/sign-out", person="carol")
    assert sojourn.send("GET", "/me", headers=_bearer(made)).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [{"scope": []}, {"scope": ["approve"]}, {"life": "91d"}, {"label": ""}, {"label": "x" * 81}],
    ids=["no_scope", "unknown_scope", "too_long", "nameless", "long_name"],
)
def test_a_token_without_scope_end_or_name_is_not_made(sojourn: Running, wanted: dict[str, Any]) -> None:
    assert _made(sojourn, **wanted).json()["error"]["code"] == "input.invalid"


def test_a_token_for_a_program_makes_no_other(sojourn: Running) -> None:
    made = _made(sojourn, scope=["read", "ask", "tell"])
    sent = {"label": "child", "scope": ["read"], "life": "1d"}
    assert sojourn.send("POST", "/tokens", sent, headers=_bearer(made)).json()["error"]["code"] == "permission.denied"
