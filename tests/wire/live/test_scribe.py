"""The gateway with a real scribe process: killed and restarted, and a gateway that died itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sojourn.domain.events import ActionCompleted, ActionIntended, CloseCause, Outcome, SessionClosed, SessionOpened
from sojourn.domain.history import Change
from sojourn.domain.identifiers import GrantId, PersonId, RoleName, SessionId, TargetName, TokenId, session_stream
from sojourn.gateway.tls import DoorTls, load_door
from sojourn.scribe.client import ScribeClient
from sojourn.settings import GatewaySettings
from sojourn.testing.gateway import GatewayUnderTest, gateway
from sojourn.testing.scribe import ScribeProcess

pytestmark = pytest.mark.integration


@asynccontextmanager
async def ledger_of(root: Path) -> AsyncIterator[tuple[ScribeProcess, ScribeClient]]:
    scribe = ScribeProcess(root)
    scribe.start()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as client:
            await client.connected(30)
            yield scribe, client
    finally:
        scribe.kill()


def server_context(certificates: Path) -> DoorTls:
    return load_door(certificates / "server.crt", certificates / "server.key")


async def connect(running: GatewayUnderTest, secret: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(
        host="localhost",
        port=running.port,
        user="alice",
        password=secret,
        dbname="shop",
        sslmode="require",
        autocommit=True,
    )


async def test_a_killed_scribe_refuses_the_next_statement_and_after_its_return_work_goes_on(
    server: Any, certificates: Path, tmp_path: Path
) -> None:
    async with (
        ledger_of(tmp_path) as (scribe, ledger),
        gateway(ledger=ledger, host=server.host, port=server.port, tls=server_context(certificates)) as running,
    ):
        await running.grant("alice", credential="sj_test_alice", password="the-target's-own-secret")
        _, secret = await running.issue_token("alice")
        connection = await connect(running, secret)
        await connection.execute("create temporary table kept(a int)")
        scribe.kill()
        with pytest.raises(psycopg.OperationalError, match="nothing runs unrecorded"):
            await connection.execute("insert into kept values (1)")
        scribe.start()
        await asyncio.sleep(0.2)
        await ledger.connected(30)
        assert await (await connection.execute("select count(*) from kept")).fetchone() == (0,)
        for number in range(50):
            await connection.execute("insert into kept values (%s)", [number])
        await connection.close()
        await running.closed()
        actions = await running.actions()
        assert [one.number for one, _, _ in actions] == list(range(1, len(actions) + 1))
        assert sum(done.tags == ("INSERT 0 1",) for *_, done in actions) == 50


async def test_sessions_that_a_killed_gateway_left_open_are_closed_on_record_at_the_next_start(
    server: Any, certificates: Path, tmp_path: Path
) -> None:
    context = server_context(certificates)
    async with ledger_of(tmp_path) as (_, ledger):
        async with gateway(ledger=ledger, host=server.host, port=server.port, tls=context, node="one") as first:
            sealed = first.sealer.seal("alice", b"{}").sealed
        for node in ("one", "another"):
            session = SessionId(f"s-{node}")
            stream = session_stream(session)
            opened = SessionOpened(
                session=session,
                grant=GrantId("g-1"),
                person=PersonId("alice"),
                target=TargetName("shop"),
                role=RoleName("read"),
                database="shop",
                token=TokenId("t-1"),
                node=node,
                source="x",
                application="",
                tls="",
            )
            intent = ActionIntended(
                session=session, number=1, protocol="postgres", verb="read", may_write=False, objects=(), detail=sealed
            )
            await ledger.append(
                [Change(stream=stream, event=opened, seen=0), Change(stream=stream, event=intent, seen=1)]
            )
        async with gateway(
            ledger=ledger, host=server.host, port=server.port, tls=context, node="one", prepared=first
        ) as second:
            events = await second.events()
    (closed,) = [event for event in events if isinstance(event, SessionClosed)]
    assert (closed.session, closed.cause, closed.actions) == ("s-one", CloseCause.INTERRUPTED, 1)
    (completed,) = [event for event in events if isinstance(event, ActionCompleted)]
    assert (completed.session, completed.number, completed.outcome) == ("s-one", 1, Outcome.INTERRUPTED)


async def test_a_gateway_started_before_its_scribe_waits_for_it(
    server: Any, certificates: Path, tmp_path: Path
) -> None:
    async with ledger_of(tmp_path) as (scribe, ledger):
        async with gateway(
            ledger=ledger, host=server.host, port=server.port, tls=server_context(certificates)
        ) as first:
            await first.grant("alice", credential="sj_test_alice", password="the-target's-own-secret")
            _, secret = await first.issue_token("alice")
        scribe.kill()
        asyncio.get_running_loop().call_later(0.5, scribe.start)
        async with gateway(
            ledger=ledger,
            host=server.host,
            port=server.port,
            tls=server_context(certificates),
            prepared=first,
            settings=GatewaySettings(port=0),
        ) as running:
            connection = await connect(running, secret)
            assert await (await connection.execute("select 1")).fetchone() == (1,)
            await connection.close()
