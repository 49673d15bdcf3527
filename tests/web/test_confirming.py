"""Decisions that their person signs with a passkey, and an auditor who checks that from the evidence pack alone."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature

import sojourn_verify
from sojourn.demo.production import Production
from sojourn.testing.auditor import check_signature, entries_of
from sojourn.testing.authenticator import Authenticator
from sojourn.testing.installation import PASSWORD, Running, running


@pytest.fixture(scope="module")
def browser() -> Authenticator:
    """Bob's, and carol's: each has a passkey in it."""
    return Authenticator("")


@pytest.fixture(scope="module")
def sojourn(
    tmp_path_factory: pytest.TempPathFactory, production: Production, browser: Authenticator
) -> Iterator[Running]:
    """An installation in which bob, who approves, has a passkey, and alice has none."""
    with running(tmp_path_factory.mktemp("confirming") / "one", production) as one:
        browser.origin = f"http://localhost:{one.installation.address.rpartition(':')[2]}"
        signed = one.send("POST", "/sign-in", {"person": "bob", "password": PASSWORD}).json()
        headers = {"authorization": f"Bearer {signed['token']}"}
        asked = one.send("POST", "/passkeys/options", {}, headers=headers).json()
        made = {"ticket": asked["ticket"], "credential": browser.create(asked["public_key"]), "label": "bob's phone"}
        one.send("POST", "/passkeys", made, headers=headers).raise_for_status()
        yield one


def _signature(sojourn: Running, browser: Authenticator, action: str, subject: str, **details: str) -> dict[str, str]:
    """What bob's browser sends along with a decision."""
    sent = {"action": action, "subject": subject, "details": details}
    asked = sojourn.post("/confirmations/options", sent, person="bob")
    answer = json.dumps(browser.get(asked["public_key"]))
    return {"confirmation": asked["ticket"], "checkpoint": asked["checkpoint"], "credential": answer}


def _code(answered: httpx2.Response) -> tuple[int, str]:
    return answered.status_code, answered.json()["error"]["code"]


def test_an_approval_is_signed_and_an_auditor_checks_it_from_the_pack_alone(
    sojourn: Running, browser: Authenticator, tmp_path: Path
) -> None:
    asked = sojourn.requested()
    path = f"/requests/{asked['request']}/approve"
    without = sojourn.send("POST", path, {"digest": asked["digest"]}, person="bob")
    assert _code(without) == (403, "confirmation.needed")
    signature = _signature(sojourn, browser, "request.approve", f"request/{asked['request']}", digest=asked["digest"])
    sojourn.send("POST", path, {"digest": asked["digest"], **signature}, person="bob").raise_for_status()
    grant = sojourn.post(f"/requests/{asked['request']}/activate", person="alice")["grant"]

    pack = sojourn.send("GET", f"/grants/{grant}/evidence", person="dora").content
    (tmp_path / "pack.zip").write_bytes(pack)
    key = sojourn.installation.layout.verifier_key.read_text().strip()
    assert sojourn_verify.main([str(tmp_path / "pack.zip"), "--key", key]) == 0
    entries = entries_of(pack)
    (decision,) = [one for one in entries if one["kind"] == "request.approved"]
    (added,) = [one for one in entries if one["kind"] == "account.passkey_added"]
    assert check_signature(decision, added) == {
        "action": "request.approve",
        "person": "bob",
        "subject": f"request/{asked['request']}",
        "digest": asked["digest"],
    }
    for altered in _altered(decision):
        with pytest.raises((AssertionError, InvalidSignature, ValueError)):
            check_signature(altered, added)
    with zipfile.ZipFile(BytesIO(pack)) as archive:
        page = archive.read("index.html").decode()
        assert "bob's phone" not in page + archive.read("disclosed.json").decode()
    assert f"signed with passkey {added['body']['passkey']}" in page


def _altered(decision: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entry with one part of its confirmation changed at a time, as somebody who rewrites history would."""
    confirmation = decision["body"]["confirmation"]
    changes = {
        "statement": confirmation["statement"].replace("request.approve", "request.deny"),
        "checkpoint": confirmation["checkpoint"].replace("\n", "\n9", 1),
        "signature": confirmation["signature"][:-4] + "AAAA",
        "authenticator_data": confirmation["authenticator_data"][:-4] + "AAAA",
        "client_data": confirmation["client_data"][:-8] + confirmation["client_data"][-4:],
    }
    for name, value in changes.items():
        assert value != confirmation[name]
        body = {**decision["body"], "confirmation": {**confirmation, name: value}}
        yield {**decision, "body": body}


def test_less_than_was_asked_is_signed_as_it_is_given(sojourn: Running, browser: Authenticator) -> None:
    asked = sojourn.requested(duration="20m")
    subject, digest = f"request/{asked['request']}", asked["digest"]
    path = f"/requests/{asked['request']}/approve-less"
    less = {"digest": digest, "role": "read", "duration": "5m"}
    for_more = _signature(sojourn, browser, "request.approve_less", subject, digest=digest, role="read", seconds="900")
    assert _code(sojourn.send("POST", path, {**less, **for_more}, person="bob")) == (422, "passkey.invalid")
    signed = _signature(sojourn, browser, "request.approve_less", subject, digest=digest, role="read", seconds="300")
    assert sojourn.send("POST", path, {**less, **signed}, person="bob").json()["duration_seconds"] == 300


def test_the_command_line_confirms_with_the_password(sojourn: Running) -> None:
    asked = sojourn.requested()
    done = sojourn.installation.sojourn("login", "bob", "--url", sojourn.installation.address, stdin=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    wrong = sojourn.installation.sojourn("approve", asked["request"], "--yes", person="bob", stdin="no password\n")
    assert "credentials.invalid" in wrong.stderr
    done = sojourn.installation.sojourn("approve", asked["request"], "--yes", person="bob", stdin=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr


def test_nobody_confirms_who_denies_or_has_no_passkey(sojourn: Running) -> None:
    assert (sojourn.get("/me", person="bob")["confirms"], sojourn.get("/me", person="alice")["confirms"]) == (
        "passkey_or_password",
        "",
    )
    asked = sojourn.requested()
    denied = sojourn.send("POST", f"/requests/{asked['request']}/deny", {"digest": asked["digest"]}, person="bob")
    assert denied.json()["status"] == "denied"


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "request.deny", "subject": "request/r-1"},
        {"action": "request.approve", "subject": "request/r-1"},
        {"action": "hold.release", "subject": "hold/h-1", "details": {"digest": "d"}},
    ],
    ids=["unknown", "lacking", "too_much"],
)
def test_only_whole_decisions_are_offered_for_signing(sojourn: Running, sent: dict[str, Any]) -> None:
    assert _code(sojourn.send("POST", "/confirmations/options", sent, person="bob")) == (422, "input.invalid")


def test_who_has_no_passkey_is_offered_nothing_to_sign(sojourn: Running) -> None:
    sent = {"action": "hold.release", "subject": "hold/h-1"}
    assert _code(sojourn.send("POST", "/confirmations/options", sent, person="carol")) == (404, "passkey.unknown")
