"""A pipeline comes in as a service by the ID token of its platform: through a real provider, API and command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.identity.openid_provider import RunningProvider, provider

from sojourn.demo.installation import PEOPLE_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import Running, running

AUDIENCE = "https://sojourn.example"
DEPLOYER = """\
  deployer:
    name: The pipeline
    kind: service
    owner: alice
    tells: [deployment]
    workloads:
      - issuer: "%s"
        audience: https://sojourn.example
        subject: pipeline
        claims: { environment: production }
        scope: [tell, read]
  idle: { name: Another service, kind: service, owner: alice }
teams:"""
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "client_id": "deployer",
}


@pytest.fixture(scope="module")
def platform() -> Iterator[RunningProvider]:
    """Where the pipeline runs."""
    with provider() as one:
        yield one


@pytest.fixture(scope="module")
def sojourn(
    tmp_path_factory: pytest.TempPathFactory, production: Production, platform: RunningProvider
) -> Iterator[Running]:
    """An installation with a service that the pipeline may come in as."""
    people = PEOPLE_FILE.replace("teams:", DEPLOYER % platform.issuer)
    people = people.replace("name: Bob Brook", "name: Bob Brook, administrator: true")
    with running(tmp_path_factory.mktemp("workloads") / "one", production, people=people) as one:
        yield one


def _exchange(sojourn: Running, token: str, **changed: str) -> httpx2.Response:
    address = f"{sojourn.installation.address}/api/v1/sign-in/workload"
    return httpx2.post(address, data={**EXCHANGE, "subject_token": token, **changed}, timeout=40)


def _send(sojourn: Running, method: str, path: str, made: str, body: Any = None) -> httpx2.Response:
    return sojourn.send(method, path, body, headers={"authorization": f"Bearer {made}"})


def _refused(answered: httpx2.Response) -> tuple[int, str, str]:
    error = answered.json()["error"]
    return answered.status_code, error["code"], error["message"]


def test_an_id_token_gets_a_short_lived_token_of_the_service(sojourn: Running, platform: RunningProvider) -> None:
    answered = _exchange(sojourn, platform.workload_token(AUDIENCE, environment="production"))
    assert answered.status_code == 200, answered.text
    made = answered.json()
    assert (made["token_type"], made["expires_in"], made["scope"]) == ("Bearer", 900, "read tell")
    token = made["access_token"]
    assert _send(sojourn, "GET", "/me", token).json()["person"] == "deployer"
    (shown,) = [one for one in _send(sojourn, "GET", "/sign-ins", token).json()["sign_ins"] if one["current"]]
    assert (shown["label"], shown["scope"], shown["expires_at"]) == ("pipeline", ["read", "tell"], made["expires_at"])
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    told = {"fact": "deployment", "subject": "shop", "until": until, "origin": "ci", "people": ["bob"]}
    # What it may do is what the service may do, and within the scope.
    assert _send(sojourn, "POST", "/facts", token, told).status_code == 200
    ticket = {**told, "fact": "ticket", "subject": "OPS-1", "state": "open", "sort": "change"}
    assert _refused(_send(sojourn, "POST", "/facts", token, ticket))[0] == 403
    asked = {"target": "shop", "role": "read", "duration": "10m", "reason": "x"}
    assert _refused(_send(sojourn, "POST", "/requests", token, asked))[1] == "permission.denied"


def test_a_narrower_scope_can_be_asked_for_and_no_wider_one(sojourn: Running, platform: RunningProvider) -> None:
    token = platform.workload_token(AUDIENCE, environment="production")
    narrow = _exchange(sojourn, token, scope="read").json()
    assert narrow["scope"] == "read"
    answered = _refused(_send(sojourn, "POST", "/facts", narrow["access_token"], {}))
    assert answered[1] in ("permission.denied", "input.invalid")
    assert _refused(_exchange(sojourn, token, scope="read ask"))[:2] == (401, "workload.refused")
    assert _refused(_exchange(sojourn, token, scope="everything"))[1] == "input.invalid"


def test_any_other_token_and_any_other_service_is_refused_and_on_record(
    sojourn: Running, platform: RunningProvider
) -> None:
    right = platform.workload_token(AUDIENCE, environment="production")
    status, code, message = _refused(_exchange(sojourn, platform.workload_token(AUDIENCE, environment="test")))
    assert (status, code, "its claim environment is test" in message) == (401, "workload.refused", True)
    other = platform.workload_token("https://elsewhere.example", environment="production")
    assert _refused(_exchange(sojourn, other))[:2] == (401, "workload.refused")
    unknown = _refused(_exchange(sojourn, right, client_id="nobody"))
    without = _refused(_exchange(sojourn, right, client_id="idle"))
    human = _refused(_exchange(sojourn, right, client_id="alice"))
    assert [one[:2] for one in (unknown, without, human)] == [(401, "workload.refused")] * 3
    # Who exists cannot be told from the answer.
    assert unknown[2].replace("nobody", "idle") == without[2] == human[2].replace("alice", "idle")
    assert _refused(_exchange(sojourn, right, grant_type="password"))[1] == "input.invalid"
    recorded = sojourn.get("/attempts", person="carol")["attempts"]
    assert {"workload.refused"} <= {one["code"] for one in recorded if one["verb"] == "exchange"}


def test_the_command_line_of_a_pipeline_comes_in_by_its_id_token(
    sojourn: Running, platform: RunningProvider, tmp_path: Path
) -> None:
    place = ["--client-dir", str(tmp_path)]
    command = [sys.executable, "-m", "sojourn"]
    login = [*command, "login", "deployer", "--workload", "--url", sojourn.installation.address, *place]
    token = platform.workload_token(AUDIENCE, environment="production")
    done = subprocess.run(login, input=token + "\n", capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout[:22]) == (0, "Signed in as deployer "), done.stderr
    shown = subprocess.run(
        [*command, "whoami", "--json", *place], capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(shown.stdout)["person"] == "deployer"
    stale = subprocess.run(login, input="a.b.c", capture_output=True, text=True, timeout=120, check=False)
    assert (stale.returncode != 0, "no workload of that name" in stale.stderr) == (True, True), stale.stderr


def test_two_people_let_a_workload_in_and_out_and_its_token_goes_with_it(
    sojourn: Running, platform: RunningProvider
) -> None:
    right = platform.workload_token(AUDIENCE, environment="production")
    made = _exchange(sojourn, right).json()["access_token"]
    files = sojourn.get("/configuration/files", person="carol")["files"]
    for before, after, status in (
        ("subject: pipeline", "subject: another", 200),
        ("issuer: ", "issuer: https://x/", 401),
    ):
        files = {**files, "people.yaml": files["people.yaml"].replace(before, after)}
        files["people.yaml"] = re.sub(r'https://x/".*"', "https://x.example", files["people.yaml"])
        proposed = sojourn.post("/configuration/changes", {"files": files, "reason": "moved"}, person="carol")
        alone = sojourn.send(
            "POST", f"/configuration/changes/{proposed['change']}/approve", _said(proposed), person="carol"
        )
        assert alone.status_code == 403
        # Nothing has changed before the second of them said so.
        assert _send(sojourn, "GET", "/me", made).status_code == 200
        approved = sojourn.post(f"/configuration/changes/{proposed['change']}/approve", _said(proposed), person="bob")
        assert approved["status"] == "approved", approved
        assert _refused(_exchange(sojourn, right))[1] == "workload.refused"
        assert _send(sojourn, "GET", "/me", made).status_code == status


def _said(proposed: Any) -> dict[str, str]:
    return {"digest": proposed["digest"]}
