"""What a host prints about itself, read; and the script that prints it, run by a real shell on real files."""

from __future__ import annotations

import contextlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.host_view import logins_on_host, sessions_on_host
from sojourn.domain.identifiers import RoleName
from sojourn.domain.reconciliation import KnownLogin, KnownSession, Observation
from sojourn.domain.ssh import HostAccess
from sojourn.domain.target import Role
from sojourn.targets.ssh.observing import fingerprint, observation
from sojourn.targets.ssh.watching import script
from sojourn.testing.sshd import PACKAGES, install

NOW = datetime(2026, 11, 30, 13, 0, tzinfo=UTC)
AUTHORITY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJl3dPPg4Pgyy8ClFbmUZbFGVv4U3hTgkT6Vm0OcBVFL"


def _seen(*lines: str) -> Observation:
    return observation("\n".join(lines), roles_accounts={"deploy"}, authority=AUTHORITY, now=NOW)


def _accepted(at: str, *, account: str = "deploy", proof: str = "", program: str = "host sshd[7]") -> str:
    return f"log {at} {program}: Accepted publickey for {account} from 192.0.2.7 port 50123 ssh2: {proof}"


def _certified(key_id: str, serial: int) -> str:
    return f"ED25519-CERT SHA256:abc ID {key_id} (serial {serial}) CA ED25519 {fingerprint(AUTHORITY)}"


READ = ("log-whole", "log-place file:1:2", "zone +0100", f"time {int(NOW.timestamp())}")


def test_a_connection_is_known_by_its_account_and_the_peers_port() -> None:
    seen = _seen(
        "own 50001",
        "holds 11 sshd: deploy [priv]",
        "holds 11 sshd: deploy@pts/3   ",
        "socket 11 0702000A:C3CB",
        "holds 12 sshd-session: deploy@notty",
        "socket 12 0000000000000000FFFF00000702000A:C3CC",
        "holds 13 sshd: deploy",
        "socket 13 B80D0120000000000000000001000000:C3CD",
    )
    assert [(one.login, one.process, one.address, one.application) for one in seen.sessions] == [
        ("deploy", 50123, "10.0.2.7", "pts/3"),
        ("deploy", 50124, "10.0.2.7", "notty"),
        ("deploy", 50125, "2001:db8::1", ""),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ("holds 11 sshd: deploy [priv]", "holds 11 sshd: deploy [net]", "socket 11 0702000A:C3CB"),
        ("holds 11 sshd: unknown [priv]", "socket 11 0702000A:C3CB"),
        ("holds 11 sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "socket 11 0702000A:C3CB"),
        ("holds 11 sshd: somebody@pts/1", "socket 11 0702000A:C3CB"),
        ("holds 11 vi sshd: deploy@pts/1", "socket 11 0702000A:C3CB"),
        ("own 50123", "holds 11 sshd: deploy", "socket 11 0702000A:C3CB"),
        ("socket 11 0702000A:C3CB",),
    ],
    ids=["not yet", "nobody", "listener", "another account", "another program", "our own look", "nobody's"],
)
def test_what_is_no_session_in_an_account_of_a_role_is_none(lines: tuple[str, ...]) -> None:
    assert _seen(*lines).sessions == ()


@pytest.mark.parametrize(
    ("line", "begun"),
    [
        (_accepted("2026-11-30T12:59:00.123456+00:00"), NOW - timedelta(seconds=59.876544)),
        (_accepted("2026-11-30T13:59:00+0100", program="sshd-session[99]"), NOW - timedelta(seconds=60)),
        (_accepted("Nov 30 13:59:00"), NOW - timedelta(seconds=60)),
        (_accepted("Nov  3 13:59:00"), datetime(2026, 11, 3, 12, 59, tzinfo=UTC)),
        (_accepted("Dec 31 23:00:00"), datetime(2025, 12, 31, 22, 0, tzinfo=UTC)),
    ],
    ids=["rsyslog", "journal", "traditional", "one digit", "last year"],
)
def test_the_time_of_a_line_is_read_in_every_form_that_logs_have(line: str, begun: datetime) -> None:
    (logged,) = _seen(line, *READ).log.sessions
    assert (logged.begun, logged.login, logged.process, logged.address) == (begun, "deploy", 50123, "192.0.2.7")


def test_a_certificate_of_ours_tells_which_access_it_was() -> None:
    read = _seen(_accepted("Nov 30 13:59:00", account="x", proof=_certified("sojourn_abc", 5)), *READ).log
    assert [one.login for one in read.sessions] == ["sojourn_abc"]
    assert not read.tells_all


def test_our_own_log_ins_are_left_out_and_show_that_the_log_tells() -> None:
    read = _seen(_accepted("Nov 30 13:59:00", account="root", proof=_certified("sojourn", 0)), *READ).log
    assert (read.sessions, read.tells_all, read.gap) == ((), True, False)


def test_a_certificate_of_another_authority_in_an_account_of_a_role_came_around_us() -> None:
    proof = _certified("sojourn_abc", 0).replace(fingerprint(AUTHORITY), "SHA256:another")
    assert [one.login for one in _seen(_accepted("Nov 30 13:59:00", proof=proof), *READ).log.sessions] == ["deploy"]
    assert not _seen(_accepted("Nov 30 13:59:00", account="eve", proof=proof), *READ).log.sessions


