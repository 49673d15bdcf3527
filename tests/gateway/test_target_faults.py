"""A target that restarts, crashes, or says what no server would: its session ends, and no other feels it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sojourn.demo.production import Production
from sojourn.domain.events import ActionCompleted, ActionIntended, CloseCause, Outcome, SessionClosed
from sojourn.domain.identifiers import TargetName
from sojourn.domain.target import Target, TargetKind, TlsMode
from sojourn.settings import GatewaySettings
from sojourn.testing.postgres import LedgerServer

from .conftest import PASSWORD, PERSON, TARGET, Access, dial, running_gateway, settle, target_of
from .raw import RawClient, error_fields, message, query

EVIL = TargetName("evil")
OK = message("R", struct.pack(">I", 0))
KEY = message("K", struct.pack(">I", 77) + b"abcd")
READY = message("Z", b"I")


def closed(access: Access, count: int = 1) -> SessionClosed:
    deadline = time.monotonic() + 10
    while len(access.events(SessionClosed)) < count:
        assert time.monotonic() < deadline, "the session's end is not on record"
        time.sleep(0.01)
    return access.events(SessionClosed)[count - 1]


def rest(client: RawClient) -> tuple[str, dict[str, str]]:
    """What the client gets to the end: the types, and the last error's fields."""
    kinds, fields = "", dict[str, str]()
    with contextlib.suppress(OSError):
        while True:
            kind, body = client.read()
            kinds += kind
            fields = error_fields(body) if kind == "E" else fields
    return kinds, fields


