"""The gateway with a real scribe process: killed in the middle, slow, mute, and with a full disk.

Whatever becomes of the scribe, nothing goes on unrecorded. What a statement gets then: between transactions an error
(58030), and the session goes on; inside a transaction the session is over and the target rolls it back; while the
scribe does not answer it waits, until the scribe is given up.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from sojourn.demo.production import Production
from sojourn.domain.events import ActionCompleted, CloseCause, SessionClosed
from sojourn.domain.history import Change
from sojourn.domain.identifiers import CONFIGURATION
from sojourn.domain.sealed import Sealing
from sojourn.gateway.process import run_gateway
from sojourn.gateway.tls import load_door
from sojourn.scribe import connection as scribe_connection
from sojourn.scribe.client import ScribeClient
from sojourn.settings import GatewaySettings, ScribeSettings
from sojourn.testing.scribe import ScribeProcess
from sojourn.vault.certificates import ensure_certificates
from sojourn.vault.keys import ensure_key_pair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer

from .conftest import PERSON, TARGET, Access, MachineClock, SlowLedger, target_of
from .proxy import Proxy

Connection = psycopg.AsyncConnection[tuple[object, ...]]


@dataclass(slots=True)
class Recorded:
    """A gateway over a scribe that a test may stop, and a way to connect to it."""

    scribe: ScribeProcess
    ledger: ScribeClient
    host: str
    port: int
    secret: str

    async def connect(self) -> Connection:
        """A session that commits by itself."""
        return await psycopg.AsyncConnection.connect(
            host=self.host,
            port=self.port,
            user=PERSON,
            password=self.secret,
            dbname=TARGET,
            sslmode="require",
            autocommit=True,
        )

    async def ended(self, count: int = 1) -> list[SessionClosed]:
        """The ends of sessions on record, once there are so many."""
        deadline = asyncio.get_running_loop().time() + 20
        while True:
            events = [one.event for one in await self.ledger.read(0, 1000, ("session/",))]
            found = [one for one in events if isinstance(one, SessionClosed)]
            if len(found) >= count:
                return found
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)

    async def outcomes(self) -> list[str]:
        """How the actions on record ended."""
        events = [one.event for one in await self.ledger.read(0, 1000, ("session/",))]
        return [one.outcome for one in events if isinstance(one, ActionCompleted)]

    def pause(self, how: signal.Signals) -> None:
        """Stop the scribe's process where it is, or let it go on."""
        assert self.scribe.running is not None
        os.kill(self.scribe.running.pid, how)

    async def restart(self, settings: ScribeSettings) -> None:
        """Start it anew with other settings."""
        await asyncio.to_thread(self.scribe.stop)
        self.scribe.settings = settings
        self.scribe.start()
        await self.ledger.connected(20)


def _prepare(access: Access, credential: str, seconds: float) -> str:
    """Record a configuration, a token and a grant; gives the token's secret."""
    access.adopt(access.target)
    access.give(credential, seconds=seconds)
    return access.token()


async def _copy(memory: SlowLedger, ledger: ScribeClient) -> None:
    """Put on record what control would have recorded, as it was made in memory."""
    for recorded in memory.entries:
        sealings = [
            Sealing(commitment=name, ciphertext=matter.ciphertext, key=key)
            for name, (matter, key) in memory.matters.items()
            if name in str(recorded.event)
        ]
        await ledger.append(
            [Change(stream=recorded.stream, event=recorded.event, seen=None)],
            sealings=sealings,
            attachments=list(memory.attachments.values()) if recorded.stream == CONFIGURATION else (),
        )


@pytest.fixture
async def gateway_over_scribe(
    server: Production, proxy: Proxy, tmp_path: Path, settings: GatewaySettings, credential: str
) -> AsyncIterator[Recorded]:
    """A gateway, its scribe, and an access; what reaches the target goes through the proxy."""
    async with _serving(server, proxy, tmp_path, settings, credential, seconds=3600) as running:
        yield running


