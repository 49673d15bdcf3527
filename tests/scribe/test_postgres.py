"""Several scribes over one PostgreSQL, and what may go wrong between them and it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from sojourn.codes import Code
from sojourn.demo.production import Production
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.note import SigningKey, Verifier
from sojourn.scribe.client import ScribeClient
from sojourn.scribe.postgres_schema import TRIGGERS, script
from sojourn.scribe.postgres_store import PostgresStore
from sojourn.settings import ScribeSettings
from sojourn.testing.postgres import PASSWORD, ROLE, LedgerServer
from sojourn.testing.scribe import KEY, ScribeProcess

from .test_process import change, connected

ROUNDS = int(os.environ.get("SOJOURN_KILL_ROUNDS", "15")) // 3
"""A soak sets the variable to 1000."""


def fresh() -> str:
    return f"ledger_{secrets.token_hex(8)}"


@pytest.fixture
def pair(ledger_server: LedgerServer, tmp_path: Path) -> Iterator[tuple[ScribeProcess, ScribeProcess]]:
    """Two scribes on two machines, so to speak, over one database."""
    address = ledger_server.ledger(fresh())
    scribes = tuple(
        ScribeProcess(tmp_path / name, ScribeSettings(store=address, checkpoint_seconds=0.2)) for name in ("one", "two")
    )
    for scribe in scribes:
        scribe.start()
    yield scribes[0], scribes[1]
    for scribe in scribes:
        if scribe.running is not None and scribe.running.poll() is None:
            scribe.kill()


def whole(found: tuple[bytes, ...]) -> dict[str, int]:
    """The texts in the entries with their places, once places and versions are seen to have no gap."""
    parsed = [entries.parse(data) for data in found]
    assert [one.seq for one in parsed] == list(range(len(parsed)))
    versions: dict[str, int] = {}
    for one in parsed:
        versions[one.stream] = versions.get(one.stream, 0) + 1
        assert one.version == versions[one.stream]
    assert [one.at for one in parsed] == sorted(one.at for one in parsed)
    texts = {one.body.decode().split('"source":"')[1].rstrip('"}'): one.seq for one in parsed}
    assert len(texts) == len(parsed), "nothing was recorded twice"
    return texts


async def test_of_two_scribes_that_see_the_same_version_one_wins_every_time(
    pair: tuple[ScribeProcess, ScribeProcess],
) -> None:
    async with connected(pair[0]) as one, connected(pair[1]) as two:
        for seen in range(40):
            outcomes = await asyncio.gather(
                one.append([change("a", seen, f"one-{seen}")]),
                two.append([change("a", seen, f"two-{seen}")]),
                return_exceptions=True,
            )
            assert [error.code for error in outcomes if isinstance(error, SojournError)] == [Code.RECORD_STALE]
        stream = session_stream(SessionId("s-a"))
        assert await one.raw_stream(stream) == await two.raw_stream(stream)
        assert len(whole(await two.raw(range(40)))) == 40


async def test_a_follower_on_one_scribe_sees_at_once_what_another_has_written(
    pair: tuple[ScribeProcess, ScribeProcess],
) -> None:
    found: list[Recorded] = []
    async with connected(pair[0]) as one, connected(pair[1]) as two:

        async def follow() -> None:
            async for batch in two.follow(0):
                found.extend(batch)
                if len(found) >= 30:
                    return

        following = asyncio.ensure_future(follow())
        for number in range(30):
            before = time.monotonic()
            receipt = await one.append([change("a", number)])
            while len(found) <= receipt.first:
                assert time.monotonic() - before < 5
                await asyncio.sleep(0.002)
        await following
    assert [entry.version for entry in found] == list(range(1, 31))


async def test_two_scribes_sign_one_history(pair: tuple[ScribeProcess, ScribeProcess]) -> None:
    verifier = Verifier.parse(KEY.vkey())
    async with connected(pair[0]) as one, connected(pair[1]) as two:
        for _ in range(10):
            await asyncio.gather(
                *(client.append([change("a"), change("b")]) for client in (one, two) for _ in range(20))
            )
        await asyncio.sleep(0.1)
        signed = [checkpoints.open(await client.sign(), verifier) for client in (one, two)]
        assert signed[0] == signed[1]
        assert signed[0].size == 800


async def test_a_scribe_that_knows_only_the_old_key_ends_when_another_one_has_recorded_the_new_one(
    pair: tuple[ScribeProcess, ScribeProcess],
) -> None:
    first, second = pair
    new = SigningKey.generate(KEY.name, b"\x08" * 32)
    async with ScribeClient(second.layout.scribe_socket) as client:
        await client.connected(20)
        await asyncio.to_thread(first.stop)
        first.keys = (KEY, new)
        first.start()
        assert second.running is not None
        assert await asyncio.to_thread(second.running.wait, 60) == 1
        _, said = second.running.communicate()
        assert "signing.changed" in said
        second.keys = (KEY, new)
        second.start()
        await client.connected(20)
        assert checkpoints.open(await client.sign(), new.verifier()).size == 1, "the change is on record once"


async def _write(client: ScribeClient, name: str, until: asyncio.Event, acknowledged: dict[str, int]) -> None:
    number = 0
    while not until.is_set():
        number += 1
        text = f"{name}-{number}"
        try:
            acknowledged[text] = (await client.append([change(name, source=text)])).first
        except SojournError as error:
            assert error.code is Code.RECORD_UNAVAILABLE
            await asyncio.sleep(0.02)


Answer = TypeVar("Answer")


async def _at_last(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of a scribe that may still be finding its way back to its database."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await ask()
            except SojournError as error:
                assert error.code is Code.RECORD_UNAVAILABLE
                await asyncio.sleep(0.02)


async def _whole(one: ScribeClient, other: ScribeClient) -> dict[str, int]:
    """Every text on record with its place, as the other scribe tells it once the first has made the last entry."""
    size = (await _at_last(lambda: one.append([change("end", source="end")]))).size
    return whole(await _at_last(lambda: other.raw(range(size))))


async def test_scribes_that_are_killed_in_turn_lose_nothing_acknowledged(
    pair: tuple[ScribeProcess, ScribeProcess],
) -> None:
    acknowledged: dict[str, int] = {}
    over = asyncio.Event()
    async with connected(pair[0]) as one, connected(pair[1]) as two:
        writers = [
            asyncio.ensure_future(_write(client, f"{name}{number}", over, acknowledged))
            for name, client in (("one", one), ("two", two))
            for number in range(8)
        ]
        for number in range(ROUNDS * 2):
            await asyncio.sleep(0.15 + 0.01 * (number % 7))
            await asyncio.to_thread(pair[number % 2].kill)
            pair[number % 2].start()
        for scribe, client in zip(pair, (one, two), strict=True):
            await client.connected(60)
            assert scribe.running is not None and scribe.running.poll() is None, "none gives up at its start"
        over.set()
        await asyncio.gather(*writers)
        texts = await _whole(one, two)
    assert {text: texts.get(text) for text in acknowledged} == acknowledged
    assert len(acknowledged) > 100


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "in a crash"])
async def test_a_database_that_is_restarted_under_load_loses_nothing_and_the_scribes_stay(
    tmp_path: Path, how: signal.Signals, own_server: LedgerServer
) -> None:
    address = own_server.ledger(fresh())
    scribes = [ScribeProcess(tmp_path / name, ScribeSettings(store=address)) for name in ("one", "two")]
    acknowledged: dict[str, int] = {}
    over = asyncio.Event()
    try:
        for scribe in scribes:
            scribe.start()
        async with connected(scribes[0]) as one, connected(scribes[1]) as two:
            writers = [
                asyncio.ensure_future(_write(client, f"w{number}", over, acknowledged))
                for number, client in enumerate((one, two) * 8)
            ]
            for _ in range(3):
                await asyncio.sleep(0.4)
                await asyncio.to_thread(own_server.stop, how)
                await asyncio.sleep(0.3)
                await asyncio.to_thread(own_server.start)
                before = len(acknowledged)
                async with asyncio.timeout(30):
                    while len(acknowledged) < before + 32:
                        await asyncio.sleep(0.02)
            over.set()
            await asyncio.gather(*writers)
            texts = await _whole(two, one)
        assert {text: texts.get(text) for text in acknowledged} == acknowledged
        assert [scribe.running.poll() for scribe in scribes if scribe.running] == [None, None]
    finally:
        for scribe in scribes:
            scribe.kill()


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerServer]:
    """A server that this test may stop."""
    with _server() as server:
        yield server


@contextmanager
def _server(*options: str) -> Iterator[LedgerServer]:
    with tempfile.TemporaryDirectory(prefix="sojourn-ledgers-") as directory:
        server = LedgerServer.make(Path(directory), options=options)
        try:
            yield server
        finally:
            server.stop()


class CuttingProxy:
    """Stands between a scribe and its database, and cuts the line at a commit: before it arrives, or after its answer.

    `cuts` says what to do at the next commits, one after the other.
    """

    def __init__(self, port: int) -> None:
        self.cuts: list[str] = []
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                cut = threading.Event()
                threading.Thread(target=self._towards, args=(client, server, cut), daemon=True).start()
                threading.Thread(target=self._back, args=(server, client, cut), daemon=True).start()

    def _towards(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if b"COMMIT" in data and self.cuts:
                    if self.cuts.pop(0) == "before":
                        break
                    cut.set()
                server.sendall(data)
        hang_up(client, server)

    def _back(self, server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if cut.is_set():
                    break
                client.sendall(data)
        hang_up(client, server)

    def close(self) -> None:
        self._listener.close()


def hang_up(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.mark.parametrize("cuts", [["before"], ["after"], ["after", "after"], ["before", "after", "before"]], ids=str)
async def test_a_commit_whose_answer_is_lost_is_recorded_once_and_acknowledged_only_when_found(
    ledger_server: LedgerServer, tmp_path: Path, cuts: list[str]
) -> None:
    name = fresh()
    ledger_server.ledger(name)
    proxy = CuttingProxy(ledger_server.port)
    address = f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{proxy.port}/{name}"
    scribe = ScribeProcess(tmp_path, ScribeSettings(store=address, checkpoint_seconds=3600))
    scribe.start()
    try:
        async with connected(scribe) as client:
            for number in range(4):
                proxy.cuts = list(cuts)
                receipt = await client.append([change("a", number, f"text-{number}")])
                assert receipt.first == number
                assert not proxy.cuts, "the line was cut as often as it was asked for"
            assert whole(await client.raw(range(4))) == {f"text-{number}": number for number in range(4)}
    finally:
        scribe.kill()
        proxy.close()


async def test_a_commit_that_may_not_be_on_the_standby_is_never_acknowledged(tmp_path: Path) -> None:
    with _server() as server:
        name = fresh()
        scribe = ScribeProcess(tmp_path, ScribeSettings(store=server.ledger(name)))
        scribe.start()
        async with connected(scribe) as client:
            await client.append([change("a", 0, "first")])
            with server.owner() as owner:
                owner.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
                owner.execute("SELECT pg_reload_conf()")
            waiting = client.append_nowait([change("a", 1, "second")])
            async with asyncio.timeout(20):
                while not await asyncio.to_thread(_give_up_on_the_standby, server):
                    await asyncio.sleep(0.05)
            with pytest.raises(SojournError) as error:
                await waiting
            assert error.value.code is Code.RECORD_UNAVAILABLE
        assert scribe.running is not None
        _, said = await asyncio.to_thread(scribe.running.communicate)
        assert scribe.running.returncode == 70
        assert "might not have been replicated" in said or "canceling wait" in said


def _give_up_on_the_standby(server: LedgerServer) -> bool:
    """Cancel whoever waits for a standby, as an administrator in a hurry might."""
    with server.owner() as owner:
        query = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        row = owner.execute(query).fetchone()
    return row is not None and bool(row[0])


async def test_a_fail_over_to_a_standby_that_was_waited_for_loses_nothing_and_the_scribe_goes_on(
    tmp_path: Path,
) -> None:
    with _server("wal_level=replica", "max_wal_senders=4") as primary:
        name = fresh()
        primary.ledger(name)
        with contextmanager(_standby)(primary) as standby:
            with primary.owner() as owner:
                owner.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                owner.execute("SELECT pg_reload_conf()")
            store = primary.address(name, standby.port)
            scribe = ScribeProcess(tmp_path, ScribeSettings(store=store, checkpoint_seconds=0.1))
            scribe.start()
            try:
                async with connected(scribe) as client:
                    acknowledged: dict[str, int] = {}
                    over = asyncio.Event()
                    writers = [
                        asyncio.ensure_future(_write(client, f"w{number}", over, acknowledged)) for number in range(8)
                    ]
                    await asyncio.sleep(0.7)
                    await asyncio.to_thread(primary.stop, signal.SIGQUIT)
                    with standby.owner() as owner:
                        owner.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
                    await asyncio.to_thread(standby.promote)
                    before = len(acknowledged)
                    async with asyncio.timeout(30):
                        while len(acknowledged) < before + 50:
                            await asyncio.sleep(0.02)
                    over.set()
                    await asyncio.gather(*writers)
                    texts = await _whole(client, client)
                assert {text: texts.get(text) for text in acknowledged} == acknowledged
                assert before > 10
            finally:
                scribe.kill()


def _standby(primary: LedgerServer) -> Iterator[LedgerServer]:
    with tempfile.TemporaryDirectory(prefix="sojourn-standby-") as directory:
        Path(directory).chmod(0o755)
        standby = primary.standby(Path(directory))
        try:
            yield standby
        finally:
            standby.stop()


@pytest.mark.parametrize("running", [True, False], ids=["while running", "at the start"])
async def test_a_fail_over_that_lost_acknowledged_entries_is_refused(tmp_path: Path, running: bool) -> None:
    with _server("wal_level=replica", "max_wal_senders=4") as primary:
        name = fresh()
        primary.ledger(name)
        with contextmanager(_standby)(primary) as standby:
            settings = ScribeSettings(store=primary.address(name, standby.port), checkpoint_seconds=3600)
            scribe = ScribeProcess(tmp_path, settings)
            scribe.start()
            async with connected(scribe) as client:
                await client.append([change("a", 0)])
                await asyncio.to_thread(_wait_until_followed, primary, standby)
                standby.stop()
                await client.append([change("a", 1)])
                if not running:
                    scribe.kill()
                await asyncio.to_thread(primary.stop, signal.SIGQUIT)
                standby.start()
                await asyncio.to_thread(standby.promote)
                if not running:
                    scribe.start()
                else:
                    with pytest.raises(SojournError):
                        await client.append([change("a", 2)])
            assert scribe.running is not None
            _, said = await asyncio.to_thread(scribe.running.communicate)
            assert scribe.running.returncode == 1
            assert "record.behind" in said
            assert "holds 1 entries" in said
            assert ("this scribe" if running else "acknowledged") + " has seen 2" in said


def _wait_until_followed(primary: LedgerServer, standby: LedgerServer) -> None:
    with primary.owner() as one, standby.owner() as two:
        written = one.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        assert written is not None
        until = time.monotonic() + 20
        while two.execute("SELECT pg_last_wal_replay_lsn() >= %s", written).fetchone() != (True,):
            assert time.monotonic() < until
            time.sleep(0.02)


def unready(address: str) -> str:
    with pytest.raises(SojournError) as error:
        PostgresStore(address, writer="w").close()
    assert error.value.code is Code.RECORD_STORE_UNREADY
    return str(error.value)


def test_a_database_that_was_not_prepared_is_refused(ledger_server: LedgerServer) -> None:
    assert "batch" in unready(ledger_server.address("postgres"))
    assert "address cannot be read" in unready("postgresql://[")


def test_a_server_that_may_lose_a_commit_is_refused(production: Production) -> None:
    address = make_conninfo(
        host=production.host, port=production.port, user="sojourn_admin", password=production.administrator_password,
        dbname="postgres",
    )  # fmt: skip
    assert "fsync = off" in unready(address)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (f"GRANT UPDATE ON sojourn.batch TO {ROLE}", "may change batch"),
        (f"GRANT UPDATE (entries) ON sojourn.batch TO {ROLE}", "may change batch"),
        (f"GRANT DELETE ON sojourn.sealed TO {ROLE}", "may change sealed"),
        (f"GRANT TRUNCATE ON sojourn.head TO {ROLE}", "may change head"),
        ("GRANT UPDATE ON sojourn.checkpoint TO PUBLIC", "may change checkpoint"),
        (f"ALTER TABLE sojourn.tile OWNER TO {ROLE}", "owns tile"),
        ("DROP TRIGGER batch_is_append_only ON sojourn.batch", "batch_is_append_only"),
        ("ALTER TABLE sojourn.batch DISABLE TRIGGER batch_is_append_only", "batch_is_append_only"),
        ("ALTER TABLE sojourn.batch ENABLE REPLICA TRIGGER batch_is_append_only", "batch_is_append_only"),
        (
            "CREATE OR REPLACE FUNCTION sojourn.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "batch_is_append_only",
        ),
        ("CREATE TABLE sojourn.more (a integer)", "more"),
        ("CREATE VIEW sojourn.more AS SELECT 1", "more"),
    ],
)
def test_a_database_that_would_let_its_record_be_changed_is_refused(
    ledger_server: LedgerServer, statement: str, named: str
) -> None:
    name = fresh()
    address = ledger_server.ledger(name)
    PostgresStore(address, writer="w").close()
    with ledger_server.owner(name) as owner:
        owner.execute(statement.encode())
    assert named in unready(address)


def test_a_superuser_and_a_member_of_the_owner_are_refused(ledger_server: LedgerServer) -> None:
    name = fresh()
    address = ledger_server.ledger(name)
    as_owner = make_conninfo(address, host=str(ledger_server.data), user="postgres")
    assert "superuser" in unready(as_owner)
    role = f"member_{secrets.token_hex(4)}"
    with ledger_server.owner() as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'".encode())
        owner.execute(f"GRANT postgres TO {role}".encode())
    assert "owns" in unready(make_conninfo(address, user=role))


@pytest.mark.parametrize("table", ["batch", "stream_part", "tile", "checkpoint", "attachment", "sealed", "head"])
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}", "DROP TABLE {0}"])
def test_the_role_of_the_scribe_may_not_even_try(ledger_server: LedgerServer, table: str, verb: str) -> None:
    column = {"batch": "count", "stream_part": "version", "tile": "level", "attachment": "bytes", "sealed": "key_id"}
    statement = verb.format(f"sojourn.{table}", column.get(table, "size"))
    with psycopg.connect(ledger_server.ledger(fresh()), autocommit=True) as connection:
        expected = psycopg.errors.RaiseException if (table, verb[:6]) == ("head", "UPDATE") else None
        with pytest.raises(expected or psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
        for trigger, (where, *_) in TRIGGERS.items():
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"ALTER TABLE sojourn.{where} DISABLE TRIGGER {trigger}".encode())
    connection.close()


@pytest.mark.parametrize("role", ["", "a b", 'a"; DROP', "Übel", "A", "1a", "a" * 64])
def test_a_role_whose_name_would_have_to_be_quoted_is_refused(role: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        script(role)
