"""What was said in a session: who may open it, that each look is on record first, and what is found in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import psycopg
import pytest

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle
from sojourn.ledger import proof as proofs
from sojourn.ledger.note import Verifier
from sojourn.testing.filled import HOSTILE, connected, until
from sojourn.testing.installation import PASSWORD, Running


@pytest.fixture(scope="module")
def session(sojourn: Running) -> str:
    """A session of alice's that is over: a read, a write with values, and one that was refused."""
    for held in sojourn.get("/grants?status=active&mine=1", person="alice")["grants"]:
        sojourn.post(f"/grants/{held['grant']}/end", person="alice")
    grant = sojourn.granted(role="fix-status")["grant"]
    with connected(sojourn, role="fix-status") as client:
        client.execute("select status from shop.orders limit 2")
        client.execute("update shop.orders set status = %s where id = %s and %s <> 'x'", (None, -1, HOSTILE))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute("delete from shop.orders where status = 'a secret word'")

    def closed() -> list[Any]:
        found = sojourn.get(f"/sessions?grant={grant}", person="alice")["sessions"]
        return [one for one in found if one["closed_at"]]

    (only,) = until(closed)
    return str(only["session"])


def _last_entries(sojourn: Running, since: int) -> list[dict[str, Any]]:
    size = sojourn.get("/ledger", person="dora")["size"]
    return [json.loads(sojourn.get(f"/ledger/entries/{one}", person="dora")["content"]) for one in range(since, size)]


def _looks(sojourn: Running, since: int) -> list[dict[str, Any]]:
    return [one["body"] for one in _last_entries(sojourn, since) if one["kind"] == "evidence.given"]


@pytest.mark.parametrize("person", ["alice", "dora"])
def test_what_an_action_said_is_opened_once_the_look_is_on_record(sojourn: Running, session: str, person: str) -> None:
    before = sojourn.get("/ledger", person="dora")["size"]
    opened = sojourn.get(f"/sessions/{session}/actions/2", person=person)
    assert opened["text"].startswith("update shop.orders set status = $1")
    assert opened["binds"][0] == {"number": 1, "kind": "null", "value": ""}
    assert opened["binds"][2]["value"] == HOSTILE
    (look,) = _looks(sojourn, before)
    assert (look["person"], look["form"], look["subject"]) == (person, "statement", f"session/{session}/2")


def test_what_the_target_answered_is_opened_with_it(sojourn: Running, session: str) -> None:
    opened = sojourn.get(f"/sessions/{session}/actions/3", person="dora")
    assert "a secret word" in opened["text"] and "permission denied" in opened["message"]


def test_administering_is_no_reason_to_read_what_was_said(sojourn: Running, session: str) -> None:
    assert sojourn.get(f"/sessions/{session}", person="carol")["actions"] == 3
    before = sojourn.get("/ledger", person="dora")["size"]
    for path in ("actions/1", "recording", "replay", "events?recording=1"):
        refused = sojourn.send("GET", f"/sessions/{session}/{path}", person="carol")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission.denied"), path
    assert not _looks(sojourn, before)


def test_to_others_there_is_no_such_session(sojourn: Running, session: str) -> None:
    for path in ("actions/1", "recording", "replay", "events"):
        assert sojourn.send("GET", f"/sessions/{session}/{path}", person="bob").status_code == 404


@pytest.mark.parametrize("number", ["0", "4", "x", "-1", "9" * 30, "1%2f..%2f2"])
def test_an_action_that_is_not_there_is_not_there(sojourn: Running, session: str, number: str) -> None:
    refused = sojourn.send("GET", f"/sessions/{session}/actions/{number}", person="dora")
    assert refused.status_code == 404


FOUND = {
    "a verb": ("verb=read", [1]),
    "what may write": ("writes=yes", [2, 3]),
    "what reads alone": ("writes=no", [1]),
    "what failed": ("outcome=failed", [3]),
    "what runs": ("outcome=running", []),
    "what was touched": ("search=SHOP.ord", [1, 2, 3]),
    "a wildcard that is none": ("search=%25", []),
    "both": ("search=orders&writes=yes&after=2", [3]),
    "nothing": ("verb=%27%20or%201=1--", []),
}


@pytest.mark.parametrize("query", FOUND.values(), ids=FOUND.keys())
def test_actions_are_found_by_what_is_known_of_them(
    sojourn: Running, session: str, query: tuple[str, list[int]]
) -> None:
    asked, numbers = query
    found = sojourn.get(f"/sessions/{session}/actions?{asked}", person="alice")["actions"]
    assert [one["number"] for one in found] == numbers


