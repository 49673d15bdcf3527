"""X11: windows of the host on the person's own screen, if the role says so, and each connection on record."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest

from sojourn.domain.events import ActionCompleted, ActionIntended
from sojourn.gateway.ssh.session import Session
from sojourn.testing.ssh import Ran, SshUnderTest, run, shell

PROGRAM = r"""
import os, socket, subprocess
host, _, rest = os.environ["DISPLAY"].rpartition(":")
number = rest.partition(".")[0]
cookie = subprocess.check_output(["xauth", "list", os.environ["DISPLAY"]], text=True).split()[-1]
program = socket.create_connection(("127.0.0.1", 6000 + int(number)))
kind, secret = b"MIT-MAGIC-COOKIE-1", bytes.fromhex(cookie)
program.sendall(b"l\0" + (11).to_bytes(2, "little") + b"\0\0" + len(kind).to_bytes(2, "little")
    + len(secret).to_bytes(2, "little") + b"\0\0" + kind + b"\0" * (-len(kind) % 4) + secret)
print(program.recv(100).decode())
"""
"""What every program with a window begins with (X Window System Protocol, chapter 8)."""


@asynccontextmanager
async def _screen(directory: Path) -> AsyncIterator[tuple[str, str, list[bytes]]]:
    """A screen that notes what programs say to it: its display, the file with its cookie, and what was said."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            heard.append(await reader.readexactly(12 + 20 + 16))
            writer.write(b"a screen")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    display, cookie = f"127.0.0.1:{port - 6000}", secrets.token_hex(16)
    authority = directory / f"xauthority-{port}"
    add = ["xauth", "-f", str(authority), "add", display, "MIT-MAGIC-COOKIE-1", cookie]
    assert (await run(add)).status == 0
    try:
        yield display, str(authority), heard
    finally:
        server.close()


async def _shown(door: SshUnderTest, role: str, command: str) -> tuple[Ran, list[bytes]]:
    async with _screen(door.directory) as (display, authority, heard):
        key = await door.key()
        ssh = ["ssh", "-F", "none", "-Y", *door.options(key), "-l", f"web-1+{role}", "127.0.0.1", command]
        ran = await run(["env", f"DISPLAY={display}", f"XAUTHORITY={authority}", *ssh], seconds=30)
    return ran, heard


async def _acted(door: SshUnderTest) -> list[tuple[ActionIntended, dict[str, object], ActionCompleted]]:
    await door.record.closed()
    return await door.record.actions()


async def test_a_program_on_the_host_shows_its_window_and_the_connection_is_on_record(door: SshUnderTest) -> None:
    await door.access("developer")
    ran, heard = await _shown(door, "developer", f"python3 -c '{PROGRAM}'")
    assert ran.out == b"a screen\n", ran.err
    assert heard[0][:2] == b"l\0"
    acted = {one.verb: (detail, outcome) for one, detail, outcome in await _acted(door)}
    assert set(acted) == {"exec", "x11"}
    assert acted["exec"][0]["x11"] == "shown"
    # The program asked for this connection: what it sent came in, and the screen's answer went out.
    assert (acted["x11"][1].bytes_in, acted["x11"][1].bytes_out) == (48, 8)


async def test_a_role_that_does_not_say_so_shows_no_windows(door: SshUnderTest) -> None:
    await door.access("operator")
    ran, heard = await _shown(door, "operator", "echo display=$DISPLAY")
    assert (ran.out, heard) == (b"display=\n", [])
    refused, allowed = await _acted(door)
    assert (refused[0].verb, refused[2].tags) == ("x11", ("refused",))
    assert "x11" not in allowed[1]


@pytest.mark.parametrize("asked", [True, False])
async def test_a_host_that_opens_a_window_unasked_is_refused(asked: bool) -> None:
    """A host may lie: what it opens counts only if the role allows it and the person's client has asked."""
    noted: list[str] = []
    access = shell(x11=not asked)
    setting = SimpleNamespace(access=access, note=lambda intention, _: noted.append(intention.verb))
    connection = SimpleNamespace(screens={"channel": "screen"} if asked else {})
    session = SimpleNamespace(setting=setting, access=access, connection=connection)
    with pytest.raises(asyncssh.ChannelOpenError, match="windows of the host"):
        await Session._show(session, "localhost", 6010)  # type: ignore[arg-type]
    assert noted == ["x11"]
