"""The negative-test kit on a running installation: it finds every control at work, and sees when one is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify
from sojourn.demo.installation import POLICY_FILE, SETTINGS_FILE, TARGETS_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running

TARGETS = TARGETS_FILE.replace("    kind: postgres\n", "    kind: postgres\n    labels: {{ sandbox: 'yes' }}\n") + (
    "      everything:\n"
    "        description: What nobody may have\n"
    "        privileges: [{{ schema: shop, tables: all, verbs: [delete] }}]\n"
)
POLICY = POLICY_FILE.replace("roles: [read, fix-status]", "roles: [read]") + (
    "  with-a-ticket:\n"
    "    who: { teams: [engineering] }\n"
    "    targets: [shop]\n"
    "    roles: [fix-status]\n"
    "    longest: 1h\n"
    "    approvers: { teams: [engineering] }\n"
    "    ticket: { kinds: [change], states: [approved] }\n"
)
SETTINGS = SETTINGS_FILE.replace("control: { port: 0 }", "control: { port: 0, reconcile_seconds: 1 }")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation with a target to try things on; alice and bob are signed in with `sojourn login`."""
    directory = tmp_path_factory.mktemp("prove") / "one"
    with running(directory, production, targets=TARGETS, policy=POLICY, settings=SETTINGS) as one:
        for person in ("alice", "bob"):
            done = one.installation.sojourn("login", person, "--url", one.installation.address, stdin=PASSWORD + "\n")
            assert done.returncode == 0, done.stderr
        yield one


def _prove(sandbox: Running, *more: str, target: str = "shop") -> subprocess.CompletedProcess[str]:
    people = ["--requester", "alice", "--approver", "bob"]
    data = ["--data", str(sandbox.installation.layout.root)]
    return sandbox.installation.sojourn("controls", "prove", target, "--role", "read", *people, *data, *more)


def test_every_control_holds_on_a_running_system_and_the_result_is_signed(sandbox: Running, tmp_path: Path) -> None:
    result = tmp_path / "proof.json"
    done = _prove(sandbox, "--json", "--result", str(result))
    told: dict[str, Any] = json.loads(done.stdout)
    failed = [one for one in told["probes"] if not one["passed"]]
    assert (failed, done.returncode) == ([], 0), done.stderr
    assert {one["name"] for one in told["probes"]} == {
        "self-approval",
        "unapproved-access",
        "missing-ticket",
        "not-eligible",
        "expired-grant",
        "unrecorded-action",
        "edited-record",
    }
    assert [one["name"] for one in told["untried"]] == ["tamper-drill"]
    assert all(one["entries"] for one in told["probes"] if one["name"] != "edited-record")
    key = (sandbox.installation.layout.root / "ledger.vkey").read_text().strip()
    assert sojourn_verify.__file__ is not None
    command = [sys.executable, sojourn_verify.__file__, f"{result}.tlog-proof", "--entry", f"{result}.entry"]
    verified = subprocess.run([*command, "--key", key], capture_output=True, text=True, timeout=60)
    assert verified.returncode == 0, verified.stdout
    listed = json.loads(
        sandbox.installation.sojourn(
            "controls", "show", "separation-of-duties", "--json", "--data", str(sandbox.installation.layout.root)
        ).stdout
    )
    assert [(one["probe"], one["passed"], one["entry"]) for one in listed["tests"]] == [
        ("self-approval", True, told["seq"])
    ]


def test_nothing_is_left_behind_at_the_target_by_the_kit(sandbox: Running) -> None:
    # Other installations may hold accesses at the same server.
    before = _logins(sandbox)
    _prove(sandbox)
    assert _logins(sandbox) <= before


def _logins(sandbox: Running) -> set[str]:
    with sandbox.production.superuser() as connection:
        found = connection.execute("select rolname from pg_roles where rolname like 'sojourn\\_g%'").fetchall()
    return {str(name) for (name,) in found}


def test_a_target_that_is_not_labelled_for_it_is_left_alone(
    tmp_path_factory: pytest.TempPathFactory, production: Production
) -> None:
    with running(tmp_path_factory.mktemp("prove") / "other", production) as one:
        done = _prove(one)
        assert (done.returncode, done.stderr.split(":")[0]) == (2, "input.invalid")
        assert "sandbox: yes" in done.stderr
        assert one.get("/requests", person="alice")["requests"] == []


def test_one_account_cannot_both_ask_and_decide(sandbox: Running) -> None:
    data = ["--data", str(sandbox.installation.layout.root)]
    people = ["--requester", "alice", "--approver", "alice"]
    done = sandbox.installation.sojourn("controls", "prove", "shop", "--role", "read", *people, *data)
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "input.invalid")
