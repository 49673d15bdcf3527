"""Sockets and packets that are forwarded: by policy, on record, and never a tunnel that nobody sees."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from sojourn.domain.events import Outcome
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, roles, shell, ssh_gateway
from sojourn.testing.sshd import Sshd

from .conftest import Place
from .test_shell import connected


@asynccontextmanager
async def _answering(path: Path) -> AsyncIterator[None]:
    """A server on a socket that says what it hears."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    path.chmod(0o777)
    try:
        yield
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


async def _says_back(path: Path, said: bytes) -> bytes:
    """What comes back from whoever listens there, once somebody does."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_unix_connection(path)
                break
            await asyncio.sleep(0.02)
        heard = b""
        with contextlib.suppress(OSError):
            writer.write(said)
            writer.write_eof()
            heard = await reader.read()
        writer.close()
        return heard


@pytest.fixture
async def sockets(place: Path, host: Sshd, ledger: SlowLedger, files: Place) -> AsyncIterator[SshUnderTest]:
    """A gateway before a role that may reach one socket of the host, and have it listen on another."""
    access = shell(forward_to=(f"{files.there}/served",), listen_on=(f"{files.there}/listening",))
    async with ssh_gateway(place, host, ledger, held=roles(operator=access)) as door:
        await door.access()
        yield door


async def test_a_socket_of_the_host_is_reached_and_each_connection_is_on_record(
    sockets: SshUnderTest, files: Place
) -> None:
    near, there = files.here / "near", files.there / "served"
    async with _answering(there), _forwarding(sockets, await sockets.key(), "-L", f"{near}:{there}"):
        assert await _says_back(near, b"x" * 100_000) == b"x" * 100_000
    await sockets.record.closed()
    ((intended, _, outcome),) = await sockets.record.actions()
    assert (intended.verb, intended.objects) == ("forward", (str(there),))
    assert (outcome.outcome, outcome.bytes_in, outcome.bytes_out) == (Outcome.COMPLETED, 100_000, 100_000)


async def test_a_socket_of_the_host_leads_to_the_client_and_each_connection_is_on_record(
    sockets: SshUnderTest, files: Place
) -> None:
    mine, there = files.here / "mine", files.there / "listening"
    async with _answering(mine), _forwarding(sockets, await sockets.key(), "-R", f"{there}:{mine}"):
        assert await _says_back(there, b"back" * 1000) == b"back" * 1000
    await sockets.record.closed()
    acted = {intended.verb: (intended.objects, outcome) for intended, _, outcome in await sockets.record.actions()}
    assert set(acted) == {"listen", "accept"}
    assert {objects for objects, _ in acted.values()} == {(str(there),)}
    assert (acted["accept"][1].bytes_in, acted["accept"][1].bytes_out) == (4000, 4000)


@pytest.mark.parametrize("way", ["-L", "-R"])
async def test_a_socket_that_the_role_does_not_name_is_refused_on_record(
    sockets: SshUnderTest, files: Place, way: str
) -> None:
    near, other = files.here / "near", files.there / "other"
    key = await sockets.key()
    if way == "-L":
        async with _answering(other), _forwarding(sockets, key, "-L", f"{near}:{other}"):
            assert await _says_back(near, b"x") == b""
    else:
        async with _forwarding(sockets, key, "-R", f"{other}:{near}") as process, asyncio.timeout(30):
            assert await process.wait() == 255
    await sockets.record.closed()
    ((intended, _, outcome),) = await sockets.record.actions()
    assert (intended.verb, intended.objects) == ("forward" if way == "-L" else "listen", (str(other),))
    assert (outcome.outcome, outcome.tags) == (Outcome.SKIPPED, ("refused",))


@pytest.mark.parametrize("layer", [3, 2], ids=["of addresses", "of a network card"])
async def test_a_tunnel_of_packets_is_refused_on_record_whatever_the_role_allows(
    sockets: SshUnderTest, layer: int
) -> None:
    async with connected(sockets) as connection:
        opened = connection.open_tun() if layer == 3 else connection.open_tap()
        with pytest.raises(asyncssh.ChannelOpenError, match="tunnel of packets"):
            await opened
    await sockets.record.closed()
    ((intended, _, outcome),) = await sockets.record.actions()
    assert (intended.verb, intended.objects) == ("tunnel", (f"layer {layer}",))
    assert (outcome.outcome, outcome.tags) == (Outcome.SKIPPED, ("refused",))
