"""Who is let in by SSH, and who is not."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from sojourn.domain.events import AttemptRefused, RequestSubmitted, SessionOpened, TokenIssued, TokenRevoked
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, RequestId, RoleName, TargetName, request_stream, token_stream
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code
from sojourn.settings import GatewaySettings
from sojourn.testing.gateway import RealClock, SlowLedger
from sojourn.testing.security_key import ECDSA, ED25519, SoftwareAuthenticator
from sojourn.testing.ssh import SshUnderTest, host_authority, run, ssh_gateway
from sojourn.testing.sshd import Sshd, sshd
from sojourn.vault.ssh_authority import GRANTS, PEOPLE, Certificate, authority

from .conftest import ROLES


async def _refused(door: SshUnderTest) -> list[AttemptRefused]:
    """Who was refused. The client is told first, and then it is recorded."""
    async with asyncio.timeout(10):
        while not (found := await door.found(AttemptRefused, "attempts")):
            await asyncio.sleep(0.01)
    return found


async def _codes(door: SshUnderTest) -> list[str]:
    return [one.code for one in await _refused(door)]


async def test_without_an_access_nobody_is_let_in_and_is_told_why(door: SshUnderTest) -> None:
    ran = await door.ssh(await door.key(), "id")
    assert ran.status == 255
    assert b"no active access" in ran.err.lower() or b"sojourn request" in ran.err
    assert await _codes(door) == [Code.GRANT_NONE_ACTIVE]


async def test_a_key_that_nobody_registered_opens_nothing(door: SshUnderTest) -> None:
    await door.access()
    path = door.directory / "unknown"
    path.unlink(missing_ok=True)
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path])
    ran = await door.ssh(path, "id")
    assert (ran.status, b"Permission denied" in ran.err) == (255, True)
    assert await _codes(door) == [Code.CREDENTIALS_INVALID]


async def test_a_key_is_dead_when_its_token_is_revoked_or_over(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key(life=timedelta(seconds=-1))
    assert (await door.ssh(key, "id")).status == 255
    good = await door.key()
    assert (await door.ssh(good, "true")).status == 0
    token = (await door.found(TokenIssued, "token/"))[-1].token
    event = TokenRevoked(token=token, revoked_by=PersonId("alice"))
    await door.record.ledger.append([Change(stream=token_stream(token), event=event, seen=None)])
    assert (await door.ssh(good, "id")).status == 255


async def test_somebody_elses_access_is_of_no_use(door: SshUnderTest) -> None:
    await door.access(person="alice")
    assert (await door.ssh(await door.key("bob"), "id")).status == 255
    assert await _codes(door) == [Code.GRANT_NONE_ACTIVE]


async def test_a_certificate_of_the_right_authority_person_and_time_opens_and_no_other(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    public = key.with_suffix(".pub").read_text()
    now = RealClock().now()

    async def with_certificate(
        signer: str,
        person: str,
        ends_in: int,
        networks: tuple[str, ...] = (),
        command: str = "",
        permits: tuple[str, ...] = ("permit-pty",),
    ) -> int:
        certificate = Certificate(
            key_id="t-1",
            principals=(person,),
            since=now - timedelta(hours=1),
            until=now + timedelta(seconds=ends_in),
            source_addresses=networks,
            force_command=command,
            permits=permits,
        )
        signed = authority(door.directory / "keys", signer).certify(public, certificate, serial=1)
        path = door.directory / "tried-cert.pub"
        path.write_text(signed + "\n")
        # Only the certificate is shown: the key by itself would be let in.
        return await _with(door, key, path)

    assert await with_certificate(PEOPLE, "alice", 60) == 0
    assert await with_certificate(GRANTS, "alice", 60) == 255
    assert await with_certificate(PEOPLE, "bob", 60) == 255
    assert await with_certificate(PEOPLE, "alice", -60) == 255
    assert await with_certificate(PEOPLE, "alice", 60, ("192.0.2.0/24",)) == 255
    assert await with_certificate(PEOPLE, "alice", 60, ("127.0.0.0/8",)) == 0
    # What restricts its holder is never dropped: the certificate opens nothing then (CVE-2026-39828).
    assert await with_certificate(PEOPLE, "alice", 60, command="true") == 255
    assert await with_certificate(PEOPLE, "alice", 60, permits=()) == 255


async def test_a_key_or_certificate_is_all_that_is_asked_for_and_nothing_comes_behind_it(door: SshUnderTest) -> None:
    """No second step follows that could forget what the first one restricted."""
    await door.access()
    good = await door.ssh(await door.key(), "-vv", "-o", "LogLevel=DEBUG2", "true")
    unknown = door.directory / "no-second-step"
    unknown.unlink(missing_ok=True)
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", unknown])
    refused = await door.ssh(unknown, "-vv", "-o", "LogLevel=DEBUG2", "true")
    for ran, status in ((good, 0), (refused, 255)):
        said = [line for line in ran.err.decode().splitlines() if "Authentications that can continue" in line]
        assert ran.status == status
        assert {line.rpartition(": ")[2] for line in said} == {"publickey"}
        assert b"partial success" not in ran.err


async def _with(door: SshUnderTest, key: object, certificate: object) -> int:
    pair = (asyncssh.read_private_key(str(key)), asyncssh.read_certificate(str(certificate)))
    signer = asyncssh.load_keypairs([pair])[0]
    try:
        async with asyncssh.connect(
            "127.0.0.1", door.port, username="web-1", client_keys=[signer], known_hosts=None, config=None
        ) as connection:
            return (await connection.run("true")).exit_status or 0
    except asyncssh.PermissionDenied:
        return 255


async def test_who_it_is_is_settled_by_the_key_that_signed(door: SshUnderTest) -> None:
    """To ask about somebody's key, and then to sign with one's own, makes nobody that somebody (CVE-2024-45337)."""
    await door.access(person="alice")
    victim, own = await door.key("alice"), await door.key("bob")

    shown = asyncssh.read_public_key(str(victim) + ".pub")
    stolen = _Unsigned(asyncssh.load_keypairs([str(own)])[0], shown)
    with pytest.raises((asyncssh.Error, ConnectionError)):
        async with asyncssh.connect(
            "127.0.0.1",
            door.port,
            username="web-1",
            client_keys=[stolen, str(own)],
            known_hosts=None,
            config=None,
        ) as connection:
            await connection.run("true", check=True)
    assert await door.found(SessionOpened) == []
    assert ("bob", Code.GRANT_NONE_ACTIVE) in [(one.actor, one.code) for one in await _refused(door)]


class _Unsigned(asyncssh.SSHKeyPair):
    """A public key that is shown with a signature of another key."""

    def __init__(self, signer: asyncssh.SSHKeyPair, shown: asyncssh.SSHKey) -> None:
        algorithms = shown.sig_algorithms
        super().__init__(shown.algorithm, algorithms[0], algorithms, (), shown.public_data, None)
        self._signer = signer

    def sign(self, data: bytes) -> bytes:
        return self._signer.sign(data)


@pytest.mark.parametrize("kind", [ED25519, ECDSA])
async def test_a_key_in_a_fido_device_opens_when_the_device_was_touched(door: SshUnderTest, kind: str) -> None:
    await door.access()
    device, other = SoftwareAuthenticator(kind), SoftwareAuthenticator(kind)
    await door.register(device.line, "alice")

    async def opens(key: SoftwareAuthenticator) -> bool:
        try:
            async with asyncssh.connect(
                "127.0.0.1", door.port, username="web-1", client_keys=[key], known_hosts=None, config=None
            ) as connection:
                return (await connection.run("true")).exit_status == 0
        except asyncssh.PermissionDenied:
            return False

    assert await opens(device)
    device.touched = False
    assert not await opens(device)
    assert not await opens(other)


async def test_a_stranger_learns_nothing_about_targets(door: SshUnderTest) -> None:
    key = door.directory / "stranger"
    key.unlink(missing_ok=True)
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    known = await door.ssh(key, "-o", "User=web-1", "id")
    unknown = await door.ssh(key, "-o", "User=no-such-host", "id")
    assert known.err.replace(b"web-1", b"X") == unknown.err.replace(b"no-such-host", b"X")


async def test_the_gateway_shows_a_certificate_so_that_nobody_types_yes(door: SshUnderTest) -> None:
    await door.access()
    ran = await door.ssh(await door.key(), "-v", "true")
    assert ran.status == 0
    assert b"Server host certificate: ssh-ed25519-cert-v01@openssh.com" in ran.err or ran.err == b""
    other = door.directory / "other-hosts"
    other.write_text(f"@cert-authority * {(door.directory / 'keys' / 'ssh_people.pub').read_text()}")
    refused = await door.ssh(await door.key(), "-o", f"UserKnownHostsFile={other}", "true")
    assert refused.status == 255


async def test_a_jump_ends_at_the_gateway_and_is_recorded_like_any_other(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    configuration = door.directory / "jump-config"
    common = door.options(key)
    lines = [one.replace("=", " ", 1) for one in common[1::2] if not one.startswith(("User=", "Port="))]
    said = "\n".join(f"  {line}" for line in lines)
    configuration.write_text(
        f"Host gw\n  HostName 127.0.0.1\n  Port {door.port}\n  User alice\n{said}\n"
        f"Host web-1 elsewhere 127.0.0.9\n  ProxyJump gw\n  User anybody\n{said}\n"
    )
    ran = await run(["ssh", "-F", configuration, "web-1", "echo jumped; exit 4"])
    assert (ran.status, ran.out) == (4, b"jumped\n"), ran.err
    assert (await run(["ssh", "-F", configuration, "elsewhere", "id"])).status == 255
    assert (await run(["ssh", "-F", configuration, "gw", "id"])).status == 255
    assert (await run(["ssh", "-F", configuration, "-W", f"127.0.0.1:{door.host.port}", "gw"])).out == b""
    ((_, detail, _),) = await door.record.actions()
    assert detail["text"] == "echo jumped; exit 4"


async def test_the_gateway_offers_no_weak_algorithm(door: SshUnderTest) -> None:
    program = [sys.executable, "-m", "ssh_audit", "--skip-rate-test", "-j", "-p", str(door.port), "127.0.0.1"]
    found = json.loads((await run(program)).out)
    notes = [
        (one["algorithm"], note)
        for kind in ("kex", "key", "enc", "mac")
        for one in found[kind]
        for level in ("fail", "warn")
        for note in one.get("notes", {}).get(level, [])
    ]
    # Clients before OpenSSH 9.9 know no key exchange that is safe from a quantum computer and that we speak.
    assert {note for _, note in notes} <= {"does not provide protection against post-quantum attacks"}
    assert "kex-strict-s-v00@openssh.com" in [one["algorithm"] for one in found["kex"]]
    assert found["cves"] == []


async def test_it_is_all_the_same_by_ipv6_on_both_sides(place: Path, ledger: SlowLedger) -> None:
    settings = GatewaySettings(host="::", port=0, ssh=True, ssh_port=0, warn_seconds=0)
    with sshd(place / "six", authority=host_authority(place).public, address="::1") as six:
        async with ssh_gateway(place, six, ledger, held=ROLES, settings=settings) as door:
            await door.access()
            key = await door.key()
            by_six = await door.ssh(key, "-6", "-o", "HostName=::1", "-o", "HostKeyAlias=localhost", "echo $SSH_CLIENT")
            assert by_six.out.startswith(b"::1 "), by_six.err
            by_four = await door.ssh(key, "true")
            assert by_four.status == 0
            sources = [one.source.rpartition(":")[0] for one in await door.found(SessionOpened)]
            assert sources == ["::1", "127.0.0.1"]


async def test_who_comes_while_the_access_is_on_its_way_waits_for_it_if_the_settings_say_so(
    place: Path, host: Sshd, ledger: SlowLedger
) -> None:
    settings = GatewaySettings(port=0, ssh=True, ssh_port=0, warn_seconds=0, wait_seconds=60)
    async with ssh_gateway(place, host, ledger, held=ROLES, settings=settings) as door:
        key = await door.key()
        request, now = RequestId("r-0000000001"), RealClock().now()
        asked = RequestSubmitted(
            request=request,
            person=PersonId("alice"),
            target=TargetName("web-1"),
            role=RoleName("operator"),
            duration=timedelta(hours=1),
            reason=Sealed(commitment="0" * 64, key="k"),
            digest="d",
            rules=(),
            groups=(),
            decide_by=now + timedelta(hours=1),
            activate_within=timedelta(hours=1),
            configuration_version=1,
            configuration_digest="c",
            source="test",
        )
        await ledger.append([Change(stream=request_stream(request), event=asked, seen=0)])
        waiting = asyncio.create_task(door.ssh(key, "echo in", seconds=60))
        done, _ = await asyncio.wait({waiting}, timeout=1.0)
        assert not done
        second = await door.ssh(key, "true")
        assert (second.status, await _codes(door)) == (255, [Code.GRANT_NONE_ACTIVE])
        await door.access()
        assert (await waiting).out == b"in\n"
