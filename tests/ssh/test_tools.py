"""What engineers work with every day, unchanged: ansible, git, and an editor that runs a server on the host."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import paramiko  # type: ignore[import-untyped]

from sojourn.domain.events import SessionOpened
from sojourn.testing.ssh import SshUnderTest, run

from .conftest import Place
from .test_host import is_there

SERVER = r"""
set -e
folder=$(mktemp -d); cd $folder; echo served >page
python3 - <<'PYTHON'
import functools, http.server, os, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("listening on", server.server_port, flush=True)
server.serve_forever()
PYTHON
"""


STAYING = r"""
set -e
folder=$(mktemp -d); cd $folder
cat >server.py <<'PYTHON'
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while data := self.rfile.read1(65536):
            self.wfile.write(data)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("listening on", server.server_port, flush=True)
server.serve_forever()
PYTHON
setsid nohup python3 server.py >log 2>&1 </dev/null &
process=$!
until grep -q 'listening on' log; do sleep 0.05; done
echo $process $(grep -o 'listening on [0-9]*' log)
"""
"""Starts a server that stays when the connection is gone, as an editor's does."""

UPGRADE = b"GET / HTTP/1.1\r\nHost: server\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def _configuration(door: SshUnderTest, key: Path) -> Path:
    """A configuration of `ssh` as `sojourn ssh-config` writes it, for programs that are told of nothing else."""
    lines = [one.replace("=", " ", 1) for one in door.options(key)[1::2]]
    path = door.directory / f"config-{key.name}"
    path.write_text("Host web-1\n  HostName 127.0.0.1\n" + "".join(f"  {line}\n" for line in lines))
    return path


async def test_ansible_works_with_files_and_commands(door: SshUnderTest, files: Place) -> None:
    await door.access("operator")
    configuration = _configuration(door, await door.key())
    sent = files.here / "sent"
    sent.write_text("by ansible")
    ansible = ["env", f"ANSIBLE_HOME={files.here}", "ANSIBLE_NOCOLOR=1", "ansible", "all", "-i", "web-1,"]
    ansible += ["-e", "ansible_python_interpreter=/usr/bin/python3", "--ssh-common-args", f"-F {configuration}"]
    ran = await run([*ansible, "-m", "ping"], seconds=120)
    assert b'"ping": "pong"' in ran.out, ran.out + ran.err
    ran = await run([*ansible, "-m", "copy", "-a", f"src={sent} dest={files.there}/came"], seconds=120)
    assert (files.there / "came").read_text() == "by ansible", ran.out + ran.err
    ran = await run([*ansible, "-m", "shell", "-a", "echo out; echo err >&2; exit 3"], seconds=120)
    assert b"rc=3" in ran.out
    assert {one.application for one in await door.found(SessionOpened)}


async def test_git_pushes_and_clones(door: SshUnderTest, files: Place) -> None:
    await door.access("operator")
    key = await door.key()
    shared = f"{files.there}/shared.git"
    assert (await door.ssh(key, f"git init -q --bare {shared}")).status == 0
    git = ["env", f"GIT_SSH_COMMAND=ssh -F {_configuration(door, key)}", f"HOME={files.here}", "git"]
    work = files.here / "work"
    assert (await run([*git, "init", "-q", work])).status == 0
    (work / "large").write_bytes(hashlib.sha256(b"x").digest() * 100_000)
    who = ["-c", "user.name=alice", "-c", "user.email=alice@example.com"]
    for step in (["add", "."], [*who, "commit", "-qm", "first"], ["push", "-q", f"ssh://web-1{shared}", "HEAD:main"]):
        ran = await run([*git, "-C", work, *step], seconds=60)
        assert ran.status == 0, ran.err
    cloned = await run([*git, "clone", "-q", "-b", "main", f"ssh://web-1{shared}", files.here / "again"], seconds=60)
    assert cloned.status == 0, cloned.err
    assert (files.here / "again" / "large").read_bytes() == (work / "large").read_bytes()


