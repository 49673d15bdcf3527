"""Faults that others have had, as tests: each kind of it, with real programs; see docs/faults-of-others.md."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from sojourn.domain import cast
from sojourn.domain.events import ChunkRecorded, CloseCause, SessionConnected, SessionOpened
from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import Role
from sojourn.settings import GatewaySettings
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, run, shell, ssh_gateway
from sojourn.testing.sshd import Sshd

from .conftest import ROLES, Place


async def _kept(door: SshUnderTest, code: str) -> dict[str, str]:
    """What is kept of each session, in the order in which it is on record."""
    kept: dict[str, str] = {}
    for chunk in await door.found(ChunkRecorded):
        for one in cast.moments(cast.unpack(await door.record.opened(chunk.content))):
            if one.code == code:
                kept[chunk.session] = kept.get(chunk.session, "") + one.text
    return kept


async def test_a_script_on_standard_input_is_kept_to_its_last_line_with_all_that_it_says(door: SshUnderTest) -> None:
    await door.access()
    script = "".join(f"echo line-{number}\n" for number in range(10))
    ran = await door.shell(await door.key(), stdin=script.encode())
    assert ran.out.splitlines() == [f"line-{number}".encode() for number in range(10)]
    await door.record.closed()
    assert list((await _kept(door, "i")).values()) == [script]
    assert list((await _kept(door, "o")).values()) == [ran.out.decode()]


async def test_a_command_that_hides_what_it_does_is_kept_with_what_it_does_say(door: SshUnderTest) -> None:
    await door.access()
    hidden = "echo ZWNobyBzZWVuLSQoKDIwKzMpKQo= | base64 --decode | sh"
    assert (await door.ssh(await door.key(), hidden)).out == b"seen-23\n"
    await door.record.closed()
    ((intended, detail, _),) = await door.record.actions()
    assert detail["text"] == hidden
    assert intended.may_write, "nobody claims to know what it does"
    assert list((await _kept(door, "o")).values()) == ["seen-23\n"]


async def test_keys_are_renewed_in_the_middle_of_a_transfer_in_both_directions(door: SshUnderTest) -> None:
    await door.access()
    key, content = await door.key(), hashlib.shake_256(b"rekeyed").digest(30_000_000)
    ran = await door.ssh(key, "-o", "RekeyLimit=1M", "tee /dev/stderr", stdin=content, seconds=60)
    assert (ran.status, ran.out == content, ran.err == content) == (0, True, True)


async def test_a_hundred_megabytes_arrive_to_the_last_byte_and_the_status_with_them(door: SshUnderTest) -> None:
    await door.access()
    command = "head -c 100000000 /dev/urandom | tee >(sha256sum >&2); sleep 0.5; exit 3"
    way = ["ssh", "-F", "none", *door.options(await door.key()), "127.0.0.1", command]
    client = await asyncio.create_subprocess_exec(*way, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    assert client.stdout is not None and client.stderr is not None
    arrived = hashlib.sha256()
    async with asyncio.timeout(120):
        while data := await client.stdout.read(1 << 20):
            arrived.update(data)
        said = (await client.stderr.read()).split()[0].decode()
        assert (await client.wait(), said) == (3, arrived.hexdigest())
    await door.record.closed()
    ((_, _, outcome),) = await door.record.actions()
    assert f"stdout 100000000 bytes sha256 {said}" in outcome.tags


async def test_input_in_the_same_flight_as_its_command_arrives_every_time(door: SshUnderTest) -> None:
    await door.access()
    sent = hashlib.shake_256(b"flight").digest(1_000_000)
    expected = hashlib.sha256(sent).hexdigest()
    async with asyncssh.connect(
        "127.0.0.1", door.port, username="web-1", client_keys=[str(await door.key())], known_hosts=None, config=None
    ) as connection:
        for _ in range(4):
            ran = await asyncio.gather(*(connection.run("sha256sum", input=sent, encoding=None) for _ in range(5)))
            assert [one.stdout for one in ran] == [f"{expected}  -\n".encode()] * 5


async def test_a_session_that_says_nothing_stays_open_within_its_limit(
    place: Path, host: Sshd, ledger: SlowLedger
) -> None:
    settings = GatewaySettings(port=0, ssh=True, ssh_port=0, warn_seconds=0, idle_seconds=60)
    async with ssh_gateway(place, host, ledger, held=ROLES, settings=settings) as door:
        await door.access()
        ran = await door.ssh(await door.key(), "-o", "ServerAliveInterval=0", "sleep 4; echo there")
        assert (ran.status, ran.out) == (0, b"there\n")


@asynccontextmanager
async def _greeter() -> AsyncIterator[int]:
    """A server that speaks first and waits for nobody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-greeting\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_what_a_server_says_first_arrives_every_time_through_a_forwarded_port(door: SshUnderTest) -> None:
    await door.access("forwarder")
    key = await door.key()
    async with _greeter() as port:
        for _ in range(8):
            command = ["ssh", "-F", "none", *door.options(key), "-W", f"127.0.0.1:{port}", "127.0.0.1"]
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            assert process.stdin is not None and process.stdout is not None
            async with asyncio.timeout(20):
                assert await process.stdout.readline() == b"SSH-2.0-greeting\r\n"
                process.stdin.close()
                await process.wait()


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "none"])
async def test_letters_of_several_bytes_are_kept_whole_however_they_are_split(
    door: SshUnderTest, terminal: bool
) -> None:
    await door.access()
    # Each letter has three bytes, and they come in pieces of a thousand.
    command = "python3 -c 'print(chr(0x20ac) * 3000)' | dd bs=1000 2>/dev/null"
    ran = await door.ssh(await door.key(), *(["-tt"] if terminal else []), command)
    assert ran.out.strip() == ("\u20ac" * 3000).encode()
    await door.record.closed()
    (kept,) = (await _kept(door, "o")).values()
    assert kept.strip() == "\u20ac" * 3000


