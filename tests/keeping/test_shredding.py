"""A person's statements and reasons are made unreadable by two people, and every proof stays whole."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import sojourn_verify
from sojourn.testing.installation import Running

# One after the other: each goes on from what the ones before have left on record.
pytestmark = pytest.mark.integration

MARKER = "the-secret-of-order-4711"


def _connected(sojourn: Running, tmp_path: Path) -> psycopg.Connection[Any]:
    told = sojourn.post("/targets/shop/connection", {"role": "read"}, person="alice")
    authority = tmp_path / "authority.crt"
    authority.write_text(told["authority"])
    return psycopg.connect(
        host=told["host"],
        port=told["port"],
        user=told["user"],
        password=told["token"],
        dbname=told["database"],
        sslmode="verify-full",
        sslrootcert=str(authority),
        autocommit=True,
    )


def _wrapped(sojourn: Running, subject: str) -> list[bytes]:
    with sqlite3.connect(f"file:{sojourn.installation.layout.ledger}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT wrapped FROM sealing_key WHERE subject LIKE ?", (subject,)).fetchall()
    store.close()
    return [row[0] for row in rows]


def _verifies(sojourn: Running, target: Path, tmp_path: Path) -> bool:
    key = tmp_path / "elsewhere.vkey"
    key.write_text(sojourn.installation.layout.verifier_key.read_text())
    return sojourn_verify.main([str(target), "--key", str(key)]) == 0


def _story(pack: Path) -> Any:
    with zipfile.ZipFile(pack) as archive:
        return json.loads(archive.read("grant.json"))


@pytest.fixture(scope="module")
def session(sojourn: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection[Any]]:
    """alice's session, in which she has said something about a customer."""
    sojourn.granted()
    with _connected(sojourn, tmp_path_factory.mktemp("alice")) as connection:
        connection.execute(f"select '{MARKER}'")
        yield connection


def _ask(sojourn: Running, *arguments: str, person: str) -> Any:
    return sojourn.installation.ask(*arguments, person=person)


