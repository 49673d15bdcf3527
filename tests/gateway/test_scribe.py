"""The gateway with a real scribe process, which is killed in the middle."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from sojourn.demo.production import Production
from sojourn.domain.events import ActionCompleted, SessionClosed
from sojourn.domain.history import Change
from sojourn.domain.identifiers import CONFIGURATION
from sojourn.domain.sealed import Sealing
from sojourn.gateway.process import run_gateway
from sojourn.gateway.tls import load_door
from sojourn.scribe.client import ScribeClient
from sojourn.settings import GatewaySettings
from sojourn.testing.scribe import ScribeProcess
from sojourn.vault.certificates import ensure_certificates
from sojourn.vault.keys import ensure_key_pair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer

from .conftest import PERSON, TARGET, Access, MachineClock, SlowLedger, target_of


def prepare(access: Access, credential: str) -> str:
    """Record a configuration, a token and a grant; gives the token's secret."""
    access.adopt(access.target)
    access.give(credential)
    return access.token()


async def test_a_session_outlives_a_scribe_that_is_killed_and_runs_nothing_meanwhile(
    server: Production, tmp_path: Path, settings: GatewaySettings, credential: str
) -> None:
    evidence, keys = ensure_key_pair(tmp_path, "evidence"), ensure_key_pair(tmp_path, "gateway")
    ensure_certificates(tmp_path / "tls", names=["localhost"], now=datetime.now(UTC))
    tls = load_door(tmp_path / "tls" / "server.crt", tmp_path / "tls" / "server.key")
    # What control would have recorded, as it was made in memory.
    memory = SlowLedger(clock=MachineClock())
    access = Access(
        loop=asyncio.get_running_loop(), ledger=memory, target=target_of(server), evidence=evidence, keys=keys
    )
    secret = await asyncio.to_thread(prepare, access, credential)
    scribe = ScribeProcess(tmp_path / "data")
    scribe.start()
    numbers = iter(range(1, 1000))
    address: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as ledger:
            await ledger.connected(20)
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
            async with await psycopg.AsyncConnection.connect(
                host=host, port=port, user=PERSON, password=secret, dbname=TARGET, sslmode="require", autocommit=True
            ) as connection:
                await connection.execute("SELECT 1")
                scribe.kill()
                async with asyncio.timeout(5):
                    with pytest.raises(psycopg.errors.IoError):
                        await connection.execute("CREATE TABLE shop.never(a int)")
                scribe.start()
                await ledger.connected(20)
                found = await (await connection.execute("SELECT to_regclass('shop.never')")).fetchone()
                assert found == (None,)
            deadline = asyncio.get_running_loop().time() + 10
            while True:
                events = [one.event for one in await ledger.read(0, 1000, ("session/",))]
                if any(isinstance(one, SessionClosed) for one in events):
                    break
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.05)
            outcomes = [one.outcome for one in events if isinstance(one, ActionCompleted)]
            # If the intent was recorded in the scribe's last moment, it has the outcome that it was skipped.
            assert outcomes in (["completed", "completed"], ["completed", "skipped", "completed"])
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    finally:
        scribe.stop()
