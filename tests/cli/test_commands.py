"""The command line as people and scripts use it, against a running installation."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sojourn.app.ambient import new_code
from sojourn.cli import COMMANDS, GROUPS
from sojourn.testing.installation import Running
from sojourn.web.api import shapes

EXECUTABLE = Path(sys.executable).with_name("sojourn")
HOSTILE = "INC-1\n2026-01-01 [CRITICAL] admin logged in \x1b[2K\x07\u202e\u200b\u2028"


def _run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(EXECUTABLE), *arguments], input=stdin, capture_output=True, text=True, check=False)


def _names(shape: type) -> set[str]:
    return {field.name for field in fields(shape)}


def test_the_version_is_told_at_once() -> None:
    done = _run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sojourn 0.")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command: str) -> None:
    done = _run(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: sojourn {command}" in done.stdout
    assert f"Example: sojourn {command}" in done.stdout


def test_the_overview_names_every_command() -> None:
    told = _run("--help").stdout
    assert [name for name in (*COMMANDS, *GROUPS) if " " not in name and name not in told] == []


def test_every_group_names_its_commands() -> None:
    for group, purpose in GROUPS.items():
        told = _run(group, "--help").stdout
        own = [name.partition(" ")[2] for name in COMMANDS if name.startswith(f"{group} ")]
        assert own, group
        assert purpose in told
        assert [name for name in own if name not in told] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_knows_the_commands(shell: str) -> None:
    done = _run("completion", shell)
    assert done.returncode == 0
    assert "withdraw" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["bogus"], ["approve"], ["request", "shop"], ["show", "x"], ["whoami", "--nonsense"], ["show", "../a"]],
)
def test_wrong_usage_is_one_clear_error(arguments: list[str]) -> None:
    done = _run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("input.invalid: ")
    assert "Traceback" not in done.stderr


def test_who_is_not_signed_in_is_told_so(tmp_path: Path) -> None:
    done = _run("whoami", "--client-dir", str(tmp_path), "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "credentials.missing"
    assert done.stderr.startswith("credentials.missing: ")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 1}', "\x00"])
def test_a_damaged_sign_in_is_no_traceback(tmp_path: Path, content: str) -> None:
    path = tmp_path / "alice.json"
    path.write_text(content)
    path.chmod(0o600)
    done = _run("whoami", "--client-dir", str(tmp_path))
    assert done.returncode == 4
    assert done.stderr.startswith("credentials.invalid: ")


def test_nothing_answers_where_nothing_runs() -> None:
    done = _run("login", "alice", "--url", "http://127.0.0.1:1", stdin="secret\n")
    assert done.returncode == 6
    assert done.stderr.startswith("service.unreachable: ")


@pytest.mark.parametrize("url", ["http://192.0.2.1:80", "ftp://localhost", "localhost:6580", "http://[", "https://"])
def test_a_password_is_not_sent_in_the_clear(url: str) -> None:
    done = _run("login", "alice", "--url", url, stdin="secret\n")
    assert done.returncode == 2
    assert "without TLS" in done.stderr


def test_a_sign_in_is_kept_private(sojourn: Running) -> None:
    kept = sorted(sojourn.installation.clients.glob("*.json"))
    assert [path.stem for path in kept] == ["alice", "bob", "carol", "dora"]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_whole_access_by_people(sojourn: Running, tmp_path: Path) -> None:
    one = sojourn.installation
    asked = one.ask("request", "shop", "--role", "read", "--for", "5m", "--reason", "INC-2041", person="alice")
    assert asked.keys() == _names(shapes.RequestShown)
    refused = one.sojourn("approve", asked["request"], "--yes", person="alice")
    assert (refused.returncode, refused.stderr.split(":")[0]) == (3, "approval.self")
    assert asked["request"] in one.sojourn("requests", "--waiting", person="bob").stdout
    approved = one.sojourn("approve", asked["request"], "--yes", "--comment", "fine", person="bob")
    assert (approved.returncode, approved.stdout) == (0, f"{asked['request']} is approved.\n")
    again = one.sojourn("approve", asked["request"], "--yes", person="bob")
    assert again.returncode == 7
    worked = one.sojourn("connect", "shop", "--", "psql", "-Atc", "select 40 + 2", person="alice")
    if worked.returncode == 6:
        worked = _psql(one, "-Atc", "select 40 + 2")
    assert (worked.returncode, worked.stdout) == (0, "42\n"), worked.stderr
    grant = one.ask("show", asked["request"], person="alice")["grant"]
    assert one.ask("show", grant, person="alice").keys() == _names(shapes.GrantShown)
    ended = one.ask("end", grant, person="alice")
    assert ended.keys() == _names(shapes.Ended)
    assert ended["removed"] is True
    pack = tmp_path / "pack.zip"
    assert one.sojourn("evidence", grant, "--out", str(pack), person="dora").returncode == 0
    assert pack.stat().st_mode & 0o777 == 0o600


def _psql(one: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    """psql on a machine that has none: the one that comes with the demo, by the printed URL."""
    from sojourn.demo.production import binaries, psql_with_tls

    url = one.sojourn("connect", "shop", "--form", "url", person="alice").stdout.strip()
    program, extra = psql_with_tls(binaries())
    return subprocess.run(
        [program, url, *arguments], capture_output=True, text=True, check=False, env={**extra, "PATH": "/usr/bin:/bin"}
    )


def test_connect_runs_another_program_with_all_that_it_needs(sojourn: Running) -> None:
    sojourn.granted()
    code = "import os; print(sorted((n, v) for n, v in os.environ.items() if n.startswith('PG')))"
    done = sojourn.installation.sojourn(
        "connect", "shop", "--role", "read", "--", sys.executable, "-c", code, person="alice"
    )
    assert done.returncode == 0, done.stderr
    assert "('PGSSLMODE', 'verify-full')" in done.stdout
    assert "('PGUSER', 'alice+read')" in done.stdout


def test_connect_ends_as_its_program_ends_and_says_what_is_missing(sojourn: Running) -> None:
    sojourn.granted()
    one = sojourn.installation
    ended = one.sojourn("connect", "shop", "--role", "read", "--", sys.executable, "-c", "exit(9)", person="alice")
    missing = one.sojourn("connect", "shop", "--role", "read", "--", "no-such-program", person="alice")
    assert ended.returncode == 9
    assert (missing.returncode, missing.stderr.split(":")[0]) == (6, "tool.missing")


def test_a_decision_is_asked_back_with_all_that_is_decided(sojourn: Running) -> None:
    asked = sojourn.requested(reason="INC-7 because")
    done = sojourn.installation.sojourn("approve", asked["request"], person="bob")
    assert done.returncode == 2
    for shown in ("alice", "read on shop for 10m", "INC-7 because", asked["digest"]):
        assert shown in done.stdout
    assert "--yes" in done.stderr
    assert sojourn.get(f"/requests/{asked['request']}", person="bob")["status"] == "pending"


@pytest.mark.parametrize(
    ("arguments", "person", "code", "exit_code"),
    [
        (["show", "r-0000000000"], "alice", "request.unknown", 5),
        (["show", "g-0000000000"], "alice", "grant.unknown", 5),
        (["show", "s-0000000000"], "alice", "session.unknown", 5),
        (["show", "r-../../ledger"], "alice", "input.invalid", 2),
        (["request", "nowhere", "--role", "read", "--for", "5m"], "alice", "target.unknown", 5),
        (
            ["request", "shop", "--role", "read", "--for", "90h", "--reason", "x"],
            "alice",
            "request.duration_too_long",
            3,
        ),
        (
            ["request", "shop", "--role", "read", "--for", "soon", "--reason", "x"],
            "alice",
            "request.duration_invalid",
            2,
        ),
        (["connect", "nowhere"], "alice", "target.unknown", 5),
        (["attempts"], "bob", "permission.denied", 3),
        (["invite", "bob"], "alice", "permission.denied", 3),
        (["invite", "bob"], "carol", "account.exists", 7),
        (["revoke", "g-0000000000"], "carol", "grant.unknown", 5),
        (["whoami"], "mallory", "credentials.missing", 4),
    ],
)
def test_a_refusal_has_its_code_and_its_exit_code(
    sojourn: Running, arguments: list[str], person: str, code: str, exit_code: int
) -> None:
    done = sojourn.installation.sojourn(*arguments, person=person)
    assert (done.stderr.split(":")[0], done.returncode) == (code, exit_code)
    assert len(done.stderr.strip().split("\n")) == 2
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["whoami"], shapes.Me),
        (["targets"], shapes.Targets),
        (["requests"], shapes.Requests),
        (["grants"], shapes.Grants),
        (["sessions"], shapes.Sessions),
        (["attempts"], shapes.Attempts),
        (["ledger"], shapes.LedgerShown),
    ],
)
def test_json_has_the_shape_of_the_reference_and_text_is_for_people(
    sojourn: Running, arguments: list[str], shape: type
) -> None:
    answered = sojourn.installation.ask(*arguments, person="dora")
    assert answered.keys() == _names(shape)
    told = sojourn.installation.sojourn(*arguments, person="dora")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.strip()


def test_hostile_text_of_others_reaches_no_terminal(sojourn: Running) -> None:
    one = sojourn.installation
    asked = sojourn.requested(reason=HOSTILE)
    sojourn.send("POST", "/sign-in", {"person": HOSTILE, "password": "x"})
    for arguments, person in (
        (["show", asked["request"]], "bob"),
        (["requests"], "dora"),
        (["approve", asked["request"]], "bob"),
        (["attempts"], "dora"),
        (["requests", "--json"], "dora"),
        (["attempts", "--json"], "dora"),
        (["show", f"r-{HOSTILE}".replace("\x00", "")], "bob"),
    ):
        done = one.sojourn(*arguments, person=person)
        said = done.stdout + done.stderr
        assert not set(said) & set("\x1b\x07\u202e\u200b\u2028\x85\r"), arguments
        assert not any(line.startswith("2026-01-01 [CRITICAL]") for line in said.splitlines()), arguments
    (found,) = [
        request for request in one.ask("requests", person="dora")["requests"] if request["request"] == asked["request"]
    ]
    assert found["reason"] == HOSTILE


def test_a_sign_out_ends_the_token(sojourn: Running, tmp_path: Path) -> None:
    from sojourn.testing.installation import PASSWORD

    one = sojourn.installation
    kept = ("--client-dir", str(tmp_path))
    assert one.sojourn("login", "bob", "--url", one.address, *kept, stdin=PASSWORD + "\n").returncode == 0
    held = json.loads((tmp_path / "bob.json").read_text())
    assert one.sojourn("logout", *kept, person="bob").returncode == 0
    assert not (tmp_path / "bob.json").exists()
    assert sojourn.send("GET", "/me", headers={"authorization": f"Bearer {held['token']}"}).status_code == 401


def test_a_code_can_stand_on_a_command_line() -> None:
    # One that began with a dash would be taken for an option.
    assert all(new_code().isalnum() for _ in range(1000))


def test_the_read_models_folded_anew_are_identical(sojourn: Running) -> None:
    one = sojourn.installation
    done = one.ask("audit", "replay", "--data", str(one.layout.root), person="")
    assert done["identical"] is True
    assert done["entries"] > 10


def test_a_data_directory_is_made_once(tmp_path: Path) -> None:
    made = _run("init", "--data", str(tmp_path / "one"))
    again = _run("init", "--data", str(tmp_path / "one"))
    assert made.returncode == 0, made.stderr
    assert (again.returncode, again.stderr.split(":")[0]) == (7, "data.directory_exists")
    missing = _run("serve", "--data", str(tmp_path / "two"))
    assert (missing.returncode, missing.stderr.split(":")[0]) == (5, "data.directory_missing")


def test_a_second_serve_on_the_same_directory_is_refused(sojourn: Running) -> None:
    done = _run("serve", "--data", str(sojourn.installation.layout.root))
    assert (done.returncode, done.stderr.strip().splitlines()[-2].split(":")[0]) == (7, "data.directory_busy")


def test_the_connection_is_printed_in_the_forms_that_clients_take(sojourn: Running, tmp_path: Path) -> None:
    """psql itself reads the URL and the entry of pg_service.conf; what JDBC reads is its own URL."""
    from sojourn.demo.production import binaries, psql_with_tls

    sojourn.granted()

    def printed(form: str, target: str = "shop") -> str:
        done = sojourn.installation.sojourn("connect", target, "--role", "read", "--form", form, person="alice")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    services = tmp_path / "pg_service.conf"
    services.write_text(printed("service") + "\n")
    program, extra = psql_with_tls(binaries())
    environment = {**extra, "PATH": "/usr/bin:/bin", "PGSERVICEFILE": str(services)}
    for place in (printed("url"), "service=shop"):
        done = subprocess.run(
            [program, place, "-Atc", "SELECT current_database()"],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert (done.returncode, done.stdout) == (0, "shop\n"), done.stderr
    jdbc = urlsplit(printed("jdbc", "shop/reports").removeprefix("jdbc:"))
    assert (jdbc.scheme, jdbc.path) == ("postgresql", "/shop%2Freports")
    parameters = parse_qs(jdbc.query, strict_parsing=True)
    assert (parameters["user"], parameters["sslmode"]) == (["alice+read"], ["verify-full"])
    assert len(parameters["password"][0]) > 20
