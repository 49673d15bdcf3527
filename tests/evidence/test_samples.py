"""What an auditor does with a sample on a running installation: draws it, asks about it, and takes its packs away."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify
from sojourn.demo.production import Production
from sojourn.testing.browser import signed_in
from sojourn.testing.installation import PASSWORD, Running, running

PERIOD = {"start": "2020-01-01", "end": "2100-01-01"}


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation with one access, one denied request and one that waits."""
    with running(tmp_path_factory.mktemp("samples") / "one", production) as one:
        grant = one.granted()
        one.post(f"/grants/{grant['grant']}/end", person="alice")
        denied = one.requested(reason="no")
        one.post(f"/requests/{denied['request']}/deny", {"digest": denied["digest"]}, person="bob")
        one.requested(reason="waits")
        done = one.installation.sojourn("login", "dora", "--url", one.installation.address, stdin=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        yield one


def _drawn(sojourn: Running, count: int = 3, seed: str = "7") -> Any:
    asked = {"report": "access-events", **PERIOD, "sample": count, "seed": seed}
    run = sojourn.post("/reports", asked, person="dora")
    until = time.monotonic() + 120
    while run["state"] not in ("done", "failed"):
        assert time.monotonic() < until, run
        time.sleep(0.2)
        run = sojourn.get(f"/report-runs/{run['run']}", person="dora")
    assert run["state"] == "done", run
    return sojourn.get(f"/samples/{run['sample']}", person="dora")


def test_a_sample_is_on_record_and_the_same_seed_draws_the_same(sojourn: Running) -> None:
    first, second, other = _drawn(sojourn, 2), _drawn(sojourn, 2), _drawn(sojourn, 2, seed="8")
    assert first["requests"] == second["requests"] and len(first["requests"]) == 2
    assert (first["person"], first["population"], first["seed"]) == ("dora", 3, "7")
    listed = [one["sample"] for one in sojourn.get("/samples", person="dora")["samples"]]
    assert listed[:3] == [other["sample"], second["sample"], first["sample"]]


def test_a_question_is_answered_once_by_whoever_was_asked(sojourn: Running) -> None:
    sample = _drawn(sojourn)
    place, item = f"/samples/{sample['sample']}", sample["requests"][0]
    asked = sojourn.post(f"{place}/questions", {"request": item, "of": "bob", "text": "why so late?"}, person="dora")
    assert [(one["number"], one["text"], one["answer"]) for one in asked["questions"]] == [(1, "why so late?", None)]
    seen = sojourn.get(place, person="bob")
    assert seen["requests"] == [item] and len(seen["questions"]) == 1
    answers = f"{place}/answers"
    for person, code in (("alice", "permission.denied"), ("dora", "permission.denied")):
        refused = sojourn.post(answers, {"number": 1, "text": "because"}, person=person)
        assert refused["error"]["code"] == code
    given = sojourn.post(answers, {"number": 1, "text": "because"}, person="bob")
    assert [(one["answered_by"], one["answer"]) for one in given["questions"]] == [("bob", "because")]
    again = sojourn.post(answers, {"number": 1, "text": "or else"}, person="bob")
    assert again["error"]["code"] == "sample.answered"


@pytest.mark.parametrize(
    ("path", "body", "person", "code"),
    [
        ("questions", {"request": "r-0000000000", "of": "bob", "text": "x"}, "dora", "sample.item_unknown"),
        ("questions", {"request": "ITEM", "of": "nobody", "text": "x"}, "dora", "person.unknown"),
        ("questions", {"request": "ITEM", "of": "bob", "text": " "}, "dora", "input.invalid"),
        ("questions", {"request": "ITEM", "of": "bob", "text": "x"}, "carol", "permission.denied"),
        ("answers", {"number": 9, "text": "x"}, "carol", "sample.question_unknown"),
    ],
    ids=["other-item", "nobody", "nothing", "no-auditor", "no-question"],
)
def test_what_does_not_fit_a_sample_is_refused_and_on_record(
    sojourn: Running, path: str, body: dict[str, Any], person: str, code: str
) -> None:
    sample = _drawn(sojourn)
    sent = {name: sample["requests"][0] if value == "ITEM" else value for name, value in body.items()}
    answered = sojourn.post(f"/samples/{sample['sample']}/{path}", sent, person=person)
    assert answered["error"]["code"] == code
    attempts = sojourn.get("/attempts", person="dora")["attempts"]
    assert attempts[0]["code"] == code


def test_a_sample_is_unknown_to_whom_it_does_not_concern(sojourn: Running) -> None:
    sample = _drawn(sojourn)
    assert sojourn.get(f"/samples/{sample['sample']}", person="alice")["error"]["code"] == "sample.unknown"
    assert sojourn.get("/samples/sample-0000000000", person="dora")["error"]["code"] == "sample.unknown"


def _verified(*arguments: str, sojourn: Running) -> tuple[int, Any]:
    key = (sojourn.installation.layout.root / "ledger.vkey").read_text().strip()
    assert sojourn_verify.__file__ is not None
    command = [sys.executable, "-I", "-S", sojourn_verify.__file__, *arguments, "--key", key, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout)


def test_the_packs_of_a_sample_come_at_once_and_each_verifies_also_of_what_was_denied(
    sojourn: Running, tmp_path: Path
) -> None:
    sample = _drawn(sojourn)
    path = tmp_path / "packs.zip"
    done = sojourn.installation.sojourn("sample", "packs", sample["sample"], "--out", str(path), person="dora")
    assert done.returncode == 0, done.stderr
    statuses = set()
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == sorted(f"{one}.zip" for one in sample["requests"])
        for name in archive.namelist():
            (tmp_path / name).write_bytes(archive.read(name))
            assert _verified(str(tmp_path / name), sojourn=sojourn)[0] == 0
            with zipfile.ZipFile(io.BytesIO(archive.read(name))) as pack:
                story = json.loads(pack.read("grant.json"))
                assert "pack.pdf" in pack.namelist()
            statuses.add(story["status"])
    assert statuses == {"removed", "denied", "pending"}


def test_the_detached_signature_of_a_pack_leads_to_its_hash(sojourn: Running, tmp_path: Path) -> None:
    (denied,) = [one for one in sojourn.get("/requests", person="alice")["requests"] if one["status"] == "denied"]
    path = tmp_path / "pack.zip"
    command = ("evidence", denied["request"], "--out", str(path), "--signature")
    done = sojourn.installation.sojourn(*command, person="dora")
    assert done.returncode == 0, done.stderr
    status, told = _verified(f"{path}.tlog-proof", "--entry", f"{path}.entry", sojourn=sojourn)
    assert (status, told["problems"]) == (0, [])
    entry = json.loads(Path(f"{path}.entry").read_text())
    assert entry["body"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert entry["body"]["person"] == "dora"
    other = sojourn.get(f"/evidence-given/{entry['body']['sha256']}", person="bob")
    assert other["error"]["code"] == "evidence.unknown"


def test_an_auditor_asks_on_a_page_and_whoever_is_asked_answers_there(sojourn: Running) -> None:
    sample = _drawn(sojourn)
    path, item = f"/samples/{sample['sample']}", sample["requests"][0]
    alice, bob, carol, dora = (signed_in(sojourn, person) for person in ("alice", "bob", "carol", "dora"))
    assert f'href="{path}"' in dora.get("/samples").text
    assert "Nobody asks you anything" in alice.get("/samples").text
    assert alice.get(path).status_code == 404
    shown = dora.get(path).text
    assert f'href="/requests/{item}"' in shown and f'action="{path}/questions"' in shown
    # An administrator sees it all, and neither asks nor takes packs.
    assert f'action="{path}/questions"' not in carol.get(path).text and "/packs" not in carol.get(path).text
    hostile = "<script>alert(1)</script> why?"
    sent = dora.post(f"{path}/questions", {"request": item, "of": "bob", "text": hostile})
    assert (sent.status_code, sent.headers["location"]) == (303, path)
    asked = bob.get(path).text
    assert "&lt;script&gt;alert(1)" in asked and "<script>alert" not in asked
    assert f'action="{path}/answers"' in asked and "/packs" not in asked
    assert "1 of 1 open" in bob.get("/samples").text
    assert bob.post(f"{path}/answers", {"number": "1", "text": "because"}).headers["location"] == path
    for one in (bob, dora):
        answered = one.get(path).text
        assert "because" in answered and f'action="{path}/answers"' not in answered
    assert "open" not in _row(dora.get("/samples").text, path)
    packs = dora.get(f"{path}/packs")
    assert (packs.status_code, packs.headers["content-type"]) == (200, "application/zip")
    assert bob.get(f"{path}/packs").status_code == 403


def _row(page: str, path: str) -> str:
    """The row of a list that leads there."""
    return next(row for row in page.split("<tr>") if f'href="{path}"' in row)