def test_a_line_that_cannot_be_read_is_said_and_counts_as_a_gap() -> None:
    read = _seen("log what is this sshd[1]: Accepted thing", *READ).log
    assert (read.gap, "1 lines" in read.problem) == (True, True)


def test_without_a_log_it_is_said_why() -> None:
    assert "targets.yaml" in _seen("log-none").log.problem


WORDS = ("holds", "socket", "log", "time")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.sampled_from(WORDS))
def test_whatever_a_host_prints_is_read_or_refused(text: str, word: str) -> None:
    with contextlib.suppress(ValueError):
        _seen("own 1", "holds 11 sshd: deploy", f"{word} {text}", "log-place x", "socket 11 " + text)


def test_a_host_shows_accounts_and_misses_only_what_leaves_something_there() -> None:
    roles = (
        Role(name=RoleName("operator"), host=HostAccess(login="deploy", shell=True)),
        Role(name=RoleName("guest"), host=HostAccess(temporary=True, shell=True)),
        Role(name=RoleName("root"), host=HostAccess(login="deploy", commands=("id",), sudo=("(root) /bin/id",))),
    )
    known = [KnownSession(session="s-1", login="sojourn_1", process=1, role=role.name) for role in roles]
    assert [one.login for one in sessions_on_host(roles, known)] == ["deploy", "sojourn_1", "deploy"]
    names = [role.name for role in roles]
    logins = [KnownLogin(grant="g-1", login="sojourn_1", active=True, role=name) for name in (*names, "gone")]
    assert [one.active for one in logins_on_host(roles, logins)] == [False, True, True, False]


def _read(log: Path, place: str) -> Observation:
    ran = subprocess.run(
        ["sh", "-s", "127.0.0.1 1 127.0.0.1 2"], input=script(["deploy"], str(log), place), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return observation(ran.stdout, roles_accounts={"deploy"}, authority=AUTHORITY, now=NOW)


def _line(port: int) -> str:
    text = "2026-11-30T12:59:00+00:00 host sshd[7]: Accepted publickey for deploy from 192.0.2.7 port"
    return f"{text} {port} ssh2: ED25519 SHA256:abc\n"


def test_a_log_is_read_on_from_where_it_was_read_last_also_after_it_was_rotated(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text(_line(1))
    first = _read(log, "").log
    assert (first.sessions, first.gap) == ((), True)
    with log.open("a") as file:
        file.write(_line(2) + "2026-11-30T12:59:00+00:00 host cron[1]: Accepted nothing\n" + _line(3)[:-20])
    second = _read(log, first.place).log
    assert ([one.process for one in second.sessions], second.gap) == ([2], False)
    with log.open("a") as file:
        file.write(_line(3)[-20:])
    log.rename(tmp_path / "auth.log.1")
    log.write_text(_line(4))
    third = _read(log, second.place).log
    assert ([one.process for one in third.sessions], third.gap) == ([3, 4], False)
    assert _read(log, third.place).log.sessions == ()
    # Cut short, or gone for longer than one rotation: then something may not have been read.
    log.write_text("")
    assert _read(log, third.place).log.gap
    assert _read(tmp_path / "none", third.place).log.problem


def _write(journal: Path, number: int) -> None:
    """Put a log-in by that port into a journal, as sshd's own lines get there."""
    fields = {
        "__REALTIME_TIMESTAMP": f"{int(NOW.timestamp()) + number}000000",
        "__MONOTONIC_TIMESTAMP": str(1000 * number),
        "_BOOT_ID": "a" * 32,
        "SYSLOG_IDENTIFIER": "sshd",
        "_PID": "7",
        "MESSAGE": f"Accepted publickey for deploy from 192.0.2.7 port {number} ssh2: ED25519 SHA256:abc",
    }
    entry = "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n"
    command = [PACKAGES["systemd-journal-remote"], "-o", str(journal), "-"]
    subprocess.run(command, input=entry, text=True, check=True, capture_output=True)


def test_the_journal_is_read_on_from_where_it_was_read_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    journal, program = tmp_path / "system.journal", tmp_path / "journalctl"
    program.write_text(f'#!/bin/sh\nexec /usr/bin/journalctl --file {journal} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
    _write(journal, 1)
    first = _read(Path("journal"), "").log
    assert (first.sessions, first.gap, first.place.startswith("journal:")) == ((), True, True)
    assert _read(Path("journal"), first.place).log.place == first.place
    _write(journal, 2)
    _write(journal, 3)
    second = _read(Path("journal"), first.place).log
    assert [(one.process, one.begun) for one in second.sessions] == [
        (2, NOW + timedelta(seconds=2)),
        (3, NOW + timedelta(seconds=3)),
    ]
    assert not second.gap
    assert _read(Path("journal"), second.place).log.sessions == ()
    # Another journal: where it was read to is not known there.
    journal.unlink()
    _write(journal, 4)
    assert _read(Path("journal"), second.place).log.gap
