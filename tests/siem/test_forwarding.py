"""Events on their way to a SIEM: real servers with TLS, each entry at least once and in order, whatever breaks."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn.app.places import PlaceFile
from sojourn.domain.events import ForwardingOverdue, ForwardingResumed, ProcessStarted
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import SYSTEM
from sojourn.evidence.forwarding import Forwarder, Https, Sink, SinkError, Syslog
from sojourn.evidence.forwarding.sink import Message
from sojourn.evidence.ocsf import Source
from sojourn.ledger import entry as entries
from sojourn.scribe import codec
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger
from sojourn.vault.certificates import ensure_certificates

SECONDS = 30.0
SYSLOG = re.compile(
    r"<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) sojourn - (\S{1,32}) "
    r'\[meta sequenceId="(\d+)"\]\[sojourn@32473 place="(\d+)" origin="((?:\\.|[^"\\])*)"\] \ufeff(\{.*\})'
)


class Ledger(MemoryLedger):
    """A ledger in memory whose entries have bytes, as a scribe would write them."""

    async def raw(self, places: Sequence[int]) -> tuple[bytes, ...]:
        """See `Reading.raw`."""
        return tuple(self._bytes(self.entries[place]) for place in places)

    def _bytes(self, one: Recorded) -> bytes:
        return entries.assemble(
            seq=one.seq,
            at=entries.format_time(one.at),
            stream=one.stream,
            version=one.version,
            kind=one.event.kind,
            body=codec.encode(one.event),
        )


async def _told(count: int) -> Ledger:
    ledger = Ledger(clock=SimulatedClock())
    for number in range(count):
        event = ProcessStarted(process="gateway", node=f"node {number} \u202e é", build="1")
        await ledger.append((Change(stream=SYSTEM, event=event, seen=None),))
    return ledger


def _forwarder(ledger: Ledger, sink: Sink, place: Path, overdue: timedelta = timedelta(minutes=15)) -> Forwarder:
    return Forwarder(
        ledger=ledger,
        sink=sink,
        place=PlaceFile(place),
        source=Source(origin="test.example.com/ledger", build="1"),
        clock=ledger.clock,
        overdue=overdue,
        pause=0.01,
    )


@asynccontextmanager
async def _running(forwarder: Forwarder) -> AsyncIterator[None]:
    task = asyncio.get_running_loop().create_task(forwarder.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not so():
            await asyncio.sleep(0.005)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority and a server's certificate for localhost."""
    directory = tmp_path_factory.mktemp("tls")
    ensure_certificates(directory, names=("localhost", "127.0.0.1"), now=datetime.now(UTC))
    return directory


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _server(tls: Path, serve: Serve) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "server.crt", tls / "server.key")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@dataclass
class Receiver:
    """Takes syslog as a server does that knows RFC 5425; drops the first `drop` connections in the middle."""

    lines: list[str] = field(default_factory=list)
    drop: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self.drop:
            self.drop -= 1
            with suppress(OSError, asyncio.IncompleteReadError):
                await reader.readexactly(10)
            writer.transport.abort()
            return
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                length = (await reader.readuntil(b" ")).decode()
                self.lines.append((await reader.readexactly(int(length))).decode())
        writer.close()

    @property
    def places(self) -> list[int]:
        """The places of the entries that came."""
        found = [SYSLOG.fullmatch(line) for line in self.lines]
        assert all(found), self.lines
        return [int(one[6]) for one in found if one is not None]


def _syslog(port: int, tls: Path) -> Syslog:
    return Syslog(
        name="siem",
        host="localhost",
        port=port,
        authority=str(tls / "authority.crt"),
        node="node 1",
        origin='o"]\\',
        seconds=10,
    )


async def test_syslog_messages_are_those_of_rfc_5424_and_numbered_without_a_gap(tls: Path, tmp_path: Path) -> None:
    ledger, receiver = await _told(450), Receiver()
    async with _server(tls, receiver.serve) as port, _running(_forwarder(ledger, _syslog(port, tls), tmp_path / "p")):
        await _until(lambda: len(receiver.lines) >= 450)
    assert receiver.places == list(range(450))
    first = SYSLOG.fullmatch(receiver.lines[0])
    assert first is not None
    priority, _, node, kind, sequence, place, _, body = first.groups()
    assert (int(priority), node, kind, sequence, place) == (13 * 8 + 6, "node_1", "process.started", "1", "0")
    event = json.loads(body)
    assert event["metadata"]["sequence"] == 0 and event["metadata"]["version"] == "1.9.0"


