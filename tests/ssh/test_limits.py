"""Limits of sessions of hosts, and hosts that are not what they should be."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from sojourn.domain.events import AttemptRefused, CloseCause, Outcome, SessionConnected
from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import Role
from sojourn.settings import GatewaySettings
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, host_authority, shell, ssh_gateway
from sojourn.testing.sshd import Sshd, sshd

from .conftest import ROLES


async def test_an_idle_session_and_one_that_lasts_too_long_are_ended_with_a_reason(
    place: Path, host: Sshd, ledger: SlowLedger
) -> None:
    settings = GatewaySettings(port=0, ssh=True, ssh_port=0, warn_seconds=0, idle_seconds=2, session_seconds=5)
    async with ssh_gateway(place, host, ledger, held=ROLES, settings=settings) as door:
        await door.access()
        key = await door.key()
        idle = await door.ssh(key, "sleep 60")
        assert b"idle" in idle.err
        busy = await door.ssh(key, "while true; do echo x; sleep 0.2; done")
        assert b"lasted" in busy.err
        assert [one.cause for one in await door.record.closed(2)] == [CloseCause.LIMIT_REACHED] * 2


async def test_as_many_connections_as_the_role_says_and_no_more(place: Path, host: Sshd, ledger: SlowLedger) -> None:
    held = (Role(name=RoleName("operator"), host=shell(), connections_max=2),)
    async with ssh_gateway(place, host, ledger, held=held) as door:
        await door.access()
        key = await door.key()
        holders = [
            await asyncio.create_subprocess_exec(
                "ssh", "-F", "none", *door.options(key), "127.0.0.1", "sleep 30", stdin=asyncio.subprocess.PIPE
            )
            for _ in range(2)
        ]
        while len(await door.found(SessionConnected)) < 2:
            await asyncio.sleep(0.02)
        refused = await door.ssh(key, "true")
        assert (refused.status, b"limit of 2" in refused.err) == (255, True)
        holders[0].terminate()
        await holders[0].wait()
        await door.record.closed(2)
        assert (await door.ssh(key, "true")).status == 0
        holders[1].terminate()
        await holders[1].wait()


async def test_a_host_with_another_key_than_the_pinned_one_is_refused_on_record(
    door: SshUnderTest,
) -> None:
    await door.access()
    target = door.record.target
    assert target.ssh is not None
    other = (door.directory / "keys" / "ssh_people.pub").read_text().split()
    door.record.target = replace(target, ssh=replace(target.ssh, keys=(" ".join(other[:2]),)))
    await door.record.adopt(["alice", "bob"])
    ran = await door.ssh(await door.key(), "id")
    assert ran.status == 255
    assert b"another key" in ran.err
    ((_, _, outcome),) = await door.record.actions()
    assert outcome.outcome is Outcome.FAILED


async def test_when_the_spool_cannot_be_written_nothing_is_shown(
    door: SshUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sojourn.gateway.ssh.spool.Spool.put", full)
    await door.access()
    ran = await door.ssh(await door.key(), "echo shown")
    assert b"shown" not in ran.out
    assert b"disk" in ran.err
    (closed,) = await door.record.closed()
    assert closed.cause is CloseCause.RECORD_UNAVAILABLE


NEARLY_FULL = """
import resource, secrets, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sojourn.gateway.ssh.spool import Spool
from sojourn.vault.sealer import Sealer
sealing = Sealer("evidence", X25519PrivateKey.generate().public_key(), secrets.token_bytes).seal("alice", b"x" * 1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
try:
    Spool(Path(sys.argv[1])).put(1, sealing)
except OSError:
    sys.exit(7)
"""
"""In a process of its own, for the limit holds for all that a process writes."""


def test_what_the_disk_takes_only_a_part_of_is_not_taken_for_written(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", NEARLY_FULL, tmp_path / "one.spool"], capture_output=True, check=False)
    assert ran.returncode == 7, ran.stderr
    assert (tmp_path / "one.spool").stat().st_size == 500, "a part was written, which says nothing by itself"


async def test_a_host_that_opens_no_more_sessions_says_so_at_once(place: Path, ledger: SlowLedger) -> None:
    with sshd(place / "narrow", authority=host_authority(place).public, sessions=1) as narrow:
        async with ssh_gateway(place, narrow, ledger, held=ROLES) as door:
            await door.access()
            key = await door.key()
            control = ["-o", f"ControlPath={door.directory}/narrow.sock"]
            holder = asyncio.create_task(door.ssh(key, *control, "-o", "ControlMaster=yes", "sleep 5"))
            while not await door.found(SessionConnected):
                await asyncio.sleep(0.02)
            second = await door.ssh(key, *control, "true", seconds=4)
            assert second.status == 255
            assert (await holder).status == 0


async def test_fifty_channels_at_once_are_all_served(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    async with asyncssh.connect(
        "127.0.0.1", door.port, username="web-1", client_keys=[str(key)], known_hosts=None, config=None
    ) as connection:
        ran = await asyncio.gather(*(connection.run(f"echo {one}; exit {one % 7}") for one in range(50)))
    assert [str(one.stdout).strip() for one in ran] == [str(one) for one in range(50)]
    assert [one.exit_status for one in ran] == [one % 7 for one in range(50)]
    assert not [one for one in await door.record.attempts() if isinstance(one, AttemptRefused)]


async def test_an_access_opens_only_the_host_and_the_role_that_were_approved(door: SshUnderTest) -> None:
    await door.access("restarter")
    key, target = await door.key(), door.record.target
    assert (await door.ssh(key, "echo restarted")).status == 0
    wider = shell(commands=(), forward_to=("127.0.0.1:*",))
    for changed in (
        replace(target, roles=(Role(name=RoleName("restarter"), host=wider),)),
        replace(target, port=target.port + 1),
        replace(target, host="localhost"),
        replace(target, roles=()),
    ):
        door.record.target = changed
        await door.record.adopt(["alice", "bob"])
        ran = await door.ssh(key, "echo restarted")
        assert (ran.status, ran.out) == (255, b"")
    narrower = replace(wider, shell=False, commands=("echo restarted",), forward_to=())
    door.record.target = replace(target, roles=(Role(name=RoleName("restarter"), host=narrower),))
    await door.record.adopt(["alice", "bob"])
    assert (await door.ssh(key, "echo restarted")).status == 0
    assert (await door.ssh(key, "id -un")).status == 126
