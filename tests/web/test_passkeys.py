"""Passkeys over the API, as the script of a page uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn.app.offline import invite_as_operator
from sojourn.demo.production import Production
from sojourn.testing.authenticator import Authenticator
from sojourn.testing.installation import PASSWORD, Running, running

PEOPLE = """\
people:
  alice: { name: Alice Arden }
  bob: { name: Bob Berg }
  carol: { name: Carol Chen, administrator: true }
  dora: { name: Dora Diaz, auditor: true }
  eve: { name: Eve Engel }
teams:
  engineering: [alice, bob]
"""


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation with one more person, who has no account."""
    with running(tmp_path_factory.mktemp("passkeys") / "one", production, people=PEOPLE) as one:
        yield one


def _browser(sojourn: Running) -> Authenticator:
    return Authenticator(f"http://localhost:{sojourn.installation.address.rpartition(':')[2]}")


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _code(answered: httpx2.Response) -> tuple[int, str]:
    return answered.status_code, answered.json()["error"]["code"]


def _made(sojourn: Running, browser: Authenticator, headers: dict[str, str], **whom: str) -> httpx2.Response:
    asked = sojourn.send("POST", "/passkeys/options", whom, headers=headers).raise_for_status().json()
    made = {"ticket": asked["ticket"], "credential": browser.create(asked["public_key"]), "label": "phone", **whom}
    return sojourn.send("POST", "/passkeys", made, headers=headers)


def _signed_in(sojourn: Running, browser: Authenticator) -> httpx2.Response:
    asked = sojourn.send("POST", "/sign-in/passkey/options", {}).raise_for_status().json()
    answer = {"ticket": asked["ticket"], "credential": browser.get(asked["public_key"])}
    return sojourn.send("POST", "/sign-in/passkey", answer)


def test_somebody_invited_sets_up_an_account_without_any_password(sojourn: Running) -> None:
    browser = _browser(sojourn)
    code = invite_as_operator(sojourn.installation.layout, "eve")["code"]
    made = _made(sojourn, browser, {}, person="eve", code=code)
    assert (made.status_code, made.json()["label"], made.json()["rp_id"]) == (200, "phone", "localhost")
    signed = _signed_in(sojourn, browser).json()
    assert signed["person"] == "eve"
    assert sojourn.send("GET", "/me", headers=_bearer(signed["token"])).json()["person"] == "eve"
    password = sojourn.send("POST", "/sign-in", {"person": "eve", "password": PASSWORD})
    assert _code(password) == (401, "credentials.invalid")
    (shown,) = sojourn.send("GET", "/passkeys", headers=_bearer(signed["token"])).json()["passkeys"]
    last = sojourn.send("POST", f"/passkeys/{shown['passkey']}/remove", {}, headers=_bearer(signed["token"]))
    assert _code(last) == (409, "passkey.last")


def test_somebody_who_has_just_signed_in_adds_one_and_removes_it(sojourn: Running) -> None:
    browser = _browser(sojourn)
    signed = sojourn.send("POST", "/sign-in", {"person": "bob", "password": PASSWORD}).json()
    made = _made(sojourn, browser, _bearer(signed["token"])).raise_for_status().json()
    assert _signed_in(sojourn, browser).json()["person"] == "bob"
    path = f"/passkeys/{made['passkey']}/remove"
    assert _code(sojourn.send("POST", path, {}, person="alice"))[1] in ("passkey.unknown", "sign_in.stale")
    assert sojourn.send("POST", path, {}, headers=_bearer(signed["token"])).status_code == 200
    assert _code(_signed_in(sojourn, browser)) == (401, "credentials.invalid")
    assert sojourn.send("GET", "/passkeys", headers=_bearer(signed["token"])).json() == {"passkeys": []}


@pytest.mark.parametrize(
    "sent", [{}, {"person": "alice"}, {"person": "alice", "code": ""}], ids=["no", "name", "empty"]
)
def test_without_a_code_or_a_sign_in_nobody_makes_a_passkey(sojourn: Running, sent: dict[str, str]) -> None:
    assert _code(sojourn.send("POST", "/passkeys/options", sent)) == (401, "credentials.missing")
    made: dict[str, Any] = {"ticket": "", "credential": {}, "label": "x", **sent}
    assert _code(sojourn.send("POST", "/passkeys", made)) == (401, "credentials.missing")


def test_passkeys_of_another_address_than_the_public_one_open_nothing(sojourn: Running) -> None:
    elsewhere = Authenticator("https://sojourn.evil.example")
    signed = sojourn.send("POST", "/sign-in", {"person": "bob", "password": PASSWORD}).json()
    made = _made(sojourn, elsewhere, _bearer(signed["token"]))
    assert _code(made) == (422, "passkey.invalid")


def test_a_setting_that_passkeys_cannot_answer_for_is_refused(tmp_path: Path) -> None:
    from sojourn.configuration import read_settings
    from sojourn.errors import SojournError

    def read(address: str) -> str:
        (tmp_path / "settings.yaml").write_text(f"control: {{ public_url: {address!r} }}\n")
        return read_settings(tmp_path).control.public_url

    for fit in ("https://sojourn.example", "https://sojourn.example:8443", "http://localhost:6580", ""):
        assert read(fit) == fit
    unfit = (
        "http://sojourn.example",
        "https://192.0.2.7",
        "https://s.example/path",
        "https://",
        "http://localhost.evil",
    )
    for one in unfit:
        with pytest.raises(SojournError, match="no address that passkeys"):
            read(one)
