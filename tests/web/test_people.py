"""Signing in, enrolling, inviting."""

from __future__ import annotations

import pytest

from sojourn.app.offline import invite_as_operator
from sojourn.testing.installation import PASSWORD, Running
from sojourn.workflow.strangers import ONE_BY_ONE_MAX


def test_a_person_learns_who_they_are(sojourn: Running) -> None:
    assert sojourn.get("/me", person="alice") == {
        "person": "alice",
        "name": "Alice Arden",
        "mail": "",
        "administrator": False,
        "auditor": False,
        "teams": ["engineering"],
        "confirms": "",
        "passkey": False,
        "password": True,
        "second_factor": False,
    }


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer_and_are_on_record(sojourn: Running) -> None:
    wrong = sojourn.send("POST", "/sign-in", {"person": "bob", "password": "x" * 20})
    unknown = sojourn.send("POST", "/sign-in", {"person": "nobody", "password": "x" * 20})
    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
    assert wrong.json()["error"]["code"] == "credentials.invalid"
    for person in ("bob", "nobody"):
        (last, *_) = sojourn.get(f"/attempts?actor={person}", person="dora")["attempts"]
        assert (last["verb"], last["code"]) == ("sign_in", "credentials.invalid")


def test_guessing_gets_slow(sojourn: Running) -> None:
    codes = [
        sojourn.send("POST", "/sign-in", {"person": "carol", "password": f"guess {turn}"}).json()["error"]["code"]
        for turn in range(8)
    ]
    assert codes[0] == "credentials.invalid"
    assert codes[-1] == "attempts.limited"


def test_a_token_that_was_signed_out_opens_nothing(sojourn: Running) -> None:
    signed = sojourn.send("POST", "/sign-in", {"person": "dora", "password": PASSWORD}).json()
    bearer = {"authorization": f"Bearer {signed['token']}"}
    assert sojourn.send("GET", "/me", headers=bearer).status_code == 200
    assert sojourn.send("POST", "/sign-out", {}, headers=bearer).status_code == 200
    refused = sojourn.send("GET", "/me", headers=bearer)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "credentials.invalid")


@pytest.mark.parametrize("authorization", ["", "Basic YTpi", "Bearer", "Bearer sj_api_t-000000_x", "Bearer \x7f"])
def test_nothing_but_a_token_opens_the_api(sojourn: Running, authorization: str) -> None:
    answered = sojourn.send("GET", "/me", headers={"authorization": authorization} if authorization else {})
    assert answered.status_code == 401
    assert answered.json()["error"]["code"] in ("credentials.missing", "credentials.invalid")


def test_a_token_for_the_gateway_does_not_open_the_api(sojourn: Running) -> None:
    sojourn.granted()
    token = sojourn.post("/targets/shop/connection", {"role": "read"}, person="alice")["token"]
    assert token.startswith("sj_gateway_")
    assert sojourn.send("GET", "/me", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_a_flood_of_strangers_does_not_fill_the_ledger_and_leaves_a_trace(sojourn: Running) -> None:
    before = sojourn.get("/health", person="")["size"]
    for turn in range(50):
        answered = sojourn.send("GET", "/me", headers={"authorization": f"Bearer stranger-{turn}"})
        assert answered.json()["error"]["code"] == "credentials.invalid"
    assert sojourn.get("/health", person="")["size"] - before <= ONE_BY_ONE_MAX
    recorded = sojourn.get("/attempts?actor=", person="dora")["attempts"]
    assert recorded


def test_only_an_administrator_invites(sojourn: Running) -> None:
    refused = sojourn.send("POST", "/people/bob/invitation", {}, person="alice")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission.denied")
    (last, *_) = sojourn.get("/attempts?actor=alice", person="dora")["attempts"]
    assert (last["code"], last["subject"]) == ("permission.denied", "/api/v1/people/bob/invitation")


def test_somebody_who_has_an_account_or_is_unknown_is_not_invited(sojourn: Running) -> None:
    held = sojourn.send("POST", "/people/bob/invitation", {}, person="carol")
    unknown = sojourn.send("POST", "/people/zoe/invitation", {}, person="carol")
    assert (held.status_code, held.json()["error"]["code"]) == (409, "account.exists")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "person.unknown")


def test_an_invitation_that_was_never_made_enrols_nobody(sojourn: Running) -> None:
    refused = sojourn.send("POST", "/enrol", {"person": "alice", "code": "guessed", "password": "p" * 20})
    short = sojourn.send("POST", "/enrol", {"person": "alice", "code": "guessed", "password": "p"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invitation.invalid")
    assert (short.status_code, short.json()["error"]["code"]) == (422, "password.too_short")


def test_the_operator_of_the_machine_cannot_invite_somebody_twice(sojourn: Running) -> None:
    with pytest.raises(Exception, match=r"account\.exists"):
        invite_as_operator(sojourn.installation.layout, "alice")
