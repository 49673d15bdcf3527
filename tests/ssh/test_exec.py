"""Commands through the gateway, with OpenSSH's own programs as clients."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

from sojourn.domain.events import (
    ActionIntended,
    GrantProvisioned,
    Outcome,
    SessionClosed,
    SessionConnected,
    SessionOpened,
)
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, run
from sojourn.vault.ssh_authority import grant_key, private_file

from .conftest import Place

SIGNALS = ("TERM", "KILL", "HUP", "INT", "USR1", "PIPE", "ALRM")
"""How a command can end whose signal SSH has a name for (RFC 4254, section 6.10), and that leaves no core."""


async def test_a_command_runs_and_its_output_and_error_stay_apart(door: SshUnderTest) -> None:
    await door.access()
    ran = await door.ssh(await door.key(), "echo out; echo err >&2; exit 7")
    assert (ran.status, ran.out, ran.err) == (7, b"out\n", b"err\n")
    ((intended, detail, outcome),) = await door.record.actions()
    assert (intended.verb, detail["text"]) == ("exec", "echo out; echo err >&2; exit 7")
    assert outcome.tags[0] == "exit 7"
    assert outcome.tags[2] == f"stdout 4 bytes sha256 {hashlib.sha256(b'out' + bytes([10])).hexdigest()}"
    (closed,) = await door.record.closed()
    assert (closed.actions, closed.bytes_out) == (1, 8)
    kinds = [type(event) for event in await door.record.events()]
    assert kinds.index(SessionOpened) < kinds.index(ActionIntended) < kinds.index(SessionConnected)
    assert kinds[-1] is SessionClosed


async def test_every_exit_status_arrives_however_short_the_command(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    master = [*door.options(key), "-o", f"ControlPath={door.directory}/status.sock"]
    ssh = ["ssh", "-F", "none", *master, "127.0.0.1"]
    holder = await asyncio.create_subprocess_exec(*ssh[:-1], "-o", "ControlMaster=yes", "-N", "127.0.0.1")
    try:
        while not Path(f"{door.directory}/status.sock").exists():
            await asyncio.sleep(0.02)
        for status in (0, 1, 5, 127, 255, *range(2, 17)):
            assert (await run([*ssh, f"exit {status}"])).status == status
        for signal in SIGNALS:
            assert (await run([*ssh, f"kill -{signal} $$"])).status == 255
    finally:
        holder.terminate()
        await holder.wait()
    outcomes = [outcome for _, _, outcome in await door.record.actions()]
    assert [one.tags[0] for one in outcomes][-len(SIGNALS) :] == [f"signal {signal}" for signal in SIGNALS]
    assert [one.outcome for one in outcomes[:2]] == [Outcome.COMPLETED, Outcome.FAILED]
    assert len(await door.record.closed()) == 1


async def test_what_is_sent_in_the_same_flight_as_the_command_is_not_lost(door: SshUnderTest) -> None:
    await door.access()
    sent = os.urandom(3_000_000)
    ran = await door.ssh(await door.key(), "sha256sum; head -c 2000000 /dev/zero >&2", stdin=sent)
    assert ran.out.split()[0].decode() == hashlib.sha256(sent).hexdigest()
    assert len(ran.err) == 2_000_000
    ((_, _, outcome),) = await door.record.actions()
    assert outcome.tags[1] == f"stdin 3000000 bytes sha256 {hashlib.sha256(sent).hexdigest()}"


async def test_the_end_of_input_is_passed_on_and_output_goes_on_after_it(door: SshUnderTest) -> None:
    await door.access()
    ran = await door.ssh(await door.key(), "sort -r; sleep 0.2; echo end", stdin=b"a\nb\n")
    assert ran.out == b"b\na\nend\n"


async def test_nothing_reaches_the_host_before_its_record(door: SshUnderTest, ledger: SlowLedger, files: Place) -> None:
    await door.access()
    key, there = await door.key(), files.there / "reached"
    ledger.delay = 0.4
    running = asyncio.create_task(door.ssh(key, f"touch {there}"))
    while not await door.found(ActionIntended):
        assert not there.exists()
        await asyncio.sleep(0.01)
    assert (await running).status == 0
    assert there.exists()


async def test_without_a_record_nothing_is_run(door: SshUnderTest, ledger: SlowLedger, files: Place) -> None:
    await door.access()
    key = await door.key()
    there = files.there / "unrecorded"
    holder = asyncio.create_task(door.ssh(key, "read line; true"))
    while not await door.found(ActionIntended):
        await asyncio.sleep(0.01)
    ledger.lose_answers = True
    ran = await door.ssh(key, f"touch {there}")
    ledger.lose_answers = False
    assert ran.status != 0
    assert b"record" in ran.err
    assert not there.exists()
    await holder


async def test_a_role_with_a_list_of_commands_runs_exactly_these(door: SshUnderTest) -> None:
    await door.access("restarter")
    key = await door.key()
    assert (await door.ssh(key, "echo restarted")).out == b"restarted\n"
    for other in ("echo restarted ", "echo restarted; id", "scp -t x; bash", "bash", "mosh-server new"):
        ran = await door.ssh(key, other)
        assert ran.status == 126
        assert b"does not allow" in ran.err
    shell = await door.shell(key, stdin=b"id\n")
    assert shell.status == 126
    refused = [one for one in await door.record.actions() if one[2].tags == ("refused",)]
    assert len(refused) == 6
    assert all(one[2].outcome is Outcome.SKIPPED for one in refused)


async def test_the_host_itself_holds_a_listed_command_to_what_it_is(door: SshUnderTest) -> None:
    """Whoever got hold of the access's key and certificate could still run nothing else."""
    await door.access("restarter")
    (granted,) = await door.found(GrantProvisioned, "grant/")
    certificate = next(line for line in granted.observed if line.startswith("certificate "))
    secret = (await door.record.ledger.matter([granted.secret.commitment]))[0]
    stolen = door.directory / "stolen"
    stolen.write_bytes(private_file(grant_key(door.record.opener.open_value(*secret).decode())))
    stolen.chmod(0o600)
    (door.directory / "stolen-cert.pub").write_text(certificate.removeprefix("certificate ") + "\n")
    options: list[str | Path] = [
        "-F",
        "none",
        "-i",
        stolen,
        "-o",
        "IdentityAgent=none",
        "-o",
        "StrictHostKeyChecking=no",
    ]
    options += ["-o", f"UserKnownHostsFile={door.directory}/stolen-hosts", "-o", "LogLevel=ERROR"]
    there = ["-p", str(door.host.port), "sojourn-deploy@127.0.0.1"]
    assert (await run(["ssh", *options, *there, "cat /etc/passwd"])).out == b"restarted\n"


async def test_only_listed_variables_reach_the_host(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    ran = await door.ssh(key, "-o", "SetEnv=LC_SOJOURN=seen GW_TEST=unseen", "echo $LC_SOJOURN-$GW_TEST")
    assert ran.out == b"seen-\n"
    ((_, detail, _),) = await door.record.actions()
    assert detail["environment"] == {"LC_SOJOURN": "seen"}
    assert detail["not_passed"] == ["GW_TEST"]


async def test_mosh_is_refused_with_a_reason(door: SshUnderTest) -> None:
    await door.access()
    ran = await door.ssh(await door.key(), "mosh-server new -s")
    assert ran.status == 126
    assert b"UDP" in ran.err
