"""A session of a host is over when its grant is, whatever it does."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from sojourn.domain.events import CloseCause, GrantCreated, GrantProvisioned, SessionConnected, SessionOpened
from sojourn.targets.port import Claim
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import Ran, SshUnderTest, run


async def _running(door: SshUnderTest, *arguments: str) -> asyncio.Task[Ran]:
    """A client that is at work on the host."""
    task = asyncio.create_task(door.ssh(await door.key(), *arguments))
    while not await door.found(SessionConnected):
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    return task


@pytest.mark.parametrize("arguments", [("sleep 60",), ("-tt", "sleep 60"), ("-N",), ("cat /dev/zero",)])
async def test_a_revoked_access_is_cut_within_a_second_with_a_message(
    door: SshUnderTest, arguments: tuple[str, ...]
) -> None:
    grant = await door.access()
    if arguments == ("-N",):
        task = asyncio.create_task(door.ssh(await door.key(), "-N", "true"))
        while not await door.found(SessionOpened):
            await asyncio.sleep(0.02)
    else:
        task = await _running(door, *arguments)
    began = time.monotonic()
    await door.record.end_grant(grant)
    ran = await task
    assert time.monotonic() - began < 5.0
    assert ran.status == 255 if arguments == ("-N",) else ran.status != 0
    assert b"revoked" in ran.err + ran.out[-400:]
    (closed,) = await door.record.closed()
    assert closed.cause is CloseCause.GRANT_ENDED
    assert closed.cut_lag_us is not None
    assert closed.cut_lag_us < 5_000_000


async def test_a_session_ends_at_its_grants_end_by_the_gateways_own_clock(door: SshUnderTest) -> None:
    await door.access_without_own_end(seconds=6)
    ran = await (await _running(door, "sleep 60"))
    assert b"ended at" in ran.err or b"expired" in ran.err or b"is over" in ran.err
    (closed,) = await door.record.closed()
    assert closed.cause is CloseCause.GRANT_ENDED


async def test_the_certificates_end_no_later_than_the_grant(door: SshUnderTest) -> None:
    await door.access(seconds=100)
    (granted,) = await door.found(GrantProvisioned, "grant/")
    (created,) = await door.found(GrantCreated, "grant/")
    lines = [line for line in granted.observed if line.startswith("certificate ")]
    assert len(lines) == 2
    for line in lines:
        path = door.directory / "shown-cert.pub"
        path.write_text(line.removeprefix("certificate "))
        shown = (await run(["env", "TZ=UTC", "ssh-keygen", "-L", "-f", path])).out.decode()
        assert "Principals: \n                sojourn-deploy\n" in shown
        until = created.window.end.strftime("%Y-%m-%dT%H:%M:%S")
        assert f"to {until}" in shown, (shown, until)


async def _state(process: str) -> str:
    """The state of a process; empty if it is gone, Z if nobody has asked how it ended."""
    return (await run(["ps", "-o", "stat=", "-p", process])).out.decode().strip()


async def test_what_runs_is_ended_on_the_host_and_read_back(door: SshUnderTest) -> None:
    grant = await door.access()
    left = "setsid nohup sleep 987 >/dev/null 2>&1 & echo $!; sleep 1"
    ran = await door.ssh(await door.key(), left)
    process = ran.out.split()[0].decode()
    assert await _state(process)
    await door.record.end_grant(grant)
    removal = await door.removed(grant)
    assert removal.complete
    assert removal.sessions_terminated == 1
    assert (await _state(process))[:1] in ("", "Z")


async def test_a_certificate_is_dead_on_the_host_before_its_time(door: SshUnderTest) -> None:
    grant = await door.access()
    (created,) = await door.found(GrantCreated, "grant/")
    assert await door.driver._still_opens(door.record.target, created.credential)
    other = await door.access(person="bob")
    await door.removed(grant)
    assert not await door.driver._still_opens(door.record.target, created.credential)
    assert (await door.ssh(await door.key("bob"), "true")).status == 0, other
    assert (await door.ssh(await door.key("alice"), "true")).status == 255


async def test_an_extended_access_has_certificates_with_the_later_end(door: SshUnderTest) -> None:
    await door.access(seconds=100)
    (granted,) = await door.found(GrantProvisioned, "grant/")
    (created,) = await door.found(GrantCreated, "grant/")
    ends = (created.window.end, created.window.end + timedelta(hours=1))
    claim = Claim(grant=granted.grant, credential=created.credential, ends=ends, observed=granted.observed)
    observed = await door.driver.prolong(door.record.target, claim, secret="")
    before = [line for line in granted.observed if line.startswith("certificate ")]
    after = [line for line in observed if line.startswith("certificate ")]
    assert len(after) == len(before)
    assert not set(after) & set(before)
    assert [line for line in observed if line not in after] == [line for line in granted.observed if line not in before]
    path = door.directory / "longer-cert.pub"
    path.write_text(after[0].removeprefix("certificate "))
    shown = (await run(["env", "TZ=UTC", "ssh-keygen", "-L", "-f", path])).out.decode()
    assert (created.window.end + timedelta(hours=1)).strftime("to %Y-%m-%dT%H:%M:%S") in shown


async def test_one_session_can_be_stopped_and_the_access_goes_on(door: SshUnderTest) -> None:
    await door.access()
    first = await _running(door, "sleep 60")
    other = asyncio.create_task(door.ssh(await door.key(), "sleep 3; echo done"))
    while len(await door.found(SessionConnected)) < 2:
        await asyncio.sleep(0.02)
    stopped = (await door.found(SessionOpened))[0].session
    await door.record.stop_session(stopped)
    ran = await first
    assert ran.status != 0
    assert b"was stopped by bob" in ran.err
    closed = (await door.record.closed())[0]
    assert (closed.session, closed.cause) == (stopped, CloseCause.STOPPED)
    assert (await other).out == b"done\n"
    assert (await door.ssh(await door.key(), "echo again")).out == b"again\n"


async def test_a_session_that_was_stopped_while_its_host_was_reached_does_not_begin(
    door: SshUnderTest, ledger: SlowLedger
) -> None:
    await door.access()
    key = await door.key()
    ledger.delay = 0.3
    task = asyncio.create_task(door.ssh(key, "sleep 60"))
    while not await door.found(SessionOpened):
        await asyncio.sleep(0.01)
    await door.record.stop_session((await door.found(SessionOpened))[0].session)
    assert (await task).status != 0
    ledger.delay = 0.0
    (closed,) = await door.record.closed()
    assert closed.cause is CloseCause.STOPPED
