"""What was shown in a terminal is on record, whole, before it is shown; what was typed in secret is not in clear."""

from __future__ import annotations

import asyncio
import os
import pty
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sojourn.domain import cast
from sojourn.domain.events import ActionIntended, ChunkRecorded, CloseCause
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, ssh_gateway
from sojourn.testing.sshd import Sshd

from .conftest import ROLES, Place


class Terminal:
    """A person at a terminal."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.screen = descriptor, b""
        os.set_blocking(descriptor, False)

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    async def see(self, pattern: str, seconds: float = 15.0) -> str:
        async with asyncio.timeout(seconds):
            while (found := re.search(pattern.encode(), self.screen, re.DOTALL)) is None:
                await asyncio.sleep(0.01)
                try:
                    self.screen += os.read(self.descriptor, 65536)
                except (BlockingIOError, OSError):
                    continue
        return found[0].decode()


@asynccontextmanager
async def terminal(door: SshUnderTest, key: Path, *command: str) -> AsyncIterator[Terminal]:
    """`ssh -t` in a terminal of its own."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        "ssh",
        "-F",
        "none",
        *door.options(key),
        "-tt",
        "127.0.0.1",
        *command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(ours)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        os.close(ours)


async def _recorded(door: SshUnderTest) -> list[cast.Moment]:
    chunks = await door.found(ChunkRecorded)
    assert [one.part for one in chunks] == list(range(1, len(chunks) + 1))
    lines = [line for one in chunks for line in cast.unpack(await door.record.opened(one.content))]
    return list(cast.moments(lines))


def _all(moments: list[cast.Moment], code: str) -> str:
    return "".join(one.text for one in moments if one.code == code)


async def test_a_shell_is_recorded_with_output_input_and_size(door: SshUnderTest) -> None:
    await door.access()
    async with terminal(door, await door.key(), "bash --norc") as person:
        await person.see(r"\$ ")
        person.type("echo m$((40+2))\r")
        await person.see("m42")
        person.type("exit\r")
        await door.record.closed()
    moments = await _recorded(door)
    assert "m42" in _all(moments, "o")
    assert "echo m$((40+2))\r" in _all(moments, "i")
    assert moments[-1] == cast.Moment(interval=moments[-1].interval, code="x", text="exit 0")
    first = cast.unpack(await door.record.opened((await door.found(ChunkRecorded))[0].content))[0]
    assert '"version": 3' in first


async def test_what_is_typed_without_echo_is_not_stored_in_clear(door: SshUnderTest) -> None:
    await door.access()
    async with terminal(door, await door.key(), "read -rs -p 'secret: ' word; echo; echo ok") as person:
        await person.see("secret: ")
        person.type("hunter2\r")
        await person.see("ok")
        await door.record.closed()
    moments = await _recorded(door)
    assert "hunter2" not in _all(moments, "i") + _all(moments, "o")
    assert cast.MASK * 7 in _all(moments, "i")


