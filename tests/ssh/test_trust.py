"""What makes each side believe the other, and what becomes of a side that does not answer any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from asyncssh.constants import MSG_REQUEST_FAILURE, MSG_REQUEST_SUCCESS

from sojourn.domain.events import CloseCause, GrantProvisioned, Outcome, SessionClosed
from sojourn.testing.gateway import RealClock, SlowLedger
from sojourn.testing.ssh import Ran, SshUnderTest, host_authority, run, ssh_gateway
from sojourn.testing.sshd import ACCOUNT, Sshd, sshd
from sojourn.vault.ssh_authority import GATEWAYS, GRANTS, Authority, Certificate, authority, grant_key, private_file

from .conftest import ROLES
from .test_shell import connected


async def _straight(door: SshUnderTest, granted: GrantProvisioned, *arguments: str) -> Ran:
    """Whoever got hold of the access's key and certificate, at the host itself."""
    certificate = next(line for line in granted.observed if line.startswith("certificate "))
    secret = (await door.record.ledger.matter([granted.secret.commitment]))[0]
    stolen = door.directory / "taken"
    stolen.write_bytes(private_file(grant_key(door.record.opener.open_value(*secret).decode())))
    stolen.chmod(0o600)
    (door.directory / "taken-cert.pub").write_text(certificate.removeprefix("certificate ") + "\n")
    options = ["-F", "none", "-i", str(stolen), "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=no"]
    options += ["-o", f"UserKnownHostsFile={door.directory}/taken-hosts", "-o", "BatchMode=yes"]
    there = ["-p", str(door.host.port), f"{ACCOUNT}@127.0.0.1", "true"]
    return await run(["ssh", *options, *arguments, *there])


async def test_the_host_takes_a_certificate_from_the_addresses_of_gateway_and_control_alone(
    door: SshUnderTest,
) -> None:
    target = door.record.target
    assert target.ssh is not None
    door.record.target = replace(target, ssh=replace(target.ssh, source_addresses=("127.0.0.1/32",)))
    await door.record.adopt(["alice", "bob"])
    await door.access()
    (granted,) = await door.found(GrantProvisioned, "grant/")
    assert (await door.ssh(await door.key(), "true")).status == 0
    assert (await _straight(door, granted, "-b", "127.0.0.1")).status == 0
    elsewhere = await _straight(door, granted, "-b", "127.0.0.2")
    assert (elsewhere.status, b"Permission denied" in elsewhere.err) == (255, True)


def _host_certificate(signer: Authority, name: str, public: str) -> str:
    now = RealClock().now()
    certificate = Certificate(key_id="a host", principals=(name,), since=now, until=now + timedelta(hours=1), host=True)
    return signer.certify(public, certificate, serial=1)


@pytest.mark.parametrize(
    ("signer", "name", "taken"),
    [(GATEWAYS, "127.0.0.1", True), (GRANTS, "127.0.0.1", False), (GATEWAYS, "192.0.2.1", False)],
    ids=["certified", "by another authority", "for another host"],
)
async def test_a_host_is_believed_by_the_certificate_of_its_authority(
    place: Path, ledger: SlowLedger, signer: str, name: str, taken: bool
) -> None:
    """No key of it is pinned: the one authority is named in the configuration."""
    trusted = host_authority(place).public
    keys = place / "keys"
    certify = partial(_host_certificate, authority(keys, signer), name)
    with sshd(place / f"certified-{signer}-{taken}-{name}", authority=trusted, certify=certify) as host:
        async with ssh_gateway(place, host, ledger, held=ROLES) as door:
            await door.access()
            target = door.record.target
            assert target.ssh is not None
            named = replace(target.ssh, keys=(), authorities=(authority(keys, GATEWAYS).public,))
            door.record.target = replace(target, ssh=named)
            await door.record.adopt(["alice", "bob"])
            ran = await door.ssh(await door.key(), "echo in")
            assert (ran.status, ran.out) == ((0, b"in\n") if taken else (255, b"")), ran.err
            ((_, _, outcome),) = await door.record.actions()
            assert outcome.outcome is (Outcome.COMPLETED if taken else Outcome.FAILED)


async def test_a_client_that_does_not_answer_any_more_is_given_up_and_its_terminal_is_ended(
    place: Path, host: Sshd, ledger: SlowLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.gateway.ssh.door.KEEPALIVE_SECONDS", 1)
    async with ssh_gateway(place, host, ledger, held=ROLES) as door:
        await door.access()
        command = ["ssh", "-F", "none", *door.options(await door.key()), "-tt", "127.0.0.1", "echo $$; exec sleep 4321"]
        client = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert client.stdout is not None
        process = int(await client.stdout.readline())
        client.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                while not (ended := await door.found(SessionClosed)):
                    await asyncio.sleep(0.05)
            assert [one.cause for one in ended] == [CloseCause.CLIENT_CLOSED]
            async with asyncio.timeout(30):
                while (await run(["ps", "-o", "stat=", "-p", str(process)])).out.strip()[:1] not in (b"", b"Z"):
                    await asyncio.sleep(0.05)
        finally:
            client.kill()
            await client.wait()


async def test_a_host_that_does_not_answer_any_more_is_given_up_and_the_client_is_told(
    place: Path, host: Sshd, ledger: SlowLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.gateway.ssh.upstream.KEEPALIVE_SECONDS", 1)
    async with ssh_gateway(place, host, ledger, held=ROLES) as door:
        await door.access()
        command = ["ssh", "-F", "none", *door.options(await door.key()), "127.0.0.1", "echo $PPID; exec sleep 4321"]
        client = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert client.stdout is not None
        server = int(await client.stdout.readline())
        os.kill(server, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                _, said = await client.communicate()
            assert (client.returncode, b"host has closed the connection" in said) == (255, True), said
            (closed,) = await door.record.closed()
            assert closed.cause is CloseCause.TARGET_CLOSED
        finally:
            for one in (signal.SIGKILL, signal.SIGCONT):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(server, one)


async def test_a_client_that_asks_whether_the_gateway_is_there_is_answered(door: SshUnderTest) -> None:
    await door.access()
    async with connected(door) as connection, asyncio.timeout(30):
        # Any answer will do: OpenSSH's server says that it knows no such request (`ServerAliveInterval` in ssh_config).
        answered, _ = await connection._make_global_request(b"keepalive@openssh.com")
    assert answered in (MSG_REQUEST_SUCCESS, MSG_REQUEST_FAILURE)