async def test_bytes_that_begin_a_letter_at_the_very_end_are_kept_too(door: SshUnderTest) -> None:
    await door.access()
    assert (await door.ssh(await door.key(), r"printf 'end\342\202'")).out == b"end\xe2\x82"
    await door.record.closed()
    (kept,) = (await _kept(door, "o")).values()
    assert cast.raw(kept) == b"end\xe2\x82"


async def test_of_a_large_file_the_record_has_its_name_size_and_hash_and_no_content(
    door: SshUnderTest, files: Place
) -> None:
    await door.access()
    content = hashlib.shake_256(b"large").digest(50_000_000)
    sent = files.here / "large"
    sent.write_bytes(content)
    scp = ["scp", "-s", "-F", "none", *door.options(await door.key()), str(sent), f"127.0.0.1:{files.there}/large"]
    assert (await run(scp, seconds=60)).status == 0
    await door.record.closed()
    (written,) = [one for one in await door.record.actions() if one[0].verb == "write"]
    assert written[2].bytes_in == len(content)
    assert hashlib.sha256(content).hexdigest() in " ".join(written[2].tags)
    assert await door.found(ChunkRecorded) == []


async def test_sessions_at_the_same_time_have_recordings_of_their_own(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    count = "for number in $(seq 40); do echo {0}-$number; sleep 0.02; done"
    ran = await asyncio.gather(*(door.ssh(key, "-tt", count.format(name)) for name in ("one", "two", "three")))
    assert all(one.status == 0 for one in ran)
    await door.record.closed(3)
    kept = sorted((await _kept(door, "o")).values())
    expected = ["".join(f"{name}-{number}\r\n" for number in range(1, 41)) for name in ("one", "three", "two")]
    assert kept == expected


async def test_an_agent_that_is_asked_many_times_at_once_answers_each(door: SshUnderTest) -> None:
    await door.access("forwarder")
    key, place = await door.key(), door.directory / "busy-agent"
    agent = await asyncio.create_subprocess_exec("ssh-agent", "-D", "-a", place)
    try:
        async with asyncio.timeout(20):
            while not place.exists():
                await asyncio.sleep(0.02)
        environment = ["env", f"SSH_AUTH_SOCK={place}"]
        assert (await run([*environment, "ssh-add", "-q", key])).status == 0
        options = ["-o", f"IdentityAgent={place}", *door.options(key), "-A"]
        many = "for number in $(seq 10); do ssh-add -l & done; wait"
        ran = await run([*environment, "ssh", "-F", "none", *options, "127.0.0.1", many], seconds=40)
        assert ran.out.count(b"ED25519") == 10, ran
    finally:
        agent.terminate()
        await agent.wait()


async def test_two_hundred_channels_opened_at_once_are_all_confirmed(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    async with asyncssh.connect(
        "127.0.0.1", door.port, username="web-1", client_keys=[str(key)], known_hosts=None, config=None
    ) as connection:
        ran = await asyncio.gather(*(connection.run(f"echo {one}") for one in range(200)), return_exceptions=True)
    answers = [str(one.stdout).strip() for one in ran if isinstance(one, asyncssh.SSHCompletedProcess)]
    assert answers == [str(one) for one in range(200)]


async def test_fifty_connections_at_once_all_run_their_command(door: SshUnderTest) -> None:
    await door.access()
    key = await door.key()
    ran = await asyncio.gather(*(door.ssh(key, f"echo {one}", seconds=120) for one in range(50)))
    assert [int(one.out or b"-1") for one in ran] == list(range(50))


async def test_one_connection_is_enough_for_what_one_tool_needs(place: Path, host: Sshd, ledger: SlowLedger) -> None:
    held = (Role(name=RoleName("operator"), host=shell(), connections_max=1),)
    async with ssh_gateway(place, host, ledger, held=held) as door:
        await door.access()
        key = await door.key()
        master = ["-o", f"ControlPath={door.directory}/one.sock", "-o", "ControlMaster=auto", "-o", "ControlPersist=2"]
        ran = await door.ssh(key, *master, "echo ~")
        assert ran.out.strip().startswith(b"/home/")
        assert (await door.ssh(key, *master, "true")).status == 0
        assert [one.cause for one in await door.record.closed()] == [CloseCause.CLIENT_CLOSED]


async def test_a_client_that_vanishes_leaves_nothing_running(door: SshUnderTest) -> None:
    """Its machine is gone: no goodbye, and what ran in its terminal is over on the host."""
    await door.access()
    key = await door.key()
    connection = await asyncssh.connect(
        "127.0.0.1", door.port, username="web-1", client_keys=[str(key)], known_hosts=None, config=None
    )
    process = await connection.create_process("echo $$; exec sleep 4321", term_type="xterm")
    number = (await process.stdout.readline()).strip()
    connection.abort()
    async with asyncio.timeout(20):
        while (await run(["ps", "-o", "stat=", "-p", number])).out.strip():
            await asyncio.sleep(0.05)
    (closed,) = await door.record.closed()
    assert closed.cause is CloseCause.CLIENT_CLOSED


async def test_a_transfer_of_files_that_is_idle_stays_open_while_another_works(
    door: SshUnderTest, files: Place
) -> None:
    await door.access()
    options = asyncssh.SSHClientConnectionOptions(
        username="web-1", client_keys=[str(await door.key())], known_hosts=None, config=None, agent_path=None
    )
    async with (
        asyncssh.connect("127.0.0.1", door.port, options=options) as client,
        client.start_sftp_client() as idle,
        client.start_sftp_client() as busy,
    ):
        assert await idle.listdir(str(files.there)) == [".", ".."]
        (files.here / "large").write_bytes(bytes(20_000_000))
        await busy.put(str(files.here / "large"), str(files.there / "large"))
        assert sorted(await idle.listdir(str(files.there))) == [".", "..", "large"]


async def test_lending_an_agent_or_waiting_on_a_connection_reaches_no_host(door: SshUnderTest) -> None:
    """Only what is on record as asked for makes the gateway log in anywhere."""
    await door.access("forwarder")
    key, agent_socket = await door.key(), door.directory / "idle-agent.sock"
    agent = await asyncio.create_subprocess_exec("ssh-agent", "-D", "-a", agent_socket)
    command = ["ssh", "-F", "none", *door.options(key), "-A", "-N", "-l", "web-1+forwarder"]
    held = None
    try:
        async with asyncio.timeout(30):
            while not agent_socket.exists():
                await asyncio.sleep(0.02)
            held = await asyncio.create_subprocess_exec(*command, "-o", f"ForwardAgent={agent_socket}", "127.0.0.1")
            while not await door.found(SessionOpened):
                await asyncio.sleep(0.02)
        assert (await door.ssh(key, "-l", "web-1+forwarder", "true")).status == 0
    finally:
        for process in (held, agent):
            if process is not None:
                process.terminate()
                await process.wait()
    await door.record.closed(2)
    waiting, ran = [one.session for one in await door.found(SessionOpened)]
    assert [one.session for one in await door.found(SessionConnected)] == [ran]
    assert waiting != ran
