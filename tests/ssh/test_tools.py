"""What engineers work with every day, unchanged: ansible, git, and an editor that runs a server on the host."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import paramiko  # type: ignore[import-untyped]

from sojourn.domain.events import SessionOpened
from sojourn.testing.ssh import SshUnderTest, run

from .conftest import Place

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
