"""The whole way with `sojourn serve`: from a sign-in to a replay, on a real host."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.demo.installation import TARGETS_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.testing.sshd import ACCOUNT, Sshd, sshd

TARGETS = """\
  web-1:
    kind: ssh
    host: 127.0.0.1
    port: {port}
    host_keys: ["{key}"]
    administrator: root
    source_addresses: [127.0.0.1]
    revoked_keys: {revoked}
    roles:
      operator: {{ login: {account}, shell: true, files: write }}
      guest: {{ temporary: true, shell: true, groups: [games] }}
"""
POLICY = """\
rules:
  web-work:
    who: { teams: [engineering] }
    targets: [web-1]
    roles: [operator, guest]
    longest: 4h
    approvers: { teams: [engineering] }
"""
SETTINGS = """\
gateway: { port: 0, ssh: true, ssh_port: 0 }
control: { port: 0 }
scribe: { origin: sojourn-ssh.localhost/ledger }
"""


@pytest.fixture(scope="module")
def served(production: Production) -> Iterator[tuple[Running, Sshd]]:
    """An installation that serves SSH, and its host."""
    with tempfile.TemporaryDirectory(prefix="sojourn-ssh-whole-") as place:
        directory = Path(place)
        directory.chmod(0o755)
        with sshd(directory / "host", authority="") as host:
            targets = TARGETS.format(port=host.port, key=host.host_key, revoked=host.revoked, account=ACCOUNT)
            # What is no place for a value has its braces twice, as the whole is a template.
            written = TARGETS_FILE + targets.replace("{", "{{").replace("}", "}}")
            whole = running(directory / "whole", production, policy=POLICY, targets=written, settings=SETTINGS)
            with whole as found:
                setup = found.get("/targets/web-1/ssh-setup", person="carol")
                (host.directory / "authority.pub").write_text(setup["authority"] + "\n")
                for person in ("alice", "carol", "dora"):
                    signed = found.installation.sojourn(
                        "login", person, "--url", found.installation.address, stdin=PASSWORD + "\n"
                    )
                    assert signed.returncode == 0, signed.stderr
                yield found, host


def _access(found: Running, role: str) -> str:
    asked = {"target": "web-1", "role": role, "duration": "10m", "reason": "to test"}
    made = found.post("/requests", asked, person="alice")
    found.post(f"/requests/{made['request']}/approve", {"digest": made["digest"]}, person="bob")
    return str(found.post(f"/requests/{made['request']}/activate", person="alice")["grant"])


def _ssh(found: Running, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    written = found.installation.ask("ssh-config", person="alice")
    command = ["ssh", "-F", written["file"], "-o", "BatchMode=yes", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, input=stdin)


def test_from_sign_in_to_replay(served: tuple[Running, Sshd], tmp_path: Path) -> None:
    found, _ = served
    one = found.installation
    grant = _access(found, "operator")
    ran = _ssh(found, "web-1", "id -un")
    assert (ran.stdout, ran.returncode) == (f"{ACCOUNT}\n", 0), ran.stderr
    shell = _ssh(found, "-tt", "web-1", stdin="echo seen-$((20+3))\nexit 3\n")
    assert shell.returncode == 3
    sessions = found.get(f"/sessions?grant={grant}", person="dora")["sessions"]
    assert len(sessions) == 2
    newest = sessions[0]["session"]
    whole = tmp_path / "shown.cast"
    assert one.sojourn("replay", newest, "--export", str(whole), person="dora").returncode == 0
    assert json.loads(whole.read_text().splitlines()[0])["version"] == 3
    places = one.ask("replay", newest, "--search", "seen-23", person="dora")
    assert places[0]["what"] == "shown"
    watched = one.sojourn("watch", newest, person="dora")
    assert "seen-23" in watched.stdout
    assert found.send("GET", f"/sessions/{newest}/recording", person="bob").status_code == 404
    for path in ("recording", "replay", "events?recording=1"):
        assert found.send("GET", f"/sessions/{newest}/{path}", person="carol").status_code == 403
    ended = found.post(f"/grants/{grant}/revoke", person="carol")
    assert ended["removed"]
    assert _ssh(found, "web-1", "id").returncode == 255
    pack = tmp_path / "pack.zip"
    assert one.sojourn("evidence", grant, "--out", str(pack), person="dora").returncode == 0
    verified = subprocess.run(
        ["sojourn-verify", str(pack), "--key", one.layout.verifier_key.read_text().strip()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_player_gets_what_was_shown_behind_the_curtain_and_one_look_is_on_record(
    served: tuple[Running, Sshd],
) -> None:
    found, _ = served
    grant = _access(found, "operator")
    said = "printf '\\033]0;owned\\007\\033[32mgreen\\033[0m\\033[c'; echo over"
    assert _ssh(found, "-tt", "web-1", said).returncode == 0
    (session, *_) = found.get(f"/sessions?grant={grant}", person="dora")["sessions"]
    before = found.get("/ledger", person="dora")["size"]
    name = session["session"]
    played = found.send("GET", f"/sessions/{name}/replay", person="dora")
    moments = [json.loads(line) for line in played.text.splitlines()]
    assert moments[0][1:] == ["h", moments[0][2]] and "x" in moments[0][2]
    shown = "".join(text for _, code, text in moments if code == "o")
    assert "\x1b[32mgreen\x1b[0m" in shown and "owned" not in shown and "\x1b[c" not in shown
    assert [one[0] for one in moments] == sorted(one[0] for one in moments)
    watched = found.send("GET", f"/sessions/{name}/events?recording=1", person="dora")
    assert "green" in watched.text and "event: closed" in watched.text and "owned" not in watched.text
    found.send("GET", f"/sessions/{name}/recording", person="dora")
    size = found.get("/ledger", person="dora")["size"]
    entries = [json.loads(found.get(f"/ledger/entries/{one}", person="dora")["content"]) for one in range(before, size)]
    (look,) = [one["body"] for one in entries if one["kind"] == "evidence.given"]
    assert (look["form"], look["person"], look["subject"]) == ("recording", "dora", f"session/{name}/1")
    found.post(f"/grants/{grant}/revoke", person="carol")


def test_a_temporary_account_is_made_and_its_absence_is_read_back(served: tuple[Running, Sshd]) -> None:
    found, _ = served
    grant = _access(found, "guest")
    ran = _ssh(found, "web-1", "id -un; id -Gn; nohup sleep 876 >/dev/null 2>&1 & sleep 0.3")
    account = ran.stdout.split()[0]
    assert account.startswith("sojourn")
    assert "games" in ran.stdout
    assert subprocess.run(["id", account], capture_output=True, check=False).returncode == 0
    ended = found.post(f"/grants/{grant}/revoke", person="carol")
    assert ended["removed"]
    assert subprocess.run(["id", account], capture_output=True, check=False).returncode == 1
    left = subprocess.run(["pgrep", "-f", "sleep 876"], capture_output=True, check=False)
    deadline = time.monotonic() + 5
    while left.returncode == 0 and time.monotonic() < deadline:
        left = subprocess.run(["pgrep", "-f", "sleep 876"], capture_output=True, check=False)
    assert left.returncode == 1


def test_a_host_that_lacks_nothing_is_said_to(served: tuple[Running, Sshd]) -> None:
    found, host = served
    done = found.installation.sojourn("target", "ssh-setup", "web-1", "--check", person="carol")
    assert (done.returncode, "Nothing is lacking" in done.stdout) == (0, True), done.stdout + done.stderr
    kept = (host.directory / "authority.pub").read_text()
    (host.directory / "authority.pub").write_text("")
    try:
        done = found.installation.sojourn("target", "ssh-setup", "web-1", "--check", person="carol")
        assert done.returncode == 1
        assert "does not let root work" in done.stdout
    finally:
        (host.directory / "authority.pub").write_text(kept)


def test_the_script_for_a_host_is_one_that_a_shell_takes(served: tuple[Running, Sshd]) -> None:
    found, _ = served
    printed = found.installation.sojourn("target", "ssh-setup", "web-1", person="carol").stdout
    assert "TrustedUserCAKeys" in printed
    assert subprocess.run(["sh", "-n"], input=printed, text=True, check=False).returncode == 0


def test_a_registered_key_opens_until_it_is_taken_back(served: tuple[Running, Sshd], tmp_path: Path) -> None:
    found, _ = served
    _access(found, "operator")
    key = tmp_path / "own"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", key], check=True)
    added = found.installation.ask("ssh-key", "add", str(key) + ".pub", person="alice")
    configuration = found.installation.ask("ssh-config", person="alice")["file"]
    place = found.installation.layout.run / "gateway-ssh.json"
    port = str(json.loads(place.read_text())["port"])
    known = Path(configuration).with_name("known_hosts")
    command = ["ssh", "-F", "none", "-i", str(key), "-p", port, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
    command += ["-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes", "web-1+operator@localhost", "true"]
    assert subprocess.run(command, check=False, timeout=30).returncode == 0
    assert found.installation.sojourn("ssh-key", "remove", added["token"], person="alice").returncode == 0
    refused = subprocess.run(command, check=False, timeout=30, capture_output=True)
    assert refused.returncode == 255


def test_a_host_is_reached_by_its_own_protocol_alone(served: tuple[Running, Sshd]) -> None:
    found, _ = served
    _access(found, "operator")
    asked = found.installation.sojourn("connect", "web-1", "--print-url", person="alice")
    assert asked.returncode == 2
    assert "is an SSH host" in asked.stderr
