"""The gateway renews keys by its own limits, towards both sides, and nothing of what passes meanwhile is lost."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, host_authority, ssh_gateway
from sojourn.testing.sshd import Sshd, sshd

from .conftest import ROLES

RENEWED = "SSH2_MSG_NEWKEYS received"
"""What OpenSSH's programs say each time, the first time too."""

MIB = 1 << 20
CONTENT = hashlib.shake_256(b"renewed").digest(24 * MIB)
Limits = Callable[[int, float], None]


@pytest.fixture(scope="module")
def talkative(place: Path) -> Iterator[Sshd]:
    """A host whose server says when keys are renewed."""
    authority = host_authority(place).public
    with sshd(place / "talkative", authority=authority, log_level="DEBUG1") as running:
        yield running


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Sets after how many bytes and seconds the gateway renews keys."""

    def set_to(size: int, seconds: float) -> None:
        for side in ("door", "upstream"):
            monkeypatch.setattr(f"sojourn.gateway.ssh.{side}.REKEY_BYTES", size)
            monkeypatch.setattr(f"sojourn.gateway.ssh.{side}.REKEY_SECONDS", seconds)

    return set_to


async def _renewals(host: Sshd, before: int, at_least: int) -> None:
    """Wait until the host's server has told of so many."""
    async with asyncio.timeout(30):
        while (told := host.log.read_text(errors="replace")[before:].count(RENEWED)) < at_least:
            await asyncio.sleep(0.05)
    assert told >= at_least


async def _cat(door: SshUnderTest, *more: str) -> int:
    """Send the content there and back; gives how often the client was told to renew keys."""
    before = door.host.log.stat().st_size
    key = await door.key()
    ran = await door.ssh(key, "-o", "LogLevel=DEBUG1", *more, "cat", stdin=CONTENT, seconds=120)
    assert (ran.status, ran.out == CONTENT) == (0, True), ran.err[-2000:]
    await _renewals(door.host, before, 10)
    await door.record.closed()
    ((_, _, outcome),) = await door.record.actions()
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert f"stdin {len(CONTENT)} bytes sha256 {digest}" in outcome.tags
    assert f"stdout {len(CONTENT)} bytes sha256 {digest}" in outcome.tags
    return ran.err.decode(errors="replace").count(RENEWED)


async def test_keys_are_renewed_by_the_gateways_own_limit_of_bytes_towards_both_sides(
    place: Path, talkative: Sshd, ledger: SlowLedger, limits: Limits
) -> None:
    limits(MIB, 3600.0)
    async with ssh_gateway(place, talkative, ledger, held=ROLES) as door:
        await door.access()
        # The client's own limit is far away: it is the gateway that asks.
        assert await _cat(door) >= 10


async def test_keys_are_renewed_when_both_sides_want_to_at_the_same_time(
    place: Path, talkative: Sshd, ledger: SlowLedger, limits: Limits
) -> None:
    limits(MIB, 3600.0)
    async with ssh_gateway(place, talkative, ledger, held=ROLES) as door:
        await door.access()
        assert await _cat(door, "-o", "RekeyLimit=1M") >= 10


async def test_keys_are_renewed_by_the_gateways_own_limit_of_time_towards_both_sides(
    place: Path, talkative: Sshd, ledger: SlowLedger, limits: Limits
) -> None:
    # Far more than a renewal takes on a machine with much else to do, or nothing would pass between two of them.
    limits(1 << 30, 1.0)
    async with ssh_gateway(place, talkative, ledger, held=ROLES) as door:
        await door.access()
        before = talkative.log.stat().st_size
        command = "while read -r line; do echo $line; done"
        client = await asyncio.create_subprocess_exec(
            *["ssh", "-F", "none", "-o", "LogLevel=DEBUG1", *door.options(await door.key()), "127.0.0.1", command],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert client.stdin is not None and client.stdout is not None
        # Lines go there and back until keys were renewed towards the host, after the first that were agreed on.
        async with asyncio.timeout(60):
            number = 0
            while talkative.log.read_text(errors="replace")[before:].count(RENEWED) < 2:
                number += 1
                client.stdin.write(f"{number}\n".encode())
                assert await client.stdout.readline() == f"{number}\n".encode()
                await asyncio.sleep(0.05)
            rest, said = await client.communicate(b"")
        assert (client.returncode, rest) == (0, b"")
        assert said.decode(errors="replace").count(RENEWED) >= 2
