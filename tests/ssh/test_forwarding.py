"""Forwarding by policy: each connection on record with where it goes and how many bytes, and never one unrecorded."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sojourn.domain.events import ActionCompleted, ActionIntended
from sojourn.testing.ssh import SshUnderTest, run


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def _echo() -> AsyncIterator[int]:
    """A server that says what it hears."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def _forwarding(door: SshUnderTest, key: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = ["ssh", "-F", "none", *door.options(key), "-o", "ExitOnForwardFailure=yes", "-N", *arguments, "127.0.0.1"]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(500):
        with contextlib.suppress(OSError):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.02)
    raise AssertionError("nobody listens there")


async def _says_back(port: int, said: bytes) -> bytes:
    reader, writer = await _connect(port)
    heard = b""
    with contextlib.suppress(OSError):
        writer.write(said)
        writer.write_eof()
        async with asyncio.timeout(10):
            heard = await reader.read()
    writer.close()
    return heard


async def _acted(door: SshUnderTest) -> list[tuple[ActionIntended, dict[str, object], ActionCompleted]]:
    await door.record.closed()
    return await door.record.actions()


async def test_a_connection_through_the_host_is_recorded_with_destination_and_bytes(door: SshUnderTest) -> None:
    await door.access("forwarder")
    key, port = await door.key(), _free()
    async with _echo() as there, _forwarding(door, key, "-L", f"{port}:127.0.0.1:{there}"):
        assert await _says_back(port, b"x" * 200_000) == b"x" * 200_000
    ((intended, _, outcome),) = await _acted(door)
    assert (intended.verb, intended.objects) == ("forward", (f"127.0.0.1:{there}",))
    assert (outcome.bytes_in, outcome.bytes_out) == (200_000, 200_000)


async def test_a_role_for_forwarding_alone_runs_nothing(door: SshUnderTest) -> None:
    await door.access("forwarding_only")
    key, port = await door.key(), _free()
    async with _echo() as there, _forwarding(door, key, "-L", f"{port}:127.0.0.1:{there}"):
        assert await _says_back(port, b"through") == b"through"
    assert (await door.ssh(key, "id")).status == 126


async def test_standard_input_and_output_can_be_a_connection(door: SshUnderTest) -> None:
    await door.access("forwarder")
    ran = await run(
        ["ssh", "-F", "none", *door.options(await door.key()), "-W", f"127.0.0.1:{door.host.port}", "127.0.0.1"]
    )
    assert ran.out.startswith(b"SSH-2.0-")


async def test_what_the_role_does_not_name_is_refused_on_record(door: SshUnderTest) -> None:
    await door.access("operator")
    key, port = await door.key(), _free()
    async with _echo() as there, _forwarding(door, key, "-L", f"{port}:127.0.0.1:{there}"):
        assert await _says_back(port, b"x") == b""
        ran = await run(["ssh", "-F", "none", *door.options(key), "-W", f"127.0.0.1:{there}", "127.0.0.1"])
        assert (ran.status, ran.out) == (255, b"")
    async with _forwarding(door, key, "-R", "0:127.0.0.1:1") as process:
        async with asyncio.timeout(10):
            assert await process.wait() == 255
    await door.record.closed(3)
    verbs = [(one.verb, outcome.tags) for one, _, outcome in await door.record.actions()]
    assert verbs == [("forward", ("refused",)), ("forward", ("refused",)), ("listen", ("refused",))]


async def test_the_host_listens_for_the_client_by_policy(door: SshUnderTest) -> None:
    await door.access("forwarder")
    key = await door.key()
    async with _echo() as here:
        command = ["ssh", "-F", "none", "-o", "LogLevel=INFO", *door.options(key), "-N", "-R", f"0:127.0.0.1:{here}"]
        process = await asyncio.create_subprocess_exec(*command, "127.0.0.1", stderr=asyncio.subprocess.PIPE)
        assert process.stderr is not None
        try:
            async with asyncio.timeout(15):
                said = (await process.stderr.readline()).decode()
            port = int(said.split("Allocated port ")[1].split()[0])
            assert await _says_back(port, b"back") == b"back"
        finally:
            process.terminate()
            await process.wait()
    verbs = [one.verb for one, _, _ in await _acted(door)]
    assert verbs == ["listen", "accept"]


async def test_a_tunnel_is_cut_when_the_access_ends(door: SshUnderTest) -> None:
    grant = await door.access("forwarder")
    key, port = await door.key(), _free()
    async with _echo() as there, _forwarding(door, key, "-L", f"{port}:127.0.0.1:{there}"):
        reader, writer = await _connect(port)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        await door.record.end_grant(grant)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_the_agent_is_lent_only_by_a_role_that_says_so(door: SshUnderTest) -> None:
    key = await door.key()
    socket_path = door.directory / "agent.sock"
    agent = await asyncio.create_subprocess_exec("ssh-agent", "-D", "-a", socket_path)
    try:
        while not socket_path.exists():
            await asyncio.sleep(0.02)
        assert (await run(["env", f"SSH_AUTH_SOCK={socket_path}", "ssh-add", "-q", key])).status == 0
        command = ["env", f"SSH_AUTH_SOCK={socket_path}", "ssh", "-F", "none", *door.options(key), "-A"]
        for role, seen in (("operator", False), ("forwarder", True)):
            grant = await door.access(role)
            ran = await run(
                [
                    *command[:5],
                    "-o",
                    f"User=web-1+{role}",
                    "-o",
                    f"IdentityAgent={socket_path}",
                    *command[5:],
                    "127.0.0.1",
                    "ssh-add -l",
                ]
            )
            assert (b"ED25519" in ran.out) is seen, ran
            await door.record.end_grant(grant)
    finally:
        agent.terminate()
        await agent.wait()
    await door.record.closed(2)
    refused = [one.verb for one, _, outcome in await door.record.actions() if outcome.tags == ("refused",)]
    assert refused == ["agent"]
