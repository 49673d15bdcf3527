"""A host ends an access by itself: what it left running, its account and its rule, with nobody of Sojourn's alive."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from sojourn.domain.events import GrantCreated
from sojourn.domain.identifiers import GrantId
from sojourn.domain.ssh import Host
from sojourn.errors import SojournError
from sojourn.targets.port import Claim
from sojourn.targets.ssh import scripts
from sojourn.targets.ssh.own_end import PLACE
from sojourn.testing.gateway import RealClock, SlowLedger
from sojourn.testing.ssh import SshUnderTest, roles, run, shell, ssh_gateway
from sojourn.testing.sshd import Sshd

from .test_host import DETACHED, is_there

LEFT = "; ".join(DETACHED.values())
"""Leaves three processes running, each in its own way, and prints their numbers."""


async def _claim(door: SshUnderTest, grant: GrantId, *, ends_in: timedelta) -> Claim:
    created = next(one for one in await door.found(GrantCreated, "grant/") if one.grant == grant)
    ends = (created.window.end, RealClock().now() + ends_in)
    return Claim(grant=grant, credential=created.credential, ends=ends, role=created.role)


def _place(claim: Claim) -> Path:
    """What the host has written down of it."""
    return Path(PLACE, claim.credential)


async def _end_soon(door: SshUnderTest, grant: GrantId) -> Claim:
    """Have the end come now, as if it had been agreed upon."""
    claim = await _claim(door, grant, ends_in=timedelta(0))
    await door.driver.prolong(door.record.target, claim, secret="")
    look_again(_place(claim))
    return claim


def look_again(place: Path) -> None:
    """Wake the process that waits there, which else looks twice a minute."""
    waiting = (place / "process").read_text().strip()
    subprocess.run(["pkill", "-P", waiting, "sleep"], check=False)


async def _until_gone(*processes: str) -> None:
    async with asyncio.timeout(30):
        for process in processes:
            while await is_there(process):
                await asyncio.sleep(0.05)


async def _until_done(claim: Claim) -> None:
    async with asyncio.timeout(30):
        while not (_place(claim) / "done").exists():
            await asyncio.sleep(0.05)


async def test_what_was_detached_is_ended_by_the_host_itself_and_told_when_somebody_is_back(
    door: SshUnderTest,
) -> None:
    grant = await door.access()
    left = (await door.ssh(await door.key(), LEFT)).out.decode().split()
    assert len(left) == len(DETACHED)
    # There is no control here that takes anything back, and from now on no gateway either.
    door.record.stop()
    claim = await _end_soon(door, grant)
    await _until_gone(*left)
    await _until_done(claim)
    removal = await door.removed(grant)
    assert removal.complete
    assert removal.sessions_terminated >= len(left)
    assert not _place(claim).exists()


async def test_an_account_and_a_rule_are_removed_by_the_host_itself(door: SshUnderTest) -> None:
    guest, sudoer = await door.access("guest"), await door.access("sudoer")
    first, second = await _end_soon(door, guest), await _end_soon(door, sudoer)
    await _until_done(first)
    await _until_done(second)
    assert (await run(["id", first.credential])).status == 1
    assert not Path(f"/home/{first.credential}").exists()
    assert not Path(f"/etc/sudoers.d/sojourn-{second.credential}").exists()
    for grant in (guest, sudoer):
        assert (await door.removed(grant)).complete


async def test_what_is_to_be_reported_runs_on_when_the_host_ends_the_access(door: SshUnderTest) -> None:
    grant = await door.access("reported")
    process = (await door.ssh(await door.key(), DETACHED["nohup"])).out.decode().strip()
    try:
        await _until_done(await _end_soon(door, grant))
        assert await is_there(process)
        removal = await door.removed(grant)
        assert removal.complete
        assert f"{process} sleep" in removal.left
    finally:
        os.kill(int(process), signal.SIGKILL)


async def test_a_later_end_is_told_to_the_host_and_none_after_it_has_ended_the_access(door: SshUnderTest) -> None:
    grant = await door.access(seconds=600)
    later = await _claim(door, grant, ends_in=timedelta(hours=2))
    await door.driver.prolong(door.record.target, later, secret="")
    up = float(Path("/proc/uptime").read_text().split()[0])
    assert 7_000 < float((_place(later) / "end").read_text()) - up <= 7_201
    await _until_done(await _end_soon(door, grant))
    with pytest.raises(SojournError, match="has ended it already"):
        await door.driver.prolong(door.record.target, later, secret="")
    assert (await door.removed(grant)).complete


async def test_nothing_waits_on_the_host_once_the_access_is_taken_back(door: SshUnderTest) -> None:
    grant = await door.access()
    claim = await _claim(door, grant, ends_in=timedelta(0))
    waiting = (_place(claim) / "process").read_text().strip()
    assert await is_there(waiting)
    assert (await door.removed(grant)).complete
    await _until_gone(waiting)
    assert not _place(claim).exists()


async def test_what_runs_by_sudo_is_ended_with_the_access(place: Path, host: Sshd, ledger: SlowLedger) -> None:
    """It runs as root, without the variables of whoever has called it, but for the one by which it is found."""
    held = roles(sleeper=shell(sudo=("(root) NOPASSWD: /usr/bin/sleep",)))
    async with ssh_gateway(place, host, ledger, held=held) as door:
        grant = await door.access("sleeper")
        command = "setsid sudo -n /usr/bin/sleep 4321 >/dev/null 2>&1 </dev/null & echo $!"
        caller = (await door.ssh(await door.key(), command)).out.decode().strip()
        async with asyncio.timeout(30):
            while not (runs := (await run(["pgrep", "-P", caller, "sleep"])).out.decode().split()):
                await asyncio.sleep(0.05)
        assert (await run(["ps", "-o", "user=", "-p", runs[0]])).out.strip() == b"root"
        assert (await door.removed(grant)).complete
        await _until_gone(caller, *runs)


def test_a_list_of_what_is_revoked_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    """Whatever fails on the way ends the script, and leaves the list as it was."""
    (tmp_path / "revoked").write_bytes(b"a list")
    (tmp_path / "ssh-keygen").symlink_to("/bin/false")
    script = scripts.revoke(
        Host(revoked=str(tmp_path / "revoked")), authority="ssh-ed25519 AAAA", credential="sojourn_a"
    )
    path = f"{tmp_path}:/usr/bin:/bin"
    ran = subprocess.run(["env", f"PATH={path}", "sh", "-s"], input=script + "echo went on\n", text=True, check=False)
    assert ran.returncode == 1
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("revoked")] == ["revoked"]
    assert (tmp_path / "revoked").read_bytes() == b"a list"
