"""Over on time: at the end of the grant whatever runs is cancelled, both sides are closed, and the record says so."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
import psycopg
import pytest

from sojourn.domain.events import ActionCompleted, CloseCause, Outcome, SessionClosed
from sojourn.gateway.postgres.wire import message
from sojourn.testing.client import SYNC, bind, execute, parse, query

pytestmark = pytest.mark.integration

CUT_SECONDS_MAX = 0.25


async def still_running(live: Any, text: str) -> int:
    for _ in range(100):
        with live.server.superuser() as connection:
            ((count,),) = connection.execute(
                "select count(*) from pg_stat_activity where query like %s and state <> 'idle'"
                " and pid <> pg_backend_pid()",
                [f"%{text}%"],
            ).fetchall()
        if count == 0:
            return 0
        await asyncio.sleep(0.02)
    return int(count)


@pytest.mark.parametrize("with_tls", [True, False])
async def test_at_the_end_of_the_grant_a_running_statement_is_cut_and_the_client_is_told_why(
    live_settings: Any, with_tls: bool
) -> None:
    async with live_settings(require_tls=False) as live:
        secret = await live.enter(seconds=1.2)
        end = time.monotonic() + 1.2
        connection = await live.connect(secret, **({} if with_tls else {"sslmode": "disable"}))
        with pytest.raises(psycopg.errors.AdminShutdown, match=r"Grant g-\d+ ended at .*sojourn request shop"):
            await connection.execute("select pg_sleep(611)")
        assert 0 <= time.monotonic() - end + 0.05 < CUT_SECONDS_MAX + 0.05
        assert await still_running(live, "pg_sleep(611)") == 0
        (closed,) = await live.gateway.closed()
        assert closed.cause is CloseCause.GRANT_ENDED
        assert closed.cut_lag_us is not None and 0 < closed.cut_lag_us < CUT_SECONDS_MAX * 1e6
        ((_, _, done),) = await live.gateway.actions()
        assert done.outcome is Outcome.INTERRUPTED
        with pytest.raises(psycopg.OperationalError, match="ended at"):
            await live.connect(secret)


async def test_a_revoked_grant_is_cut_at_once_also_for_an_idle_client(live: Any) -> None:
    grant = await live.gateway.grant("alice", credential="sj_test_alice", password="the-target's-own-secret")
    _, secret = await live.gateway.issue_token("alice")
    client = await live.raw(secret)
    began = time.monotonic()
    await live.gateway.end_grant(grant)
    assert await client.rest() == "E"
    assert time.monotonic() - began < CUT_SECONDS_MAX
    assert client.errors[0]["C"] == "57P01"
    assert grant in client.errors[0]["M"] and "revoked" in client.errors[0]["M"]


async def test_a_session_ends_on_time_while_the_record_is_away_and_that_is_recorded_when_it_is_back(live: Any) -> None:
    client = await live.raw(await live.enter(seconds=1.0))
    began = time.monotonic()
    live.ledger.failing = True
    assert await client.rest() == "E"
    assert 0.5 < time.monotonic() - began < 1.0 + CUT_SECONDS_MAX
    assert not [event for event in await live.gateway.events() if isinstance(event, SessionClosed)]
    live.ledger.failing = False
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.GRANT_ENDED


async def test_a_client_that_does_not_read_is_cut_all_the_same(live: Any) -> None:
    client = await live.raw(await live.enter(seconds=1.2))
    client.writer.write(query("select repeat('x', 1000) from generate_series(1, 1000000)"))
    client.writer.transport.pause_reading()
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.GRANT_ENDED
    assert closed.cut_lag_us is not None and closed.cut_lag_us < 400_000
    client.hang_up()


async def test_a_target_that_hangs_does_not_hold_the_end_up(live: Any) -> None:
    client = await live.raw(await live.enter(seconds=1.2))
    live.tap.speaking.clear()
    client.writer.write(query("select pg_sleep(612)"))
    assert await client.rest() == "E"
    (closed,) = await live.gateway.closed()
    assert closed.cut_lag_us is not None and closed.cut_lag_us < CUT_SECONDS_MAX * 1e6
    live.tap.speaking.set()
    assert await still_running(live, "pg_sleep(612)") == 0


async def test_in_the_middle_of_a_result_the_message_is_finished_before_the_client_is_told(live: Any) -> None:
    client = await live.raw(await live.enter(seconds=1.0))
    client.writer.write(
        query("copy (select repeat('x', 300000), pg_sleep(0.001) from generate_series(1, 100000)) to stdout")
    )
    kinds = await client.rest()
    assert kinds.startswith("Hd")
    assert kinds.endswith("dE")
    assert client.errors[0]["C"] == "57P01"


async def test_a_cut_in_the_middle_of_copy_in_and_of_a_pipeline_leaves_nothing_behind(live: Any) -> None:
    secret = await live.enter(seconds=1.5)
    copying, pipelining = await live.raw(secret), await live.raw(secret)
    await copying.ask(query("create table public.never(a int)"))
    copying.writer.write(query("begin; copy public.never from stdin") + message(b"d", b"1\n"))
    insert = parse("", "insert into public.never values (1)") + bind("", "") + execute("")
    pipelining.writer.write(insert + parse("", "select pg_sleep(613)") + bind("", "") + execute("") + insert + SYNC)
    assert [(await client.rest())[-1] for client in (copying, pipelining)] == ["E", "E"]
    await live.gateway.closed(2)
    assert await still_running(live, "pg_sleep(613)") == 0
    with live.server.superuser() as connection:
        assert connection.execute("select count(*) from public.never").fetchone() == (0,)
        connection.execute("drop table public.never")
    assert all(
        event.outcome in (Outcome.INTERRUPTED, Outcome.COMPLETED)
        for event in await live.gateway.events()
        if isinstance(event, ActionCompleted)
    )


async def test_no_statement_goes_on_after_the_end_even_if_its_record_became_durable_in_between(live: Any) -> None:
    client = await live.raw(await live.enter(seconds=3.0))
    await asyncio.sleep(1.0)
    # Long enough to last beyond the end, however slow the machine is.
    live.ledger.delay = 2.5
    before = len(live.tap.sent)
    client.writer.write(query("select 'too late'"))
    assert await client.rest() == "E"
    await live.gateway.closed()
    assert b"too late" not in live.tap.sent[before:]
    ((_, _, done),) = await live.gateway.actions()
    assert done.outcome is Outcome.SKIPPED


async def test_the_target_ending_a_session_is_told_to_the_client_and_recorded(live: Any) -> None:
    connection = await live.connect(await live.enter())
    await connection.execute("begin")
    with live.server.superuser() as administrator:
        administrator.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(psycopg.errors.AdminShutdown):
        await connection.execute("select 1")
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.TARGET_CLOSED


async def test_asyncpg_is_told_why_it_was_cut(live: Any) -> None:
    secret = await live.enter(seconds=1.2)
    import ssl

    context = ssl.create_default_context(cafile=str(live.certificates / "authority.crt"))
    connection = await asyncpg.connect(
        host="localhost", port=live.gateway.port, user="alice", password=secret, database="shop", ssl=context
    )
    with pytest.raises(asyncpg.exceptions.ConnectionDoesNotExistError, match="ended at") as caught:
        await connection.fetch("select pg_sleep(614)")
    assert isinstance(caught.value.__cause__, asyncpg.exceptions.AdminShutdownError)


async def test_a_stopping_gateway_tells_its_clients_and_closes_their_sessions_on_record(live: Any) -> None:
    client = await live.raw(await live.enter())
    live.gateway.stop()
    assert await client.rest() == "E"
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.GATEWAY_STOPPED
