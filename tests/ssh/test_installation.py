"""The whole way with `sojourn serve`: from a sign-in to a replay, on a real host."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import pytest

from sojourn.targets.ssh.own_end import PLACE
from sojourn.testing.installation import PASSWORD, Running
from sojourn.testing.sshd import ACCOUNT, PROGRAM

from .test_own_end import look_again
from .whole import Whole, access, process_of, ssh, ssh_command, until


def test_from_sign_in_to_replay(served: Whole, tmp_path: Path) -> None:
    found, _ = served
    one = found.installation
    grant = access(found, "operator")
    ran = ssh(found, "web-1", "id -un")
    assert (ran.stdout, ran.returncode) == (f"{ACCOUNT}\n", 0), ran.stderr
    shell = ssh(found, "-tt", "web-1", stdin="echo seen-$((20+3))\nexit 3\n")
    assert shell.returncode == 3
    sessions = found.get(f"/sessions?grant={grant}", person="dora")["sessions"]
    assert len(sessions) == 2
    newest = sessions[0]["session"]
    whole = tmp_path / "shown.cast"
    assert one.sojourn("replay", newest, "--export", str(whole), person="dora").returncode == 0
    assert json.loads(whole.read_text().splitlines()[0])["version"] == 3
    written = tmp_path / "shown.txt"
    assert one.sojourn("replay", newest, "--export", str(written), person="dora").returncode == 0
    assert "seen-23" in written.read_text() and not written.read_text().startswith("{")
    assert "seen-23" in one.sojourn("replay", newest, "--speed", "100", person="dora").stdout
    assert one.sojourn("replay", newest, "--speed", "0", person="dora").returncode == 2
    places = one.ask("replay", newest, "--search", "seen-23", person="dora")
    assert places[0]["what"] == "shown"
    watched = one.sojourn("watch", newest, person="dora")
    assert "seen-23" in watched.stdout
    assert found.send("GET", f"/sessions/{newest}/recording", person="bob").status_code == 404
    for path in ("recording", "replay", "events?recording=1"):
        assert found.send("GET", f"/sessions/{newest}/{path}", person="carol").status_code == 403
    ended = found.post(f"/grants/{grant}/revoke", person="carol")
    assert ended["removed"]
    assert ssh(found, "web-1", "id").returncode == 255
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
    served: Whole,
) -> None:
    found, _ = served
    grant = access(found, "operator")
    said = "printf '\\033]0;owned\\007\\033[32mgreen\\033[0m\\033[c'; echo over"
    assert ssh(found, "-tt", "web-1", said).returncode == 0
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


def test_a_temporary_account_is_made_and_its_absence_is_read_back(served: Whole) -> None:
    found, _ = served
    grant = access(found, "guest")
    ran = ssh(found, "web-1", "id -un; id -Gn; nohup sleep 876 >/dev/null 2>&1 & sleep 0.3")
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


def test_a_host_that_lacks_nothing_is_said_to(served: Whole) -> None:
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


def test_the_script_for_a_host_is_one_that_a_shell_takes(served: Whole) -> None:
    found, _ = served
    printed = found.installation.sojourn("target", "ssh-setup", "web-1", person="carol").stdout
    assert "TrustedUserCAKeys" in printed
    assert subprocess.run(["sh", "-n"], input=printed, text=True, check=False).returncode == 0


def test_what_the_script_writes_on_a_host_is_what_its_sshd_takes(served: Whole, tmp_path: Path) -> None:
    found, host = served
    printed = found.installation.sojourn("target", "ssh-setup", "web-1", person="carol").stdout
    # In a folder of its own, as the machine's own sshd is not to be changed by a test.
    (tmp_path / "sshd_config.d").mkdir()
    written = printed.partition("\nsshd -t\n")[0].replace("/etc/ssh/", f"{tmp_path}/")
    subprocess.run(["sh"], input=written, text=True, check=True)
    configuration = tmp_path / "sshd_config"
    configuration.write_text(f"HostKey {host.directory}/host\nInclude {tmp_path}/sshd_config.d/*.conf\n")
    taken = subprocess.run([PROGRAM, "-T", "-f", configuration], capture_output=True, text=True, check=True).stdout
    assert f"trustedusercakeys {tmp_path}/sojourn_authority.pub" in taken
    assert f"revokedkeys {host.revoked}" in taken
    assert {"acceptenv SOJOURN_GRANT", "acceptenv SOJOURN_SESSION"} <= set(taken.splitlines())
    authority = (tmp_path / "sojourn_authority.pub").read_text().split()[:2]
    assert authority == found.get("/targets/web-1/ssh-setup", person="carol")["authority"].split()[:2]


def test_every_tool_takes_the_hosts_name_from_the_file_that_is_written(served: Whole, tmp_path: Path) -> None:
    found, _ = served
    grant = access(found, "operator")
    ssh_file = ["-F", found.installation.ask("ssh-config", person="alice")["file"], "-o", "User=web-1+operator"]
    shell = " ".join(("ssh", *ssh_file))
    printed = found.installation.sojourn("ssh-config", "--print", person="alice").stdout
    assert printed.strip() == Path(ssh_file[1]).read_text().strip()
    with tempfile.TemporaryDirectory(prefix="sojourn-tools-") as place:
        there = Path(place)
        there.chmod(0o777)
        (tmp_path / "one").write_text("content")
        tools = {
            "scp": ["scp", *ssh_file, str(tmp_path / "one"), f"web-1:{there}/scp"],
            "sftp": ["sftp", "-b", "-", *ssh_file, "web-1"],
            "rsync": ["rsync", "-e", shell, str(tmp_path / "one"), f"web-1:{there}/rsync"],
            "git": [
                "env",
                f"GIT_SSH_COMMAND={shell}",
                "git",
                "clone",
                "-q",
                f"web-1:{there}/git",
                f"{tmp_path}/cloned",
            ],
            "ansible": ["env", f"ANSIBLE_HOME={tmp_path}", "ansible", "all", "-i", "web-1,", "-m", "raw"],
        }
        tools["ansible"] += ["-a", f"cp {there}/scp {there}/ansible", "--ssh-common-args", " ".join(ssh_file)]
        commit = "git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x"
        made = f"git init -q {there}/git && cd {there}/git && {commit}"
        assert ssh(found, "-l", "web-1+operator", "web-1", made).returncode == 0
        for name, command in tools.items():
            batch = f"put {tmp_path}/one {there}/sftp\n" if name == "sftp" else ""
            ran = subprocess.run(command, input=batch, capture_output=True, text=True, check=False, timeout=120)
            assert ran.returncode == 0, (name, ran.stderr)
        for name in ("scp", "sftp", "rsync", "ansible"):
            assert (there / name).read_text() == "content"
        assert (tmp_path / "cloned" / ".git").is_dir()
    found.post(f"/grants/{grant}/revoke", person="carol")


def test_a_registered_key_opens_until_it_is_taken_back(served: Whole, tmp_path: Path) -> None:
    found, _ = served
    access(found, "operator")
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


def test_a_host_is_reached_by_its_own_protocol_alone(served: Whole) -> None:
    found, _ = served
    access(found, "operator")
    asked = found.installation.sojourn("connect", "web-1", "--print-url", person="alice")
    assert asked.returncode == 2
    assert "is an SSH host" in asked.stderr


def test_signing_in_gives_key_and_certificate_to_a_running_agent(
    served: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = served
    access(found, "operator")
    place = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL) as agent:
        try:
            until("the agent runs", place.exists)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
            address = found.installation.address
            signed = found.installation.sojourn("login", "alice", "--url", address, "--agent", stdin=PASSWORD + "\n")
            assert signed.returncode == 0, signed.stderr
            held = subprocess.run(["ssh-add", "-l"], capture_output=True, text=True, check=True).stdout
            assert "(ED25519-CERT)" in held
            # The agent alone is enough.
            known = Path(found.installation.ask("ssh-config", person="alice")["file"]).with_name("known_hosts")
            port = str(json.loads((found.installation.layout.run / "gateway-ssh.json").read_text())["port"])
            options = ["-F", "none", "-p", port, "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes"]
            command = ["ssh", *options, "-i", "none", "web-1+operator@localhost", "true"]
            assert subprocess.run(command, check=False, timeout=30).returncode == 0
        finally:
            agent.terminate()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody"))
    refused = found.installation.sojourn("ssh-config", "--agent", person="alice")
    assert refused.returncode != 0
    assert "No agent took the key" in refused.stderr


def _watching(found: Running, session: str) -> subprocess.Popen[str]:
    """`sojourn watch`, as an auditor in another shell has it."""
    environment = {**os.environ, "SOJOURN_CLIENT_DIR": str(found.installation.clients), "SOJOURN_AS": "dora"}
    command = [sys.executable, "-m", "sojourn", "watch", session]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_one_session_is_watched_and_stopped_from_the_command_line_and_the_access_goes_on(served: Whole) -> None:
    found, _ = served
    grant = access(found, "operator")
    command = ssh_command(found, "-l", "web-1+operator", "web-1", "echo in; sleep 60")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None and client.stderr is not None
        assert client.stdout.readline() == "in\n"
        (session,) = found.get(f"/sessions?grant={grant}&open=1", person="dora")["sessions"]
        assert found.installation.sojourn("stop", session["session"], person="dora").returncode == 3
        with _watching(found, session["session"]) as watcher:
            assert watcher.stdout is not None
            assert watcher.stdout.readline() == "in\n", "while the session is open"
            done = found.installation.sojourn("stop", session["session"], person="carol")
            assert "is over (stopped)" in done.stdout
            assert "It is over." in watcher.communicate(timeout=30)[0]
        assert client.wait(20) != 0
        assert "was stopped by carol" in client.stderr.read()
    assert found.get(f"/grants/{grant}", person="dora")["status"] == "active"
    again = found.installation.ask("stop", session["session"], person="carol")
    assert again["cause"] == "stopped"
    assert ssh(found, "-l", "web-1+operator", "web-1", "true").returncode == 0


def test_without_a_scribe_output_stops_and_the_session_is_cut(served: Whole) -> None:
    found, _ = served
    access(found, "operator")
    command = ssh_command(found, "-l", "web-1+operator", "-tt", "web-1", "while :; do echo line; sleep 0.05; done")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        assert client.stdout is not None
        for _ in range(20):
            assert client.stdout.readline()
        scribe = process_of(found, "scribe")
        os.kill(scribe, signal.SIGSTOP)
        try:
            rest = client.communicate(timeout=60)[0]
        finally:
            os.kill(scribe, signal.SIGKILL)
    assert client.returncode != 0
    assert b"record" in rest.splitlines()[-1] + rest.splitlines()[-2]
    assert len(rest) < 64 * 1024
    until("the scribe is started again", lambda: process_of(found, "scribe") != scribe)
    until(
        "what was cut is on record",
        lambda: found.get("/sessions?open=1", person="dora").get("sessions") == [],
    )
    assert ssh(found, "-l", "web-1+operator", "web-1", "true").returncode == 0


def _answers(found: Running) -> bool:
    """Whether control is back."""
    try:
        return found.send("GET", "/ledger", person="dora").status_code == 200
    except httpx2.TransportError:
        return False


def test_without_control_the_host_ends_what_runs_and_it_is_on_record_when_control_is_back(served: Whole) -> None:
    found, _ = served
    grant = access(found, "guest")
    ran = ssh(found, "-l", "web-1+guest", "web-1", "id -un; nohup sleep 4321 >/dev/null 2>&1 & echo $!")
    account, process = sorted(ran.stdout.split(), key=str.isdigit)
    size = found.get("/ledger", person="dora")["size"]
    control = process_of(found, "control")
    # Held up and not killed, for it would be started again at once.
    os.kill(control, signal.SIGSTOP)
    try:
        place = Path(PLACE, account)
        # The end of the access has come, as far as the host can tell.
        (place / "end").write_text(Path("/proc/uptime").read_text().split()[0])
        look_again(place)
        until("the host ends the access", (place / "done").exists)
        assert subprocess.run(["id", account], capture_output=True, check=False).returncode == 1
        state = subprocess.run(["ps", "-o", "stat=", "-p", process], capture_output=True, check=False).stdout
        assert state.strip()[:1] in (b"", b"Z")
    finally:
        os.kill(control, signal.SIGKILL)
    until("control is back", lambda: _answers(found))
    found.post(f"/grants/{grant}/revoke", person="carol")
    until("it is taken back", lambda: found.get(f"/grants/{grant}", person="dora")["status"] == "removed")
    assert not place.exists()
    grown = found.get("/ledger", person="dora")["size"]
    entries = [json.loads(found.get(f"/ledger/entries/{one}", person="dora")["content"]) for one in range(size, grown)]
    removed = [one["body"] for one in entries if one["kind"] == "grant.removed" and one["body"]["grant"] == grant]
    assert [(one["role_present"], one["sessions_terminated"] >= 1) for one in removed] == [(False, True)]