def test_what_could_break_out_of_a_parameter_is_escaped() -> None:
    sink = _syslog(1, Path())
    message = Message(place=2_147_483_650, at=SimulatedClock().now(), severity=4, kind="a b" * 30, body=b"{}")
    line = sink.line(message).decode()
    assert 'origin="o\\"\\]\\\\"' in line and 'sequenceId="4"' in line and 'place="2147483650"' in line
    assert line.startswith(f"<{13 * 8 + 3}>1 ") and " a_b" in line


async def test_a_receiver_that_goes_away_in_the_middle_loses_nothing(tls: Path, tmp_path: Path) -> None:
    ledger, receiver = await _told(300), Receiver(drop=2)
    async with _server(tls, receiver.serve) as port, _running(_forwarder(ledger, _syslog(port, tls), tmp_path / "p")):
        await _until(lambda: len(set(receiver.places)) >= 300)
    assert sorted(set(receiver.places)) == list(range(300))


async def test_it_goes_on_where_it_stopped(tls: Path, tmp_path: Path) -> None:
    ledger, receiver = await _told(5), Receiver()
    place = tmp_path / "p"
    async with _server(tls, receiver.serve) as port:
        async with _running(_forwarder(ledger, _syslog(port, tls), place)):
            await _until(lambda: place.exists() and place.read_text() == "5")
        await ledger.append((Change(stream=SYSTEM, event=ProcessStarted(process="p", node="n", build="1"), seen=None),))
        async with _running(_forwarder(ledger, _syslog(port, tls), place)):
            await _until(lambda: place.read_text() == "6")
    assert receiver.places == list(range(6))


async def test_a_server_that_nobody_vouches_for_is_told_nothing(tls: Path, tmp_path: Path) -> None:
    ledger, receiver = await _told(1), Receiver()
    other = tmp_path / "other"
    other.mkdir()
    ensure_certificates(other, names=("localhost",), now=datetime.now(UTC))
    async with _server(tls, receiver.serve) as port:
        with pytest.raises(SinkError, match="certificate"):
            await _syslog(port, other).send([Message(place=0, at=ledger.clock.now(), severity=1, kind="a", body=b"{}")])
    assert receiver.lines == []


@dataclass
class Collector:
    """An HTTPS endpoint that takes NDJSON; answers the first requests with the statuses that it is given."""

    statuses: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        status = self.statuses.pop(0) if self.statuses else 204
        token = re.search(r"(?i)authorization: (.+)\r", head)
        self.tokens.append(token[1] if token else "")
        if status == 204:
            self.events += map(json.loads, body.splitlines())
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


def _https(port: int, tls: Path) -> Https:
    return Https(
        name="siem",
        url=f"https://localhost:{port}/ingest",
        token="t0ken",
        authority=str(tls / "authority.crt"),
        seconds=10,
    )


async def test_https_takes_batches_of_events_and_what_it_refuses_comes_again(tls: Path, tmp_path: Path) -> None:
    ledger, collector = await _told(450), Collector(statuses=[503, 401, 302])
    async with _server(tls, collector.serve) as port, _running(_forwarder(ledger, _https(port, tls), tmp_path / "p")):
        await _until(lambda: len(collector.events) >= 450)
    assert [one["metadata"]["sequence"] for one in collector.events] == list(range(450))
    assert set(collector.tokens) == {"Bearer t0ken"} and len(collector.tokens) == 3 + 3


@dataclass
class Deaf:
    """A destination that takes nothing until it is told to."""

    name: str = "siem"
    hears: bool = False
    taken: list[int] = field(default_factory=list)

    async def send(self, messages: Sequence[Message]) -> None:
        """See `Sink.send`."""
        if not self.hears:
            raise SinkError("it is away")
        self.taken += (message.place for message in messages)

    async def close(self) -> None:
        """See `Sink.close`."""


async def test_a_destination_that_is_away_for_long_is_on_record_once_and_so_is_its_return(tmp_path: Path) -> None:
    ledger, deaf = await _told(3), Deaf()
    clock = ledger.clock
    assert isinstance(clock, SimulatedClock)
    async with _running(_forwarder(ledger, deaf, tmp_path / "p", overdue=timedelta(minutes=1))):
        await asyncio.sleep(0.05)
        assert [one for one in ledger.entries if isinstance(one.event, ForwardingOverdue)] == []
        clock.advance(timedelta(minutes=2))
        await _until(lambda: any(isinstance(one.event, ForwardingOverdue) for one in ledger.entries))
        await asyncio.sleep(0.1)
        deaf.hears = True
        await _until(lambda: any(isinstance(one.event, ForwardingResumed) for one in ledger.entries))
        await _until(lambda: len(deaf.taken) == len(ledger.entries))
    kinds = [one.event.kind for one in ledger.entries[3:]]
    assert kinds == ["forwarding.overdue", "forwarding.resumed"]
    assert deaf.taken == list(range(5))