def test_two_people_shred_what_somebody_said_and_the_proofs_stay(
    sojourn: Running, session: psycopg.Connection[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grant = sojourn.get("/grants?status=active", person="dora")["grants"][0]["grant"]
    before = tmp_path / "before.zip"
    _ask(sojourn, "evidence", grant, "--out", str(before), person="dora")
    assert MARKER in json.dumps(_story(before))
    secrets = _wrapped(sojourn, "alice/%")
    assert {len(secret) for secret in secrets} == {80}

    asked = _ask(sojourn, "shred", "alice", "--reason", "asked for erasure", person="carol")
    name = asked["shredding"]
    assert (asked["status"], asked["classes"]) == ("pending", ["reason", "recording", "statement"])
    assert _ask(sojourn, "shred", "--confirm", name, person="carol")["error"]["code"] == "shredding.self"
    assert _ask(sojourn, "shred", "--confirm", name, person="dora")["error"]["code"] == "permission.denied"
    after = tmp_path / "still.zip"
    _ask(sojourn, "evidence", grant, "--out", str(after), person="dora")
    assert MARKER in json.dumps(_story(after)), "nothing is destroyed before a second person confirms"

    done = _ask(sojourn, "shred", "--confirm", name, person="bob")
    assert (done["status"], done["requested_by"], done["confirmed_by"]) == ("done", "carol", "bob")
    assert done["keys"] >= 2 and done["values"] >= 2
    content = b"".join(path.read_bytes() for path in sorted(sojourn.installation.layout.root.glob("ledger.db*")))
    gone = [secret for secret in secrets if secret not in content]
    assert len(gone) == done["keys"]
    assert sum(not any(secret) for secret in _wrapped(sojourn, "alice/%")) == done["keys"]

    pack = tmp_path / "after.zip"
    _ask(sojourn, "evidence", grant, "--out", str(pack), person="dora")
    story = _story(pack)
    assert MARKER not in json.dumps(story)
    assert story["request"]["reason"] == "(shredded)"
    assert story["sessions"][0]["actions"][0]["text"] == "(shredded)"
    assert {one["cause"] for one in story["shredded"]} == {name}
    assert _verifies(sojourn, pack, tmp_path) and _verifies(sojourn, before, tmp_path)
    request = sojourn.get("/requests", person="dora")["requests"][0]
    assert request["reason"] == "(shredded)"
    shown = sojourn.installation.sojourn("show", request["request"], person="dora").stdout
    assert "(shredded)" in shown

    certificate = tmp_path / "certificate.zip"
    _ask(sojourn, "retention", "certificate", name, "--out", str(certificate), person="dora")
    with zipfile.ZipFile(certificate) as archive:
        text = archive.read("certificate.txt").decode()
    assert f"Certificate of shredding {name}" in text
    assert "Asked for by  carol" in text and "Confirmed by  bob" in text
    assert f"{done['keys']} sealing keys; {done['values']} values no longer open" in text
    assert _verifies(sojourn, certificate, tmp_path), capsys.readouterr()

    sojourn.get("/ledger", person="dora")
    assert _verifies(sojourn, sojourn.installation.layout.ledger, tmp_path), capsys.readouterr()
    assert _ask(sojourn, "shred", "--confirm", name, person="bob")["error"]["code"] == "shredding.not_pending"


def test_work_goes_on_under_fresh_keys_and_can_be_read(
    sojourn: Running, session: psycopg.Connection[Any], tmp_path: Path
) -> None:
    grant = sojourn.get("/grants?status=active", person="dora")["grants"][0]["grant"]
    session.execute("select 'said afterwards'")
    pack = tmp_path / "after.zip"
    _ask(sojourn, "evidence", grant, "--out", str(pack), person="dora")
    assert "said afterwards" in json.dumps(_story(pack))
    again = sojourn.requested(reason="after the shredding")
    assert again["reason"] == "after the shredding"


def test_the_password_outlives_a_shredding_that_does_not_name_credentials(sojourn: Running) -> None:
    signed = sojourn.send("POST", "/sign-in", {"person": "alice", "password": "correct horse battery"})
    assert signed.status_code == 200


def test_what_is_held_is_not_shredded_until_two_people_released_it(
    sojourn: Running, session: psycopg.Connection[Any]
) -> None:
    grant = sojourn.get("/grants?status=active", person="dora")["grants"][0]["grant"]
    asked = _ask(sojourn, "shred", "alice", "--reason", "again", person="carol")
    held = _ask(sojourn, "hold", "place", "--grant", grant, "--reason", "case 12", person="carol")
    assert (held["status"], held["people"], held["end"]) == ("in force", ["alice", "bob"], None)
    refused = _ask(sojourn, "shred", "--confirm", asked["shredding"], person="bob")["error"]
    assert (refused["code"], refused["details"]) == ("hold.in_force", {"holds": held["hold"]})
    later = _ask(sojourn, "shred", "alice", "--reason", "once more", person="carol")["error"]
    assert later["code"] == "hold.in_force"
    first = _ask(sojourn, "hold", "release", held["hold"], person="carol")
    assert first["status"] == "release asked for"
    assert _ask(sojourn, "hold", "release", held["hold"], person="carol")["error"]["code"] == "hold.self"
    assert _ask(sojourn, "shred", "--confirm", asked["shredding"], person="bob")["error"]["code"] == "hold.in_force"
    assert _ask(sojourn, "hold", "release", held["hold"], person="alice")["error"]["code"] == "permission.denied"
    second = _ask(sojourn, "hold", "release", held["hold"], person="bob")
    assert (second["status"], second["release_confirmed_by"]) == ("released", "bob")
    assert _ask(sojourn, "hold", "list", person="dora")["holds"] == []
    assert len(_ask(sojourn, "hold", "list", "--all", person="dora")["holds"]) == 1
    assert _ask(sojourn, "shred", "--confirm", asked["shredding"], person="bob")["status"] == "done"
    codes = [one["code"] for one in sojourn.get("/attempts?actor=bob", person="dora")["attempts"]]
    assert codes.count("hold.in_force") >= 2, "every refusal is on record"


def test_a_shredding_can_be_withdrawn_and_is_listed(sojourn: Running) -> None:
    sojourn.requested(reason="for the next test")
    asked = _ask(sojourn, "shred", "alice", "--class", "reason", "--reason", "mistake", person="carol")
    assert asked["classes"] == ["reason"]
    assert _ask(sojourn, "shred", "--withdraw", asked["shredding"], person="bob")["status"] == "withdrawn"
    listed = _ask(sojourn, "shred", person="dora")["shreddings"]
    assert [one["status"] for one in listed] == ["done", "done", "withdrawn"]
    assert sojourn.send("GET", "/shreddings", person="alice").status_code == 403


def test_a_retention_is_changed_by_two_people_only(sojourn: Running) -> None:
    def days(answered: Any) -> int:
        return int(next(one["days"] for one in answered["classes"] if one["record_class"] == "statement"))

    before = days(_ask(sojourn, "retention", "show", person="carol"))
    assert days(_ask(sojourn, "retention", "set", "statement", "3000", person="carol")) == before != 3000
    assert days(_ask(sojourn, "retention", "confirm", "statement", "3000", person="bob")) == 3000
    asked = _ask(sojourn, "retention", "set", "statement", "400", person="carol")
    assert days(asked) == 3000
    assert (
        _ask(sojourn, "retention", "confirm", "statement", "400", person="carol")["error"]["code"] == "retention.self"
    )
    assert days(_ask(sojourn, "retention", "confirm", "statement", "400", person="bob")) == 400
    below = _ask(sojourn, "retention", "set", "access_evidence", "2556", person="carol")["error"]
    assert (below["code"], below["details"]["floor"]) == ("retention.below_floor", "2557")
    _ask(sojourn, "retention", "set", "reason", "400", person="carol")
    withdrawn = _ask(sojourn, "retention", "withdraw", "reason", person="bob")
    assert {one["change_days"] for one in withdrawn["classes"]} == {None}
    nothing = _ask(sojourn, "retention", "dispose", person="bob")["error"]
    assert nothing["code"] == "retention.nothing_due"
    table = sojourn.installation.sojourn("retention", "show", person="dora").stdout
    assert "access_evidence" in table and "Nothing was disposed of." in table


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/holds", {"scope": "planet", "reason": "x"}),
        ("/holds", {"scope": "period", "reason": "x"}),
        ("/holds", {"scope": "period", "start": "yesterday", "reason": "x"}),
        ("/holds", {"scope": "period", "start": "2026-01-01T00:00:00+01:00", "reason": "x"}),
        ("/holds", {"scope": "person", "name": "alice", "reason": " "}),
        ("/shreddings", {"person": "alice", "classes": ["access_evidence"], "reason": "x"}),
        ("/shreddings", {"person": "alice", "classes": ["nothing"], "reason": "x"}),
        ("/shreddings", {"person": "alice"}),
        ("/retention", {"record_class": "statement", "days": 10**9}),
        ("/retention", {"record_class": "planet", "days": 400}),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_next_step(sojourn: Running, path: str, body: object) -> None:
    answered = sojourn.send("POST", path, body, person="carol")
    assert answered.status_code == 422
    assert answered.json()["error"]["code"] == "input.invalid"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/holds/h-0/release", "hold.unknown"),
        ("/shreddings/sh-0/confirm", "shredding.unknown"),
        ("/shreddings/sh-0/withdraw", "shredding.unknown"),
        ("/retention/recording/withdraw", "retention.not_pending"),
    ],
)
def test_what_is_not_there_is_told_apart(sojourn: Running, path: str, code: str) -> None:
    assert sojourn.post(path, person="carol")["error"]["code"] == code


def test_there_is_no_certificate_of_what_was_not_done(sojourn: Running) -> None:
    assert sojourn.get("/disposals/d-0/certificate", person="dora")["error"]["code"] == "disposal.unknown"
    assert sojourn.send("GET", "/disposals/d-0/certificate", person="alice").status_code == 403