async def test_nothing_is_shown_beyond_the_limit_before_its_record(door: SshUnderTest, ledger: SlowLedger) -> None:
    await door.access()
    key = await door.key()
    size = 400_000

    seen: list[int] = []

    async def read(reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            seen.append(len(data))

    process = await asyncio.create_subprocess_exec(
        "ssh", "-F", "none", *door.options(key), "-tt", "127.0.0.1", f"read go; head -c {size} /dev/zero | tr '\\0' x",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    reading = asyncio.create_task(read(process.stdout))
    while not await door.found(ActionIntended):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    ledger.delay = 1.5
    process.stdin.write(b"go\n")
    await asyncio.sleep(1.0)
    assert sum(seen) <= 66_000
    ledger.delay = 0.0
    await process.wait()
    await reading
    assert sum(seen) >= size
    await door.record.closed()
    assert _all(await _recorded(door), "o").count("x") == size


async def test_what_is_not_on_record_for_too_long_stops_what_is_shown_however_little_it_is(
    door: SshUnderTest, ledger: SlowLedger, files: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The five seconds, shortened: a trickle that would not fill 64 KiB for an hour waits as well."""
    monkeypatch.setattr("sojourn.gateway.ssh.tape.FLUSH_SECONDS", 0.1)
    monkeypatch.setattr("sojourn.gateway.ssh.tape.LATE_SECONDS", 0.5)
    monkeypatch.setattr("sojourn.gateway.ssh.tape.SILENT_SECONDS", 600.0)
    await door.access()
    said, go = files.there / "said", files.there / "go"
    trickle = f"for number in $(seq 30); do echo line-$number; sleep 0.1; done; touch {said}; echo last"
    command = f"while [ ! -e {go} ]; do sleep 0.05; done; {trickle}; while [ -e {said} ]; do sleep 0.05; done"
    async with terminal(door, await door.key(), command) as person:
        async with asyncio.timeout(30):
            while not await door.found(ActionIntended):
                await asyncio.sleep(0.01)
        held = asyncio.Event()
        ledger.hold = held
        go.touch()
        async with asyncio.timeout(60):
            while not said.exists():
                await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            await person.see("last", seconds=1.0)
        assert person.screen.count(b"line-") < 30
        held.set()
        await person.see("last", seconds=30)
        said.unlink()
        await door.record.closed()
    assert _all(await _recorded(door), "o").count("line-") == 30


async def test_when_the_record_is_away_nothing_more_is_shown_and_the_session_is_cut(
    door: SshUnderTest, ledger: SlowLedger
) -> None:
    await door.access()
    async with terminal(door, await door.key(), "bash --norc") as person:
        await person.see(r"\$ ")
        ledger.lose_answers = True
        person.type("head -c 300000 /dev/zero | tr '\\0' y\r")
        await person.see("record", seconds=20)
        ledger.lose_answers = False
        (closed,) = await door.record.closed()
    assert closed.cause is CloseCause.RECORD_UNAVAILABLE
    assert person.screen.count(b"y") < 70_000


@pytest.mark.parametrize("way", [["-T"], ["-tt"]], ids=["command", "terminal"])
async def test_output_arrives_in_order_however_slow_the_record_is(
    door: SshUnderTest, ledger: SlowLedger, way: list[str]
) -> None:
    await door.access()
    key = await door.key()
    ledger.delay = 0.05
    # In pieces of every size, so that some are shown at once and some wait.
    command = "seq 1 60000 | while read line; do printf '%s ' $line; [ $((line % 977)) != 0 ] || sleep 0.01; done"
    ran = await door.ssh(key, *way, command, seconds=120)
    ledger.delay = 0.0
    assert ran.out.split() == [str(number).encode() for number in range(1, 60001)]


async def test_a_record_that_does_not_answer_ends_the_session(
    door: SshUnderTest, ledger: SlowLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.gateway.ssh.tape.SILENT_SECONDS", 1.0)
    await door.access()
    async with terminal(door, await door.key(), "bash --norc") as person:
        await person.see(r"\$ ")
        ledger.delay = 8.0
        person.type("head -c 300000 /dev/zero | tr '\\0' y\r")
        await person.see("record cannot be written", seconds=7)
        ledger.delay = 0.0
        (closed,) = await door.record.closed()
    assert closed.cause is CloseCause.RECORD_UNAVAILABLE
    assert person.screen.count(b"y") < 70_000


async def test_a_gateway_that_dies_loses_nothing_that_was_shown(
    place: Path, host: Sshd, ledger: SlowLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.gateway.ssh.tape.FLUSH_SECONDS", 60.0)
    async with ssh_gateway(place, host, ledger, held=ROLES) as door:
        await door.access()
        async with terminal(door, await door.key(), "bash --norc") as person:
            await person.see(r"\$ ")
            person.type("echo shown-$((6*7))\r")
            await person.see("shown-42")
            before = len(await door.found(ChunkRecorded))
            # The process dies here: what it holds in memory is gone, its files stay.
            monkeypatch.setattr("sojourn.gateway.ssh.tape.Tape.finish", _die)
            monkeypatch.setattr("sojourn.gateway.opening.SessionRecorder.close", _die)
            prepared = door
    monkeypatch.undo()
    assert before == 0
    async with ssh_gateway(place, host, ledger, held=ROLES, prepared=prepared) as door:
        (closed,) = await door.record.closed()
        assert closed.cause is CloseCause.INTERRUPTED
        assert "shown-42" in _all(await _recorded(door), "o")


async def _die(*_: object, **__: object) -> None:
    return


async def test_a_command_with_a_terminal_is_recorded_whatever_it_says_it_is(door: SshUnderTest) -> None:
    await door.access()
    async with terminal(door, await door.key(), "scp -t /tmp/x; bash --norc") as person:
        await asyncio.sleep(0.3)
        person.type("\x04")
        await person.see(r"\$ ")
        person.type("echo hidden-$((1+1))\r")
        await person.see("hidden-2")
        person.type("exit\r")
        await door.record.closed()
    assert "hidden-2" in _all(await _recorded(door), "o")


async def test_a_command_without_a_terminal_is_kept_up_to_the_roles_limit(door: SshUnderTest) -> None:
    await door.access()
    ran = await door.ssh(await door.key(), "bash; head -c 2000000 /dev/zero", stdin=b"echo piped-$((3*3))\n")
    assert len(ran.out) == 2_000_000 + len("piped-9\n")
    await door.record.closed()
    moments = await _recorded(door)
    assert "piped-$((3*3))" in _all(moments, "i")
    kept = _all(moments, "o")
    assert kept.startswith("piped-9\n")
    assert len(kept) < 1_100_000
    assert "not kept" in _all(moments, "m")
