"""Signing in at a real OpenID provider with a browser and from the command line, and from there to a team."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.identity.openid_provider import SECRET, RunningProvider, provider

from sojourn.demo.installation import PEOPLE_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import Running, running
from sojourn.web.exchange import COOKIE
from sojourn.web.pages.provider import WAY

SETTINGS = """\
gateway: { port: 0 }
control: { port: 0 }
scribe: { origin: sojourn-demo.localhost/ledger }
oidc: { issuer: "%s", name: the company, client: sojourn, secret: oidc, scopes: openid profile groups }
"""


@pytest.fixture(scope="module")
def company() -> Iterator[RunningProvider]:
    """The company's provider."""
    with provider() as one:
        yield one


@pytest.fixture(scope="module")
def sojourn(
    tmp_path_factory: pytest.TempPathFactory, production: Production, company: RunningProvider
) -> Iterator[Running]:
    """An installation that asks the provider, and fills a team from one of its groups."""
    directory = tmp_path_factory.mktemp("sso") / "one"
    people = PEOPLE_FILE + "groups:\n  engineering: [idp-engineers]\n"
    with running(directory, production, people=people, settings=SETTINGS % company.issuer) as one:
        secret = one.installation.layout.configuration / "secrets" / "oidc"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        yield one


def _browse(sojourn: Running, company: RunningProvider) -> httpx2.Response:
    """From the sign-in page to the provider and back."""
    address = sojourn.installation.address
    sent = httpx2.get(f"{address}/sign-in/provider?next=/requests", timeout=40)
    assert sent.status_code == 303, sent.text
    back = company.walk(sent.headers["location"])
    port = address.rpartition(":")[2]
    assert back.startswith(f"http://localhost:{port}/sign-in/provider/callback?")
    cookies = {"cookie": f"{WAY}={sent.cookies[WAY]}"}
    return httpx2.get(back.replace("localhost", "127.0.0.1"), headers=cookies, timeout=40)


def test_a_browser_comes_back_signed_in_and_in_the_team_of_its_group(
    sojourn: Running, company: RunningProvider
) -> None:
    assert "Sign in with the company" in httpx2.get(f"{sojourn.installation.address}/sign-in", timeout=40).text
    company.at_the_browser("u-carol", preferred_username="carol", groups=["idp-engineers"])
    answered = _browse(sojourn, company)
    assert (answered.status_code, answered.headers["location"]) == (303, "/requests")
    cookie = {"cookie": f"{COOKIE}={answered.cookies[COOKIE]}"}
    me = httpx2.get(f"{sojourn.installation.address}/api/v1/me", headers=cookie, timeout=40).json()
    assert (me["person"], me["teams"]) == ("carol", ["engineering"])
    company.at_the_browser("u-carol", preferred_username="carol", groups=[])
    _browse(sojourn, company)
    assert sojourn.get("/me", person="carol")["teams"] == []


def test_a_way_that_this_browser_was_not_sent_on_signs_nobody_in(sojourn: Running, company: RunningProvider) -> None:
    company.at_the_browser("u-carol", preferred_username="carol")
    address = sojourn.installation.address
    sent = httpx2.get(f"{address}/sign-in/provider", timeout=40)
    back = company.walk(sent.headers["location"]).replace("localhost", "127.0.0.1")
    own = {"cookie": f"{WAY}={sent.cookies[WAY]}"}
    for headers, place in (
        ({}, back),
        (own, re.sub(r"state=[^&]+", "state=x", back)),
        (own, re.sub(r"iss=[^&]+", "iss=https://evil.example", back)),
    ):
        answered = httpx2.get(place, headers=headers, timeout=40)
        assert (answered.status_code, COOKIE in answered.cookies) == (401, False)
        assert "did not sign you in" in answered.text


def test_what_the_provider_says_no_to_reads_clearly(sojourn: Running, company: RunningProvider) -> None:
    company.at_the_browser("")
    answered = _browse(sojourn, company)
    assert (answered.status_code, "not today" in answered.text) == (401, True)
    company.at_the_browser("u-zoe", preferred_username="zoe")
    unknown = _browse(sojourn, company)
    assert (unknown.status_code, "calls you zoe" in unknown.text) == (403, True)


def test_the_command_line_signs_in_by_a_code_that_is_entered_elsewhere(
    sojourn: Running, company: RunningProvider, tmp_path: Path
) -> None:
    company.at_the_browser("u-bob", preferred_username="bob")
    command = [sys.executable, "-m", "sojourn", "login", "--oidc", "--url", sojourn.installation.address]
    done: list[str] = []
    with subprocess.Popen(
        [*command, "--client-dir", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        told = process.stderr.readline()
        found = re.search(r"Go to (\S+) and enter (\S+)\.", told)
        assert found is not None, told
        reading = threading.Thread(target=lambda: done.append(process.stdout.read() if process.stdout else ""))
        reading.start()
        company.enter(found[1], found[2])
        assert process.wait(90) == 0, process.stderr.read()
        reading.join(30)
    assert done[0].startswith("Signed in as bob until ")
    assert (tmp_path / "bob.json").exists()


def test_without_a_provider_nothing_of_it_is_offered(
    tmp_path_factory: pytest.TempPathFactory, production: Production
) -> None:
    with running(tmp_path_factory.mktemp("none") / "one", production) as one:
        assert "/sign-in/provider" not in httpx2.get(f"{one.installation.address}/sign-in", timeout=40).text
        refused = one.send("POST", "/sign-in/device", {})
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "provider.none")