@asynccontextmanager
async def _serving(
    server: Production,
    proxy: Proxy,
    tmp_path: Path,
    settings: GatewaySettings,
    credential: str,
    *,
    seconds: float,
) -> AsyncIterator[Recorded]:
    evidence, keys = ensure_key_pair(tmp_path, "evidence"), ensure_key_pair(tmp_path, "gateway")
    ensure_certificates(tmp_path / "tls", names=["localhost"], now=datetime.now(UTC))
    tls = load_door(tmp_path / "tls" / "server.crt", tmp_path / "tls" / "server.key")
    memory = SlowLedger(clock=MachineClock())
    target = replace(target_of(server), port=proxy.port)
    access = Access(loop=asyncio.get_running_loop(), ledger=memory, target=target, evidence=evidence, keys=keys)
    secret = await asyncio.to_thread(_prepare, access, credential, seconds)
    scribe = ScribeProcess(tmp_path / "data")
    scribe.start()
    numbers = iter(range(1, 1000))
    address: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as ledger:
            await ledger.connected(20)
            await _copy(memory, ledger)
            serving = asyncio.create_task(
                run_gateway(
                    settings=settings,
                    ledger=ledger,
                    sealer=Sealer("evidence", evidence.public, secrets.token_bytes),
                    open_value=Opener(keys).open_value,
                    tls=tls,
                    clock=MachineClock(),
                    new_id=lambda prefix: f"{prefix}-{next(numbers)}",
                    random_bytes=secrets.token_bytes,
                    node="test/gateway",
                    build="test",
                    started=lambda host, port: address.set_result((host, port)),
                )
            )
            host, port = await asyncio.wait_for(address, 20)
            yield Recorded(scribe, ledger, host, port, secret)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    finally:
        scribe.stop()


def _sent(proxy: Proxy, mark: bytes) -> bool:
    return any(mark in data for _, data in tuple(proxy.seen))


async def test_a_session_outlives_a_scribe_that_is_killed_and_runs_nothing_meanwhile(
    gateway_over_scribe: Recorded, proxy: Proxy
) -> None:
    running = gateway_over_scribe
    async with await running.connect() as connection:
        await connection.execute("SELECT 1")
        running.scribe.kill()
        async with asyncio.timeout(5):
            with pytest.raises(psycopg.errors.IoError):
                await connection.execute("CREATE TABLE shop.never(a int)")
        running.scribe.start()
        await running.ledger.connected(20)
        await connection.execute("SELECT 2")
    assert not _sent(proxy, b"shop.never")
    await running.ended()
    # Whether or not the intent was recorded in the scribe's last moment.
    assert await running.outcomes() == ["completed", "skipped", "completed"]


async def test_while_the_scribe_does_not_answer_a_statement_waits_and_goes_on_when_it_does(
    gateway_over_scribe: Recorded, proxy: Proxy
) -> None:
    running = gateway_over_scribe
    async with await running.connect() as connection:
        await connection.execute("SELECT 1")
        running.pause(signal.SIGSTOP)
        waiting = asyncio.create_task(connection.execute("SELECT 'held back'"))
        await asyncio.sleep(1)
        assert not waiting.done() and not _sent(proxy, b"held back")
        running.pause(signal.SIGCONT)
        async with asyncio.timeout(10):
            assert await (await waiting).fetchone() == ("held back",)
    await running.ended()
    assert await running.outcomes() == ["completed", "completed"]


