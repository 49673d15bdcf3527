"""The loop's own clockwork: what it does when nothing arrives. A server in a thread, with a short tick."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.scribe import protocol, server
from sojourn.scribe.client import ScribeClient
from sojourn.scribe.server import Server, listen

from .conftest import Desk, draft
from .test_process import change


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The socket of a server that ticks every 0.2 seconds and holds ten large entries."""
    monkeypatch.setattr(server, "TICK_SECONDS", 0.2)
    desk, ready, stop = Desk(tmp_path), threading.Event(), os.pipe()

    def serve() -> None:
        log = desk.open()
        for _ in range(10):
            desk.append(*[draft("a", source="x" * 60_000) for _ in range(10)])
        running = Server(
            log=log,
            listener=listen(tmp_path / "scribe.sock"),
            stop_descriptor=stop[0],
            wake_descriptor=None,
            checkpoint_seconds=0.1,
            monotonic=time.monotonic,
            stopping=lambda: False,
        )
        ready.set()
        running.run()
        running.close()
        desk.store.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(20)
    yield tmp_path / "scribe.sock"
    os.close(stop[1])
    thread.join(20)
    os.close(stop[0])
    assert not thread.is_alive()


def test_a_read_that_waits_is_answered_empty_after_a_while(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(protocol.frame(protocol.Read(5, 100, 10, [], True)))
        received = bytearray(connection.recv(65_536))
    (payload,) = protocol.take_frames(received)
    assert protocol.answer_decoder.decode(payload) == protocol.Entries(5, [], 100, False)


async def test_a_follower_goes_on_through_empty_answers(path: Path) -> None:
    async with ScribeClient(path) as client:
        await client.connected(10)
        following = asyncio.ensure_future(anext(client.follow(100)))
        await asyncio.sleep(0.7)
        assert not following.done()
        receipt = await client.append([change("b")])
        assert [one.seq for one in await following] == [receipt.first]


def test_a_client_that_reads_nothing_is_dropped_in_the_end(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        for number in range(1, 6):
            connection.sendall(protocol.frame(protocol.Read(number, 0, 2000, [], False)))
        time.sleep(1.0)
        received = 0
        while data := connection.recv(1 << 20):
            received += len(data)
        assert 0 < received < 5 * 4 * 1024 * 1024, "what was in the socket's buffer came, and then the end"


def test_too_many_waiting_reads_are_refused(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        for number in range(1, server.WAITING_MAX + 3):
            connection.sendall(protocol.frame(protocol.Read(number, 100, 10, [], True)))
        received = bytearray()
        answers: dict[int, protocol.Answer] = {}
        while len(answers) < server.WAITING_MAX + 2:
            received += connection.recv(65_536)
            for payload in protocol.take_frames(received):
                one = protocol.answer_decoder.decode(payload)
                assert not isinstance(one, protocol.AppendedTogether)
                answers[one.id] = one
    refused = [one.id for one in answers.values() if isinstance(one, protocol.Refused)]
    assert refused
    assert min(refused) > server.WAITING_MAX // 2


async def test_a_ledger_that_has_no_room_to_sign_goes_on_serving(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.open()
    desk.append(draft("a"))
    desk.free = -1
    listener = listen(tmp_path / "scribe.sock")
    running = Server(
        log=desk.log,
        listener=listener,
        stop_descriptor=None,
        wake_descriptor=None,
        checkpoint_seconds=0.0,
        monotonic=time.monotonic,
        stopping=lambda: False,
    )
    for _ in range(3):
        running._turn()
    assert desk.log.signed_size == 0
    running.close()
    assert desk.log.signed_size == 0
    desk.store.close()
