"""A call with a key of its own is carried out once, however often a program that had no answer repeats it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2

from sojourn.testing.installation import Running

ASKED = {"target": "shop", "role": "read", "duration": "10m", "reason": "once"}


def _ask(sojourn: Running, key: str, *, person: str = "alice", **changed: str) -> httpx2.Response:
    headers = {"idempotency-key": key}
    return sojourn.send("POST", "/requests", {**ASKED, **changed}, person=person, headers=headers)


def _requests(sojourn: Running) -> list[Any]:
    return [one["request"] for one in sojourn.get("/requests?mine=yes", person="alice")["requests"]]


def test_a_repeated_call_gets_the_same_answer_and_happens_once(sojourn: Running) -> None:
    before = len(_requests(sojourn))
    first, again = (_ask(sojourn, "repeated-0001") for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert len(_requests(sojourn)) == before + 1
    sojourn.post(f"/requests/{first.json()['request']}/withdraw", person="alice")


def test_of_several_at_once_one_is_carried_out(sojourn: Running) -> None:
    before = len(_requests(sojourn))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _ask(sojourn, "at-once-0001"), range(6)))
    done = {one.json()["request"] for one in answers if one.status_code == 200}
    assert len(done) == 1
    assert {one.json()["error"]["code"] for one in answers if one.status_code != 200} <= {"call.unsettled"}
    assert len(_requests(sojourn)) == before + 1
    sojourn.post(f"/requests/{done.pop()}/withdraw", person="alice")


def test_a_key_is_of_one_person_and_one_call(sojourn: Running) -> None:
    mine, theirs = _ask(sojourn, "shared-00001"), _ask(sojourn, "shared-00001", person="bob")
    assert mine.json()["request"] != theirs.json()["request"]
    other = _ask(sojourn, "shared-00001", duration="20m")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "call.key_reused")
    for person, one in (("alice", mine), ("bob", theirs)):
        sojourn.post(f"/requests/{one.json()['request']}/withdraw", person=person)


def test_what_was_refused_may_be_tried_again_under_its_key(sojourn: Running) -> None:
    codes = [_ask(sojourn, "refused-0001", duration="99h").json()["error"]["code"] for _ in range(2)]
    assert codes[0] == codes[1] != "call.unsettled"


def test_a_key_that_will_not_do_or_would_keep_a_secret_is_refused(sojourn: Running) -> None:
    assert _ask(sojourn, "short").json()["error"]["code"] == "input.invalid"
    headers = {"idempotency-key": "invitation-1"}
    refused = sojourn.send("POST", "/people/alice/invitation", {}, person="carol", headers=headers)
    assert "secret" in refused.json()["error"]["message"]