async def test_a_scribe_that_never_answers_is_given_up_and_the_statement_refused(
    gateway_over_scribe: Recorded, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = gateway_over_scribe
    # A connection is given up after two looks; here they are a second apart and not fifteen.
    monkeypatch.setattr(scribe_connection, "SWEEP_SECONDS", 1.0)
    await running.restart(running.scribe.settings)
    async with await running.connect() as connection:
        await connection.execute("SELECT 1")
        running.pause(signal.SIGSTOP)
        async with asyncio.timeout(20):
            with pytest.raises(psycopg.errors.IoError):
                await connection.execute("CREATE TABLE shop.never(a int)")
        running.pause(signal.SIGCONT)
        await running.ledger.connected(20)
        async with asyncio.timeout(20):
            await connection.execute("SELECT 2")
    assert not _sent(proxy, b"shop.never")
    await running.ended()
    assert await running.outcomes() == ["completed", "skipped", "completed"]


async def test_with_a_full_disk_nothing_runs_nobody_gets_in_and_a_transaction_is_over(
    gateway_over_scribe: Recorded, proxy: Proxy
) -> None:
    running = gateway_over_scribe
    full, well = ScribeSettings(free_bytes_min=1 << 60), ScribeSettings()
    inside = await running.connect()
    await inside.execute("BEGIN")
    await inside.execute("CREATE TABLE shop.never_kept(a int)")
    await running.restart(full)
    with pytest.raises(psycopg.OperationalError, match="rolled back"):
        await inside.execute("COMMIT")
    await inside.close()
    await running.restart(well)
    await running.ended()
    between = await running.connect()
    assert await (await between.execute("SELECT to_regclass('shop.never_kept')")).fetchone() == (None,)
    await running.restart(full)
    with pytest.raises(psycopg.errors.IoError, match="full") as refused:
        await between.execute("CREATE TABLE shop.never(a int)")
    assert refused.value.diag.message_detail == "record.full"
    with pytest.raises(psycopg.OperationalError, match="full"):
        await running.connect()
    await running.restart(well)
    assert await (await between.execute("SELECT to_regclass('shop.never')")).fetchone() == (None,)
    await between.close()
    assert not _sent(proxy, b"COMMIT") and not _sent(proxy, b"shop.never(")
    ends = [one.cause for one in await running.ended(2)]
    assert ends == [CloseCause.RECORD_UNAVAILABLE, CloseCause.CLIENT_CLOSED]


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["mute", "dead"])
async def test_an_access_ends_on_time_whatever_has_become_of_the_scribe(
    server: Production, proxy: Proxy, tmp_path: Path, settings: GatewaySettings, credential: str, how: signal.Signals
) -> None:
    begun = asyncio.get_running_loop().time()
    async with _serving(server, proxy, tmp_path, settings, credential, seconds=5) as running:
        connection = await running.connect()
        waiting = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        while not _sent(proxy, b"pg_sleep(60)"):
            await asyncio.sleep(0.02)
        running.pause(how)
        async with asyncio.timeout(20):
            with pytest.raises(psycopg.errors.AdminShutdown):
                await waiting
        # The grant was made a moment after the test began, and not before.
        assert 4.9 < asyncio.get_running_loop().time() - begun < 9
        if how is signal.SIGKILL:
            running.scribe.kill()
            running.scribe.start()
        else:
            running.pause(signal.SIGCONT)
        await running.ledger.connected(20)
        (end,) = await running.ended()
        assert end.cause is CloseCause.GRANT_ENDED
        assert end.cut_lag_us is not None and end.cut_lag_us < 500_000
        assert await running.outcomes() == ["interrupted"]


SECRET = "sEcr3t-Of-The-Test"
STATEMENTS = {
    "a password": f"ALTER ROLE nobody PASSWORD '{SECRET}'",
    "an escape string": f"ALTER ROLE nobody PASSWORD E'{SECRET}'",
    "a unicode string": f"ALTER ROLE nobody PASSWORD U&'{SECRET}'",
    "dollar quotes": f"ALTER ROLE nobody PASSWORD $q${SECRET}$q$",
    "no syntax at all": f"ALTER ROLE nobody PASWORD '{SECRET}",
    "an error that repeats it": f"SELECT '{SECRET}'::int",
    "an identifier": f'ALTER ROLE nobody PASSWORD "{SECRET}"',
    "a column": f'SELECT "{SECRET}" FROM shop.orders',
    "a user mapping": f"CREATE USER MAPPING FOR nobody SERVER nothing OPTIONS (password '{SECRET}')",
    "a subscription": f"CREATE SUBSCRIPTION s CONNECTION 'host=h password={SECRET}' PUBLICATION p",
    "several statements": f"SELECT 1; ALTER ROLE nobody PASSWORD '{SECRET}'; SELECT 2",
    "a dynamic statement": f"DO $$ BEGIN EXECUTE 'ALTER ROLE nobody PASSWORD ''{SECRET}'''; END $$",
    "a prepared name": f'EXECUTE "{SECRET}"',
}
"""None of them succeeds. (The names of tables are labels, which lie in clear.)"""


def _spellings(text: str) -> dict[str, bytes]:
    """How the text might lie somewhere, in clear or thinly veiled."""
    raw = text.encode()
    coded = {f"base64 at {shift}": base64.b64encode(b" " * shift + raw)[shift + 1 : -4] for shift in range(3)}
    return {"clear": raw, "utf-16": text.encode("utf-16-le"), "hex": raw.hex().encode(), **coded}


async def test_what_a_failing_statement_holds_lies_nowhere_in_clear(
    gateway_over_scribe: Recorded, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    running = gateway_over_scribe
    async with await running.connect() as connection:
        for sql in STATEMENTS.values():
            with pytest.raises(psycopg.Error):
                await connection.execute(sql.encode())
        with pytest.raises(psycopg.Error):
            await connection.execute("SELECT %s::int", (SECRET,))
    await running.ended()
    assert await running.outcomes() == ["failed"] * (len(STATEMENTS) + 1)
    await asyncio.to_thread(running.scribe.stop)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.db" for path in files)
    for path in files:
        held = path.read_bytes()
        for how, spelling in _spellings(SECRET).items():
            assert spelling not in held, f"{path} holds it ({how})"
    assert not any(SECRET in text for text in capfd.readouterr())
    running.scribe.start()
