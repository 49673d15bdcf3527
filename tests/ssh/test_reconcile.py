"""What a host shows and what its log says, against the record."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sojourn.testing.sshd import ACCOUNT
from sojourn.vault.ssh_authority import GRANTS, Certificate, authority, private_file, public_line

from .whole import Whole, access, ssh, ssh_command, until


def _look(served: Whole) -> dict[str, Any]:
    """What is found now. What differs has to have been seen by two looks."""
    found, _ = served
    found.post("/targets/web-1/reconcile", person="dora")
    return dict(found.post("/targets/web-1/reconcile", person="dora"))


def _kinds(look: dict[str, Any], login: str = "") -> set[str]:
    """The kinds of what was found. Of accounts only `login` counts: others on this machine may be of other tests."""
    return {one["kind"] for one in look["findings"] if one["kind"] != "login_unrecorded" or one["subject"] == login}


@contextmanager
def _past_sojourn(served: Whole, directory: Path, key_id: str) -> Iterator[None]:
    """Somebody who has a certificate that no access on record is for, on the host for a while."""
    found, host = served
    private, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    key = directory / "stolen"
    key.write_bytes(private_file(private))
    key.chmod(0o600)
    signed = Certificate(key_id=key_id, principals=(ACCOUNT,), since=now, until=now + timedelta(minutes=5))
    line = authority(found.installation.layout.keys, GRANTS).certify(public_line(private), signed, serial=7)
    (directory / "stolen-cert.pub").write_text(line + "\n")
    options = ["-F", "none", "-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    options += ["-o", "IdentityAgent=none", "-p", str(host.port), f"{ACCOUNT}@127.0.0.1"]
    with subprocess.Popen(
        ["ssh", *options, "echo in; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            assert process.stdout.readline() == b"in\n"
            yield
        finally:
            process.stdin.close()
            process.wait(20)


def test_sessions_by_every_connection_are_on_record_and_in_the_hosts_log(served: Whole, tmp_path: Path) -> None:
    access(served[0], "operator")
    master = tmp_path / "master"
    command = ssh_command(
        served[0], "-o", f"ControlPath={master}", "-M", "-l", "web-1+operator", "web-1", "echo in; cat"
    )
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"in\n"
        # SFTP goes by a certificate of its own, and so by a second connection to the host.
        with subprocess.Popen(
            ["ssh", "-o", f"ControlPath={master}", "-s", "web-1", "sftp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as files:
            assert files.stdin is not None and files.stdout is not None
            files.stdin.write(b"\0\0\0\5\1\0\0\0\3")
            files.stdin.flush()
            assert files.stdout.read(9)[4:] == b"\2\0\0\0\3"
            looked = until("it comes about", lambda: (look := _look(served))["sessions_matched"] == 2 and look)
            assert (looked["sessions"], _kinds(looked)) == (2, set())
            files.stdin.close()
            files.wait(20)
        process.stdin.close()
        process.wait(20)
    until("it comes about", lambda: _look(served)["sessions"] == 0)
    assert not _kinds(_look(served))


def test_the_log_of_the_host_is_read_on_and_found_to_agree(served: Whole) -> None:
    access(served[0], "operator")
    _look(served)
    for _ in range(3):
        assert ssh(served[0], "-l", "web-1+operator", "web-1", "true").returncode == 0
    looked = _look(served)
    assert looked["log_problem"] == ""
    assert not _kinds(looked)
    assert int(looked["log_matched"]) >= 3


def test_who_is_on_the_host_past_sojourn_is_found_while_there_and_in_the_log(served: Whole, tmp_path: Path) -> None:
    _look(served)
    with _past_sojourn(served, tmp_path, "nobody-on-record"):
        looked = _look(served)
        assert _kinds(looked) == {"session_unrecorded", "log_unrecorded"}
        subjects = {one["kind"]: one["subject"] for one in looked["findings"]}
        assert subjects["session_unrecorded"] == ACCOUNT
        assert subjects["log_unrecorded"] == "nobody-on-record"
    until("it comes about", lambda: not _kinds(_look(served)))


def test_who_came_and_went_between_two_looks_is_found_in_the_log(served: Whole, tmp_path: Path) -> None:
    _look(served)
    with _past_sojourn(served, tmp_path, "quick"):
        pass
    looked = _look(served)
    assert _kinds(looked) == {"log_unrecorded"}


def test_an_account_or_sudo_rule_that_comes_back_after_its_removal_is_removed_again(served: Whole) -> None:
    found, _ = served
    grant = access(found, "guest")
    shown = found.get(f"/grants/{grant}", person="dora")
    account = next(line for line in shown["privileges"] if line.startswith("account ")).split()[1].rstrip(":")
    assert not _kinds(_look(served))
    assert found.post(f"/grants/{grant}/revoke", person="carol")["removed"]
    subprocess.run(["useradd", "-m", "-c", f"Sojourn access {grant}", account], check=True)
    rule = Path("/etc/sudoers.d") / f"sojourn-{account}"
    rule.parent.mkdir(exist_ok=True)
    rule.write_text(f"{account} ALL=(root) NOPASSWD: /usr/bin/id\n")
    assert "login_unrecorded" in _kinds(_look(served), account)
    until("it comes about", lambda: subprocess.run(["id", account], capture_output=True, check=False).returncode != 0)
    assert not rule.exists()
    looked = found.post("/targets/web-1/reconcile", person="dora")
    assert "login_returned" in _kinds(looked)


def test_a_sudo_rule_that_somebody_takes_away_is_missed(served: Whole) -> None:
    found, _ = served
    access(found, "sudoer")
    assert "login_missing" not in _kinds(_look(served))
    (rule,) = [one for one in Path("/etc/sudoers.d").glob("sojourn-*") if one.read_text().endswith("/usr/bin/id -un\n")]
    kept = rule.read_text()
    rule.unlink()
    missed = [one["subject"] for one in _look(served)["findings"] if one["kind"] == "login_missing"]
    assert missed == [rule.name.removeprefix("sojourn-")]
    rule.write_text(kept)
    assert "login_missing" not in _kinds(_look(served))


def test_a_key_that_somebody_puts_beside_sojourn_is_told_of(served: Whole, tmp_path: Path) -> None:
    _look(served)
    home = Path(f"/home/{ACCOUNT}/.ssh")
    home.mkdir(exist_ok=True)
    keys = home / "authorized_keys"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "beside"], check=True)
    try:
        keys.write_text((tmp_path / "beside.pub").read_text())
        came = served[0].post("/targets/web-1/reconcile", person="dora")["accounts_changed"]
        (ours,) = [line for line in came if line.endswith(f"opens {ACCOUNT}")]
        assert ours.startswith("+ key SHA256:")
    finally:
        keys.unlink()
    gone = served[0].post("/targets/web-1/reconcile", person="dora")["accounts_changed"]
    assert f"-{ours[1:]}" in gone