@pytest.fixture
def restarting(tmp_path: Path, settings: GatewaySettings) -> Iterator[tuple[Access, LedgerServer]]:
    """A gateway before a target that can be stopped and started again.

    It listens on a local socket alone: while it is away, nobody else can take its place.
    """
    directory = Path(tempfile.mkdtemp(prefix="sj", dir="/tmp"))
    server = LedgerServer.make(directory, options=("listen_addresses=",))
    try:
        hba = server.data / "pg_hba.conf"
        hba.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        with server.owner() as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(sql.SQL("CREATE ROLE worker LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))
            connection.execute("CREATE TABLE work (id int); GRANT ALL ON work TO worker")
        target = Target(
            name=TARGET,
            kind=TargetKind.POSTGRES,
            host=str(server.data),
            port=server.port,
            database="postgres",
            administrator="sojourn_admin",
            administrator_secret="x",
            roles=(),
            tls=TlsMode.DISABLE,
        )
        with running_gateway(target, tmp_path / "gateway", settings) as access:
            access.adopt(target)
            access.secret, access.grant = access.token(), access.give("worker")
            yield access, server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_target_that_goes_away_in_a_transaction_ends_its_session_and_nothing_is_tried_again(
    restarting: tuple[Access, LedgerServer], how: signal.Signals
) -> None:
    access, server = restarting
    client = dial(access)
    client.log_in(PERSON, access.secret, TARGET)
    client.send(query("BEGIN") + query("INSERT INTO work VALUES (1)") + query("SELECT pg_sleep(60)"))
    assert client.until_ready(2) == "CZCZ"
    time.sleep(0.2)
    server.stop(how)
    kinds, fields = rest(client)
    # A server that shuts down, or loses one of its processes, says so itself; a dead machine says nothing.
    assert kinds.replace("T", "").replace("N", "") in ("E", "") and fields.get("C", "57P01") in ("57P01", "57P02")
    assert closed(access).cause is CloseCause.TARGET_CLOSED
    outcomes = [one.outcome for _, one in settle(access, 3)]
    assert outcomes[:2] == [Outcome.COMPLETED, Outcome.COMPLETED]
    assert outcomes[2] in (Outcome.FAILED, Outcome.INTERRUPTED)
    with pytest.raises(psycopg.OperationalError, match="cannot be reached"), access.psycopg():
        pass
    server.start()
    with access.psycopg() as connection:
        assert connection.execute("SELECT count(*) FROM work").fetchone() == (0,)
    assert len(access.events(ActionIntended)) == 4


class FakeTarget:
    """A server on a local socket (so that nobody asks for its proof) that says what a test wants it to say."""

    def __init__(self, directory: Path, greeting: bytes, answer: bytes, *, hang_up: bool) -> None:
        """`greeting` answers the start-up packet, `answer` the first message after it; then it hangs up, or hangs."""
        directory.mkdir(exist_ok=True)
        self.directory, self._greeting, self._answer, self._hang_up = directory, greeting, answer, hang_up
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / ".s.PGSQL.5432"))
        self._listener.listen(8)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._speak, args=(client,), daemon=True).start()

    def _speak(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.recv(10_000)
            client.sendall(self._greeting)
            if self._answer and client.recv(10_000):
                client.sendall(self._answer)
            if self._hang_up:
                client.close()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            one.close()


@pytest.fixture
def evil(tmp_path: Path, gateway: Access, server: Production) -> Iterator[Callable[..., RawClient]]:
    """Puts such a server behind the gateway, beside the real one; gives a client that has begun a session there."""
    fakes: list[FakeTarget] = []

    def placed(greeting: bytes, answer: bytes = b"", *, hang_up: bool = False) -> RawClient:
        fake = FakeTarget(tmp_path / "evil", greeting, answer, hang_up=hang_up)
        fakes.append(fake)
        other = replace(target_of(server), name=EVIL, host=str(fake.directory), port=5432)
        gateway.adopt(gateway.target, other)
        gateway.give("worker", target=EVIL)
        time.sleep(0.1)
        client = dial(gateway)
        client.log_in(PERSON, gateway.secret, EVIL)
        return client

    yield placed
    for fake in fakes:
        fake.close()


def works(gateway: Access) -> None:
    """Somebody else's session, at the real target."""
    with gateway.psycopg() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "answer",
    [
        b"D" + struct.pack(">i", 0),
        b"D" + struct.pack(">i", 3),
        b"D" + struct.pack(">i", -1),
        b"C" + struct.pack(">i", 2**31 - 1),
        b"\0\0\0\0\0\0\0\0",
        message("C", b"SELECT"),
        message("E", b"Sx" * 5_000),
        message("Z", b"?"),
        message("Z", b""),
        message("K", b""),
        message("S", b"no end"),
        message("R", struct.pack(">I", 5)),
        message("G", b"\0"),
        message("W", b"\0") + message("d", b"x") * 50,
        message("H", b"\0") + message("c") * 50,
        message("s") * 3,
        message("1") * 50,
        READY * 50,
    ],
)
def test_a_hostile_answer_ends_at_most_its_own_session(
    gateway: Access, evil: Callable[..., RawClient], answer: bytes
) -> None:
    client = evil(OK + KEY + READY, answer)
    client.send(query("SELECT 1"))
    time.sleep(0.05)
    works(gateway)
    client.close()
    closed(gateway, 2)
    intended, completed = gateway.events(ActionIntended), gateway.events(ActionCompleted)
    assert len(intended) == len(completed) == 2, "what was begun has one end on record, whatever the target said"


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        message("R", b""),
        message("R", struct.pack(">I", 12)),
        b"R" + struct.pack(">i", 2**30),
        OK + message("K", b"x"),
        OK + READY + message("D", b"more"),
        message("E", b"\0"),
        message("E", b"SFATAL\0C28000\0M" + b"x" * 20_000 + b"\0\0"),
        message("v", b""),
        message("Z", b"I"),
    ],
)
def test_a_hostile_greeting_is_no_session(gateway: Access, evil: Callable[..., RawClient], greeting: bytes) -> None:
    client = evil(greeting, hang_up=True)
    assert rest(client)[0] == ""
    assert closed(gateway).cause is CloseCause.TARGET_UNREACHABLE
    works(gateway)


def test_a_target_that_greets_without_end_is_left(gateway: Access, evil: Callable[..., RawClient]) -> None:
    client = dial(gateway)
    begun = time.monotonic()
    with contextlib.suppress(ConnectionError):
        client = evil(OK + message("S", b"name\0" + b"x" * 8_000 + b"\0") * 500)
    assert closed(gateway).cause is CloseCause.TARGET_UNREACHABLE
    # Not after the ten seconds for which it is waited for.
    assert time.monotonic() - begun < 8
    works(gateway)
    client.close()


def test_a_target_that_names_no_cancel_key_is_worked_with(gateway: Access, evil: Callable[..., RawClient]) -> None:
    client = evil(OK + READY, message("C", b"SELECT 0\0") + READY)
    assert client.key == b""
    client.send(query("SELECT 1"))
    assert client.until_ready() == "CZ"
    client.close()
    assert closed(gateway).cause is CloseCause.CLIENT_CLOSED