def _events(answered: httpx2.Response) -> Iterator[tuple[str, Any]]:
    kind = ""
    for line in answered.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


def _watched(sojourn: Running, session: str, person: str) -> httpx2.Request:
    headers = {"authorization": f"Bearer {sojourn.tokens[person]}"}
    return httpx2.Request("GET", f"{sojourn.installation.address}/api/v1/sessions/{session}/events", headers=headers)


def test_a_session_is_told_while_it_lasts_and_until_it_is_cut(sojourn: Running) -> None:
    grant = sojourn.granted(role="read")["grant"]
    with connected(sojourn) as client, httpx2.Client(timeout=30) as http, ThreadPoolExecutor() as pool:
        client.execute("select 1")
        (session, *_) = until(lambda: sojourn.get(f"/sessions?grant={grant}", person="alice")["sessions"])
        answered = http.send(_watched(sojourn, session["session"], "carol"), stream=True)
        assert answered.headers["content-type"].startswith("text/event-stream")
        told = _events(answered)
        rows: dict[int, dict[str, Any]] = {}
        for kind, data in told:
            if kind == "here":
                break
            rows |= {one["number"]: one for one in data}
        assert rows[1]["verb"] == "read" and "select 1" not in str(rows)
        client.execute("select status from shop.orders limit 1")
        while rows.get(2, {}).get("outcome") != "completed":
            kind, data = next(told)
            for one in data:
                rows.setdefault(one["number"], {}).update(one)
        assert rows[2]["objects"] == ["shop.orders"]
        cut = pool.submit(sojourn.post, f"/grants/{grant}/revoke", person="bob")
        assert next(kind for kind, _ in told if kind == "closed")
        assert cut.result()["removed"]


def test_whoever_signs_out_watches_no_longer(sojourn: Running) -> None:
    grant = sojourn.granted(role="read")["grant"]
    with connected(sojourn) as client, httpx2.Client(timeout=30) as http:
        client.execute("select 1")
        (session, *_) = until(lambda: sojourn.get(f"/sessions?grant={grant}", person="alice")["sessions"])
        token = sojourn.post("/sign-in", {"person": "dora", "password": PASSWORD}, person="")["token"]
        request = _watched(sojourn, session["session"], "dora")
        request.headers["authorization"] = f"Bearer {token}"
        told = _events(http.send(request, stream=True))
        assert next(kind for kind, _ in told if kind == "here")
        gone = sojourn.send("POST", "/sign-out", {}, headers={"authorization": f"Bearer {token}"})
        assert gone.status_code == 200
        assert [kind for kind, _ in told if kind == "closed"] == []
    sojourn.post(f"/grants/{grant}/end", person="alice")


def test_an_entry_is_proven_in_a_file_that_strangers_read(sojourn: Running) -> None:
    key = Verifier.parse(sojourn.get("/ledger", person="dora")["verifier_key"])
    entry = sojourn.get("/ledger/entries/3", person="carol")
    file = sojourn.send("GET", "/ledger/entries/3/proof", person="dora")
    assert file.headers["content-disposition"] == 'attachment; filename="entry-3.tlog-proof"'
    proof = proofs.parse(file.text)
    content = entry["content"].encode()
    assert proofs.verify(proof, leaf=merkle.leaf_hash(content), verifier=key).size > 3
    assert proof.index == entry["number"] == 3


def test_the_ledger_of_now_is_shown_to_be_that_of_before_and_more(sojourn: Running) -> None:
    before = sojourn.get("/ledger", person="alice")
    sojourn.send("GET", "/grants/g-none", person="alice")
    grown = sojourn.get(f"/ledger/consistency?old={before['size']}", person="alice")
    head = checkpoints.open(grown["checkpoint"], Verifier.parse(before["verifier_key"]))
    assert head.size == grown["size"] > grown["old"] == before["size"]
    merkle.verify_consistency(
        old=before["size"],
        new=head.size,
        old_root=base64.b64decode(before["root"]),
        new_root=head.root,
        proof=[base64.b64decode(one) for one in grown["hashes"]],
    )


@pytest.mark.parametrize("old", ["", "x", "-1", "1e3", "999999999", "9" * 40])
def test_a_ledger_that_never_was_has_no_proof(sojourn: Running, old: str) -> None:
    refused = sojourn.send("GET", f"/ledger/consistency?old={old}", person="alice")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "input.invalid")


@pytest.mark.parametrize("path", ["/ledger/entries/0", "/ledger/entries/0/proof"])
def test_entries_are_for_those_who_oversee(sojourn: Running, path: str) -> None:
    assert sojourn.send("GET", path, person="alice").status_code == 403
