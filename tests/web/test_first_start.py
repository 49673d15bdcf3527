"""The first start: a link that sets up the first account, printed once; then codes beside the password."""

from __future__ import annotations

import base64
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from sojourn.demo.installation import (
    PEOPLE_FILE,
    POLICY_FILE,
    SETTINGS_FILE,
    TARGETS_FILE,
    Installation,
    installation,
)
from sojourn.demo.production import Production
from sojourn.identity import totp
from sojourn.testing.installation import PASSWORD, SECONDS

LINK = re.compile(r"link='?([^\s']+)'?")


def _links(one: Installation) -> list[str]:
    return LINK.findall((one.layout.root.parent / "serve.log").read_text(errors="replace"))


def _first_link(one: Installation) -> str:
    """The link, which is printed once the address is known, and so a moment after the first answer."""
    deadline = time.monotonic() + SECONDS
    while not (found := _links(one)):
        assert time.monotonic() < deadline, "no link is printed"
        time.sleep(0.05)
    (link,) = found
    return link


def test_the_first_start_prints_a_link_and_no_later_one_does(
    tmp_path_factory: pytest.TempPathFactory, production: Production
) -> None:
    # The scribe's socket lies in it, and its address has to be short.
    tmp_path = tmp_path_factory.mktemp("first")
    files: dict[str, Any] = {
        "people": PEOPLE_FILE,
        "policy": POLICY_FILE,
        "targets": TARGETS_FILE,
        "settings": SETTINGS_FILE,
    }
    with installation(tmp_path / "one", production, **files) as one:
        link = _first_link(one)
        parts = urlsplit(link)
        person, code = parse_qs(parts.query)["person"][0], parse_qs(parts.fragment)["code"][0]
        assert (person, parts.path, parts.hostname) == ("carol", "/enrol", "localhost")
        with httpx2.Client(base_url=one.address, headers={"origin": one.address}, timeout=40) as browser:
            assert "One-time code" in browser.get("/enrol", params={"person": person}).text
            form = {"person": person, "code": code, "password": PASSWORD}
            wrong = browser.post("/enrol", data={**form, "code": "guessed"})
            assert (wrong.status_code, "unknown, used or expired" in wrong.text) == (401, True)
            assert browser.post("/enrol", data=form).headers["location"] == "/sign-in"
            assert browser.post("/enrol", data=form).status_code == 401
        signed = httpx2.post(f"{one.address}/api/v1/sign-in", json={"person": person, "password": PASSWORD}, timeout=40)
        _second_factor(one, person, {"authorization": f"Bearer {signed.json()['token']}"})
        one.stop()
        one.start()
        assert _links(one) == [link]


def _second_factor(one: Installation, person: str, bearer: dict[str, str]) -> None:
    """The person has codes asked for, and the password alone opens nothing any more, neither here nor with pages."""
    api = f"{one.address}/api/v1"
    offered = httpx2.post(f"{api}/second-factor/options", json={}, headers=bearer, timeout=40).json()
    secret = base64.b32decode(offered["secret"])
    step = totp.step_of(_now())
    sent = {"ticket": offered["ticket"], "code": totp.code_at(secret, step - 1)}
    httpx2.post(f"{api}/second-factor", json=sent, headers=bearer, timeout=40).raise_for_status()
    alone = httpx2.post(f"{api}/sign-in", json={"person": person, "password": PASSWORD}, timeout=40)
    assert alone.json()["error"]["code"] == "second_factor.missing"
    with_code = {"person": person, "password": PASSWORD, "code": totp.code_at(secret, step)}
    assert httpx2.post(f"{api}/sign-in", json=with_code, timeout=40).status_code == 200
    again = httpx2.post(f"{api}/sign-in", json=with_code, timeout=40)
    assert again.json()["error"]["code"] == "credentials.invalid"


def _now() -> Any:
    from sojourn.app.ambient import SystemClock

    return SystemClock().now()