async def test_an_editor_starts_its_server_on_the_host_and_reaches_it_through_the_same_connection(
    door: SshUnderTest,
) -> None:
    """As VS Code Remote does: a shell without a terminal is fed a script; a proxy (`-D`) leads to what it starts."""
    await door.access("developer")
    configuration = _configuration(door, await door.key())
    socks = door.directory / "socks"
    command = ["ssh", "-F", str(configuration), "-T", "-D", str(socks), "web-1", "bash"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(SERVER.encode())
        async with asyncio.timeout(30):
            port = int((await process.stdout.readline()).split()[-1])
            reader, writer = await asyncio.open_unix_connection(str(socks))
            writer.write(b"\5\1\0")
            assert await reader.readexactly(2) == b"\5\0"
            writer.write(b"\5\1\0\1\x7f\0\0\1" + port.to_bytes(2, "big"))
            assert (await reader.readexactly(10))[1] == 0
            writer.write(b"GET /page HTTP/1.0\r\n\r\n")
            assert (await reader.read()).endswith(b"served\n")
            writer.close()
    finally:
        process.terminate()
        await process.wait()
    await door.record.closed()
    verbs = [(one.verb, detail["text"]) for one, detail, _ in await door.record.actions()]
    assert verbs == [("exec", "bash"), ("forward", f"127.0.0.1:{port}")]


async def _upgraded(place: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the server by that socket, of which both sides may say what they like."""
    reader, writer = await asyncio.open_unix_connection(str(place))
    writer.write(UPGRADE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return reader, writer


async def _echoed(place: Path, content: bytes) -> bytes:
    """What the server says to this, both at the same time."""
    reader, writer = await _upgraded(place)
    writer.write(content)
    came = await reader.readexactly(len(content))
    writer.close()
    return came


async def test_an_editor_comes_back_to_its_server_by_another_connection_and_the_end_of_the_access_ends_it(
    door: SshUnderTest,
) -> None:
    """As VS Code Remote does when its window is loaded again: the server stays, and web sockets lead to it."""
    grant = await door.access("developer")
    configuration = _configuration(door, await door.key())
    shell = ["ssh", "-F", str(configuration), "-T"]
    started = await run([*shell, "web-1", "bash"], stdin=STAYING.encode(), seconds=30)
    process, *_, port = started.out.decode().split()
    content = hashlib.shake_256(b"frames").digest(3_000_000)
    for number in (1, 2):
        place = door.directory / f"editor-{number}"
        lead = ["-o", "ExitOnForwardFailure=yes", "-L", f"{place}:127.0.0.1:{port}", "web-1", "bash"]
        client = await asyncio.create_subprocess_exec(*shell, *lead, stdin=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(30):
                while not place.exists():
                    await asyncio.sleep(0.02)
                assert await asyncio.gather(*(_echoed(place, content) for _ in range(2))) == [content, content]
        finally:
            client.terminate()
            await client.wait()
        assert await is_there(process)
    await door.record.closed(3)
    forwarded = [outcome for one, _, outcome in await door.record.actions() if one.verb == "forward"]
    assert [one.bytes_in - len(UPGRADE) for one in forwarded] == [len(content)] * 4
    assert (await door.removed(grant)).complete
    async with asyncio.timeout(30):
        while await is_there(process):
            await asyncio.sleep(0.05)


def _by_paramiko(port: int, key: Path, folder: Path) -> tuple[bytes, bytes, int, bytes]:
    """What a script with paramiko does: a command with input, and a file there and back."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(
        "127.0.0.1", port, username="web-1", key_filename=str(key), allow_agent=False, look_for_keys=False, timeout=20
    )
    with client:
        stdin, stdout, stderr = client.exec_command("cat; echo err >&2; exit 7")
        stdin.write(b"in")
        stdin.channel.shutdown_write()
        out, err, status = stdout.read(), stderr.read(), stdout.channel.recv_exit_status()
        with client.open_sftp() as files:
            with files.open(f"{folder}/paramiko", "w") as file:
                file.set_pipelined(True)
                file.write(b"x" * 3_000_000)
            with files.open(f"{folder}/paramiko", "r") as file:
                file.prefetch()
                back = file.read()
    return out, err, status, back


async def test_paramiko_runs_commands_and_moves_files(door: SshUnderTest, files: Place) -> None:
    await door.access()
    key = await door.key()
    ran = await asyncio.to_thread(_by_paramiko, door.port, key, files.there)
    assert ran == (b"in", b"err\n", 7, b"x" * 3_000_000)
    await door.record.closed()
    done = {one.verb: outcome for one, _, outcome in await door.record.actions() if one.protocol == "sftp"}
    assert (done["write"].bytes_in, done["read"].bytes_out) == (3_000_000, 3_000_000)


async def test_many_channels_of_one_connection_are_one_session(door: SshUnderTest) -> None:
    await door.access("operator")
    configuration = _configuration(door, await door.key())
    master = door.directory / "many.sock"
    shared = ["ssh", "-F", str(configuration), "-o", f"ControlPath={master}"]
    first = await asyncio.create_subprocess_exec(*shared, "-MN", "web-1")
    try:
        async with asyncio.timeout(20):
            while not master.exists():
                await asyncio.sleep(0.02)
        ran = await asyncio.gather(*(run([*shared, "web-1", f"echo {number}"]) for number in range(5)))
    finally:
        first.terminate()
        await first.wait()
    assert sorted(int(one.out) for one in ran) == list(range(5))
    (closed,) = await door.record.closed()
    assert closed.actions == 5
    assert len(await door.record.actions()) == 5
