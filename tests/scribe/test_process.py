"""Real scribe processes, and what may go wrong around them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import signal
import socket
import sqlite3
import stat
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from sojourn.app.verifying import verify_file
from sojourn.codes import Code
from sojourn.domain.events import CancelRequested
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.note import Verifier
from sojourn.scribe import protocol
from sojourn.scribe.client import ScribeClient
from sojourn.scribe.rows import unpack
from sojourn.settings import ScribeSettings
from sojourn.testing.scribe import KEY, ScribeProcess

KILL_ROUNDS = int(os.environ.get("SOJOURN_KILL_ROUNDS", "10"))
"""A soak sets this to 1000."""


def change(name: str, seen: int | None = None, source: str = "here") -> Change:
    session = SessionId(f"s-{name}")
    return Change(stream=session_stream(session), event=CancelRequested(session=session, source=source), seen=seen)


@asynccontextmanager
async def connected(scribe: ScribeProcess) -> AsyncIterator[ScribeClient]:
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(20)
        yield client


def raw_socket(scribe: ScribeProcess) -> socket.socket:
    """A plain connection, once the scribe listens."""
    until = time.monotonic() + 20
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        try:
            connection.connect(str(scribe.layout.scribe_socket))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def held(scribe: ScribeProcess) -> list[entries.Entry]:
    """Every entry in the store of a scribe that has ended."""
    with sqlite3.connect(scribe.layout.ledger) as connection:
        rows = connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first").fetchall()
    connection.close()
    return [entries.parse(data) for row in rows for _, _, data in unpack(row)]


async def _write_until_killed(client: ScribeClient, writer: int, acknowledged: dict[str, int], number: int) -> int:
    """Append one text after another; remember those that were acknowledged and where."""
    with suppress(SojournError):
        while True:
            text = f"writer-{writer}-{number}"
            number += 1
            receipt = await client.append([change(f"w{writer}", source=text)])
            acknowledged[text] = receipt.first
    return number


def verifies(scribe: ScribeProcess) -> None:
    """There is nothing to complain of in the store of a scribe that has ended."""
    assert verify_file(scribe.layout.ledger, keys=[KEY.vkey()]).problems == ()


async def test_whatever_was_acknowledged_survives_a_kill(scribe: ScribeProcess) -> None:
    acknowledged: dict[str, int] = {}
    numbers = [0] * 32
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        for kill in range(KILL_ROUNDS):
            await client.connected(20)
            writers = [
                asyncio.ensure_future(_write_until_killed(client, writer, acknowledged, number))
                for writer, number in enumerate(numbers)
            ]
            await asyncio.sleep(0.02 + 0.01 * (kill % 7))
            await asyncio.to_thread(scribe.kill)
            numbers = await asyncio.gather(*writers)
            scribe.start()
        await client.connected(20)
        found = await client.raw(range((await client.head()).size))
    assert (await asyncio.to_thread(scribe.stop))[0] == 0
    verifies(scribe)
    parsed = [entries.parse(data) for data in found]
    assert [one.seq for one in parsed] == list(range(len(parsed)))
    texts = {one.body.decode().split('"source":"')[1].rstrip('"}'): one.seq for one in parsed}
    assert len(texts) == len(parsed), "nothing was recorded twice"
    assert {text: texts.get(text) for text in acknowledged} == acknowledged
    assert len(acknowledged) > KILL_ROUNDS
    versions = Counter(one.stream for one in parsed)
    assert all(one.version <= versions[one.stream] for one in parsed)
    assert len({(one.stream, one.version) for one in parsed}) == len(parsed)


async def test_of_two_clients_who_saw_the_same_version_one_wins_every_time(scribe: ScribeProcess) -> None:
    async with connected(scribe) as first, connected(scribe) as second:
        for seen in range(60):
            outcomes = await asyncio.gather(
                first.append([change("a", seen, "first")]),
                second.append([change("a", seen, "second")]),
                return_exceptions=True,
            )
            lost = [one for one in outcomes if isinstance(one, SojournError)]
            assert [one.code for one in lost] == [Code.RECORD_STALE]
        assert [one.version for one in await first.stream(session_stream(SessionId("s-a")))] == list(range(1, 61))


async def test_a_full_disk_refuses_appends_and_keeps_answering(tmp_path: Path) -> None:
    scribe = ScribeProcess(tmp_path)
    scribe.start()
    try:
        async with connected(scribe) as client:
            await client.append([change("a")])
            await client.sign()
        assert scribe.stop()[0] == 0
        scribe.settings = ScribeSettings(free_bytes_min=1 << 60, checkpoint_seconds=0.05)
        scribe.start()
        async with connected(scribe) as client:
            for _ in range(3):
                with pytest.raises(SojournError) as error:
                    await client.append([change("a")])
                assert error.value.code is Code.RECORD_FULL
                assert str(tmp_path) in str(error.value)
            assert len(await client.read(0, 10)) == 1
        assert scribe.stop()[0] == 0
        assert len(held(scribe)) == 1
    finally:
        scribe.kill()


async def test_a_write_that_fails_ends_the_scribe_at_once_and_loses_nothing_acknowledged(
    scribe: ScribeProcess,
) -> None:
    acknowledged = 0
    assert scribe.running is not None
    async with connected(scribe) as client:
        await client.append([change("a")])
        acknowledged += 1
        # The kernel now refuses to let a file grow: the same error as a disk that has no room.
        resource.prlimit(scribe.running.pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        with pytest.raises(SojournError) as error:
            for _ in range(2000):
                await client.append([change("a", source="x" * 30_000)])
                acknowledged += 1
        assert error.value.code is Code.RECORD_UNAVAILABLE
    _, said = await asyncio.to_thread(scribe.running.communicate)
    assert scribe.running.returncode == 70
    assert said.startswith("scribe: stopping at once, the record could not be kept:")
    assert said.count("\n") == 1
    scribe.start()
    async with connected(scribe) as client:
        assert (await client.head()).size >= acknowledged
        await client.append([change("a")])


async def test_any_error_of_the_store_ends_the_scribe_and_nothing_is_acknowledged(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        receipt = await client.append([change("a")])
        with sqlite3.connect(scribe.layout.ledger) as other:
            other.execute("CREATE TRIGGER out_of_order BEFORE INSERT ON batch BEGIN SELECT RAISE(ABORT, 'broken'); END")
        other.close()
        with pytest.raises(SojournError) as error:
            await client.append([change("a")])
        assert error.value.code is Code.RECORD_UNAVAILABLE
    assert scribe.running is not None
    _, said = await asyncio.to_thread(scribe.running.communicate)
    assert (scribe.running.returncode, "broken" in said) == (70, True)
    assert [one.seq for one in held(scribe)] == [receipt.first]


async def test_a_second_scribe_on_the_same_store_is_refused(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        await client.append([change("a")])
        second = ScribeProcess(scribe.root)
        second.start()
        code, said = await asyncio.to_thread(second.stop)
        assert code == 1
        assert "data.directory_busy" in said
        await client.append([change("a")])


@pytest.mark.parametrize("how", ["end of the pipe", "SIGTERM", "SIGINT"])
async def test_it_ends_in_order_when_told_to_and_signs_the_rest(tmp_path: Path, how: str) -> None:
    scribe = ScribeProcess(tmp_path, ScribeSettings(checkpoint_seconds=3600))
    scribe.start()
    async with connected(scribe) as client:
        await client.append([change("a")])
        await client.append([change("a")])
        assert scribe.running is not None
        before = time.monotonic()
        if how != "end of the pipe":
            scribe.running.send_signal(signal.Signals[how])
        code, said = await asyncio.to_thread(scribe.stop)
    assert (code, said) == (0, "")
    assert time.monotonic() - before < 5
    signed = checkpoints.open(scribe.layout.anchor.read_text(), Verifier.parse(KEY.vkey()))
    assert signed.size == 2


async def test_a_grown_ledger_is_signed_by_itself_soon_after(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        receipt = await client.append([change("a")])
        async with asyncio.timeout(10):
            while True:
                with suppress(FileNotFoundError):
                    text = scribe.layout.anchor.read_text()
                    if checkpoints.open(text, Verifier.parse(KEY.vkey())).size >= receipt.size:
                        break
                await asyncio.sleep(0.02)


async def test_only_the_owner_can_reach_the_socket(scribe: ScribeProcess) -> None:
    async with connected(scribe):
        mode = scribe.layout.scribe_socket.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600


def test_a_run_directory_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    scribe = ScribeProcess(tmp_path)
    scribe.layout.run.mkdir()
    scribe.layout.run.chmod(0o755)
    scribe.start()
    code, said = scribe.stop()
    assert code == 1
    assert "data.directory_open" in said


def test_a_data_directory_with_too_long_a_name_is_refused_clearly(tmp_path: Path) -> None:
    scribe = ScribeProcess(tmp_path / ("long" * 25))
    scribe.start()
    code, said = scribe.stop()
    assert code == 1
    assert "settings.invalid" in said
    assert "too long" in said


GARBAGE = {
    "a web request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a length over the bound": b"\xff\xff\xff\xff",
    "an empty frame": b"\x00\x00\x00\x00",
    "not msgpack": b"\x00\x00\x00\x03\xc1\xc1\xc1",
    "an unknown tag": b"\x00\x00\x00\x07\x92\xa4evil\x01",
    "a tag that is not UTF-8": b"\x00\x00\x00\x04\x92\xa1\xff\x01",
    "nested deep": (50_000).to_bytes(4, "big") + b"\x91" * 50_000,
    "noise": hashlib.sha512(b"noise").digest() * 100,
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_is_answered_with_an_error_and_dropped_and_nobody_else_notices(
    scribe: ScribeProcess, name: str
) -> None:
    async with connected(scribe) as client:
        with raw_socket(scribe) as hostile:
            hostile.sendall(GARBAGE[name])
            received = bytearray()
            with suppress(ConnectionResetError):
                while data := await asyncio.to_thread(hostile.recv, 65_536):
                    received += data
            (payload,) = protocol.take_frames(received)
            answer = protocol.answer_decoder.decode(payload)
            assert isinstance(answer, protocol.Refused)
            assert (answer.id, answer.code) == (protocol.NO_CALL, "input.invalid")
        assert (await client.append([change("a")])).first == 0


NOT_UTF8 = b"\x94\xa6stream\x09\xa1\xff\x00"
CALLS_OVER_A_BOUND: list[protocol.Call | bytes] = [
    len(NOT_UTF8).to_bytes(4, "big") + NOT_UTF8,
    protocol.Append(9, [protocol.Draft("a", "session.cancel_requested", b'{"session":"\xff","source":""}', None)]),
    protocol.Read(9, 2**63, 10, [], False),
    protocol.Read(9, 0, 10, [f"a{number}" for number in range(2000)], False),
    protocol.Fetch(9, [2**62]),
    protocol.Prove(9, [0], 10**6),
    protocol.Prove(9, [5], 5),
    protocol.ProveConsistency(9, 3, 2),
    protocol.ReadAttachment(9, "x"),
    protocol.Append(9, []),
    protocol.Append(9, [protocol.Draft("a", "a.b", b"[" * 60_000, None)]),
    protocol.Append(9, [protocol.Draft("a", "a.b", b"{}", 2**60)]),
    protocol.Append(9, [protocol.Draft("a", "a.b", b"{}", None)], [], [protocol.Matter("short", "k", b"x")]),
]


@pytest.mark.parametrize("call", CALLS_OVER_A_BOUND, ids=lambda call: str(call)[:60])
async def test_a_call_that_cannot_be_done_is_refused_and_the_connection_goes_on(
    scribe: ScribeProcess, call: protocol.Call | bytes
) -> None:
    first = call if isinstance(call, bytes) else protocol.frame(call)
    with await asyncio.to_thread(raw_socket, scribe) as connection:
        connection.sendall(first + protocol.frame(protocol.ReadHead(10)))
        received = bytearray()
        answers: list[protocol.Answer] = []
        while len(answers) < 2:
            received += await asyncio.to_thread(connection.recv, 65_536)
            answers += [protocol.answer_decoder.decode(payload) for payload in protocol.take_frames(received)]
    by_id = {one.id: one for one in answers if not isinstance(one, protocol.AppendedTogether)}
    refused, head = by_id[9], by_id[10]
    assert isinstance(refused, protocol.Refused)
    assert refused.code == "input.invalid"
    assert isinstance(head, protocol.Head)
    assert head.size == 0


async def test_a_frame_that_stops_in_the_middle_holds_up_nobody(scribe: ScribeProcess) -> None:
    with await asyncio.to_thread(raw_socket, scribe) as silent:
        silent.sendall((1_000_000).to_bytes(4, "big") + b"half")
        async with connected(scribe) as client:
            assert (await client.append([change("a")])).first == 0


async def test_a_client_that_does_not_read_costs_little_and_holds_up_nobody(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        for _ in range(10):
            await client.append([change("a", source="x" * 60_000) for _ in range(10)])
        assert scribe.running is not None
        with raw_socket(scribe) as slow:
            slow.setblocking(False)
            asked = b"".join(protocol.frame(protocol.Read(one, 0, 2000, [], False)) for one in range(1, 5001))
            with suppress(BlockingIOError):
                while asked:
                    asked = asked[slow.send(asked) :]
            started = time.monotonic()
            for number in range(50):
                await client.append([change("b", number)])
            assert time.monotonic() - started < 10
            status = Path(f"/proc/{scribe.running.pid}/status").read_text()
            resident_kb = int(status.split("VmRSS:")[1].split()[0])
            # 5,000 answers of 4 MiB were asked for.
            assert resident_kb < 200_000


async def test_one_client_more_than_the_scribe_takes_is_let_go_and_the_others_work(scribe: ScribeProcess) -> None:
    from sojourn.scribe.server import CLIENTS_MAX

    async with connected(scribe) as client:
        crowd = [raw_socket(scribe) for _ in range(CLIENTS_MAX + 3)]
        try:
            assert await asyncio.to_thread(crowd[-1].recv, 10) == b""
            assert (await client.append([change("a")])).first == 0
        finally:
            for one in crowd:
                one.close()
