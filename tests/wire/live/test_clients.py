"""Real clients work through the gateway as they work directly, and what they do is on record."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import asyncpg
import psycopg
import pytest

from sojourn.domain.events import CloseCause, Outcome, SessionClosed, SessionOpened

pytestmark = pytest.mark.integration


async def asyncpg_connect(live: Any, secret: str) -> asyncpg.Connection:
    import ssl

    context = ssl.create_default_context(cafile=str(live.certificates / "authority.crt"))
    return await asyncpg.connect(
        host="localhost", port=live.gateway.port, user="alice", password=secret, database="shop", ssl=context
    )


async def test_psql_works_and_each_statement_is_on_record(live: Any) -> None:
    secret = await live.enter()
    code, out, errors = await live.psql(secret, "-Atc", "select 1", "-c", "select 2; select 3")
    assert (code, out.split(), errors) == (0, ["1", "2", "3"], "")
    actions = await live.gateway.actions()
    assert [detail["text"] for _, detail, _ in actions] == ["select 1", "select 2; select 3"]
    assert [done.tags for *_, done in actions] == [("SELECT 1",), ("SELECT 1", "SELECT 1")]
    assert [done.rows for *_, done in actions] == [1, 2]
    await live.gateway.closed()
    opened, *_, closed = await live.gateway.events()
    assert isinstance(opened, SessionOpened) and isinstance(closed, SessionClosed)
    assert (opened.person, opened.target, opened.application) == ("alice", "shop", "live test")
    assert opened.tls.startswith("TLSv1.3")
    assert (closed.cause, closed.actions) == (CloseCause.CLIENT_CLOSED, 2)


async def test_a_simple_query_through_psycopg_is_recorded_with_tag_and_rows(live: Any) -> None:
    connection = await live.connect(await live.enter())
    cursor = psycopg.AsyncClientCursor(connection)
    await cursor.execute("select id from shop.orders order by id limit %s", [3])
    assert len(await cursor.fetchall()) == 3
    await connection.close()
    ((intended, detail, done),) = await live.gateway.actions()
    assert detail == {"text": "select id from shop.orders order by id limit 3", "columns": ["id"]}
    assert (intended.verb, intended.may_write, intended.objects) == ("read", False, ("shop.orders",))
    assert (done.outcome, done.tags, done.rows) == (Outcome.COMPLETED, ("SELECT 3",), 3)
    assert done.bytes_out > 0
    assert done.duration_us > 0


async def test_bound_values_are_recorded_with_the_statement_that_they_were_bound_to(live: Any) -> None:
    connection = await live.connect(await live.enter())
    for value in ("first", None):
        await connection.execute("select %s::text", [value])
    await connection.execute("select %b::int", [7])
    await connection.close()
    binds = [detail["binds"] for _, detail, _ in await live.gateway.actions()]
    assert binds == [[{"text": "first"}], [None], [{"base64": "AAc="}]]


async def test_a_prepared_statement_is_recorded_once_for_each_execution(live: Any) -> None:
    connection = await live.connect(await live.enter())
    for value in range(5):
        await connection.execute("select %s::int + 1", [str(value)], prepare=True)
    await connection.close()
    ran = [detail for one, detail, _ in await live.gateway.actions() if one.verb != "prepare"]
    assert [detail["text"] for detail in ran] == ["select $1::int + 1"] * 5
    assert [detail["binds"] for detail in ran] == [[{"text": str(value)}] for value in range(5)]


async def test_a_pipeline_of_psycopg_gives_each_statement_its_own_outcome(live: Any) -> None:
    connection = await live.connect(await live.enter())
    async with connection.pipeline() as pipeline:
        first = await connection.execute("select 1")
        with pytest.raises(psycopg.errors.DivisionByZero):
            await connection.execute("select 1/0")
            await connection.execute("select 3")
            await pipeline.sync()
        await pipeline.sync()
        last = await connection.execute("select 4")
        await pipeline.sync()
        assert (await first.fetchone(), await last.fetchone()) == ((1,), (4,))
    await connection.close()
    outcomes = {detail["text"]: (done.outcome, done.sqlstate) for _, detail, done in await live.gateway.actions()}
    assert outcomes == {
        "select 1": (Outcome.COMPLETED, ""),
        "select 1/0": (Outcome.FAILED, "22012"),
        "select 3": (Outcome.SKIPPED, ""),
        "select 4": (Outcome.COMPLETED, ""),
    }


async def test_asyncpg_works_with_statements_cursors_transactions_and_copy(live: Any) -> None:
    connection = await asyncpg_connect(live, await live.enter())
    assert await connection.fetchval("select $1::int * 2", 21) == 42
    async with connection.transaction():
        found = [row[0] async for row in connection.cursor("select generate_series(1, 120)", prefetch=50)]
    assert found == list(range(1, 121))
    await connection.execute("create temporary table copied(a int, b text)")
    await connection.copy_records_to_table("copied", records=[(number, "x" * 50) for number in range(1000)])
    pieces: list[bytes] = []

    async def keep(data: bytes) -> None:
        pieces.append(data)

    await connection.copy_from_table("copied", output=keep)
    assert b"".join(pieces).count(b"\n") == 1000
    await connection.close()
    actions = await live.gateway.actions()
    assert all(done.outcome is Outcome.COMPLETED for *_, done in actions)
    cursor = next(done for one, detail, done in actions if "120)" in str(detail["text"]) and one.verb != "prepare")
    assert cursor.rows == 120
    copies = [(one.verb, done.rows, done.bytes_in > 50_000, done.bytes_out > 50_000) for one, _, done in actions][-2:]
    assert copies == [("copy_in", 1000, True, False), ("copy_out", 1000, False, True)]


async def test_a_failing_statement_is_recorded_with_sqlstate_and_sealed_message(live: Any) -> None:
    connection = await live.connect(await live.enter())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await connection.execute("delete from shop.orders")
    with pytest.raises(psycopg.errors.SyntaxError):
        await connection.execute("selec 1")
    await connection.close()
    (denied, _, denial), (_, wrong, error) = await live.gateway.actions()
    assert (denied.verb, denied.may_write, denial.outcome, denial.sqlstate) == ("write", True, Outcome.FAILED, "42501")
    assert await live.gateway.opened(denial.message) == b"permission denied for table orders"
    assert (wrong["text"], error.outcome, error.sqlstate) == ("selec 1", Outcome.FAILED, "42601")


async def test_a_transaction_commits_and_rolls_back_as_it_does_directly(live: Any) -> None:
    connection = await live.connect(await live.enter(), autocommit=False)
    await connection.execute("create temporary table kept(a int)")
    await connection.commit()
    await connection.execute("insert into kept values (1)")
    await connection.rollback()
    await connection.execute("insert into kept values (2)")
    await connection.commit()
    assert await (await connection.execute("select array_agg(a) from kept")).fetchone() == ([2],)
    await connection.close()


async def test_a_running_statement_is_cancelled_by_the_client_and_that_is_on_record(live: Any) -> None:
    connection = await live.connect(await live.enter())
    asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(connection.cancel_safe(timeout=5)))
    began = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        await connection.execute("select pg_sleep(30)")
    assert time.monotonic() - began < 5
    await connection.execute("select 1")
    await connection.close()
    (_, _, cancelled), _ = await live.gateway.actions()
    assert cancelled.sqlstate == "57014"
    assert "session.cancel_requested" in [event.kind for event in await live.gateway.events()]


async def test_a_statement_timeout_reaches_psql(live: Any) -> None:
    secret = await live.enter()
    code, _, errors = await live.psql(secret, "-c", "set statement_timeout = '200ms'", "-c", "select pg_sleep(9)")
    assert (code, "statement timeout" in errors) == (1, True)


async def test_a_late_cancel_never_hits_the_next_statement(live: Any) -> None:
    connection = await live.connect(await live.enter())
    for _ in range(20):
        running = asyncio.create_task(connection.execute("select pg_sleep(0.02)"))
        await asyncio.sleep(0.01)
        await connection.cancel_safe(timeout=5)
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            await running
        await connection.execute("select 1")
    await connection.close()


async def test_notices_notifications_and_parameter_changes_reach_the_client(live: Any) -> None:
    connection = await live.connect(await live.enter())
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    await connection.execute("do $$ begin raise notice 'hello %', 7; end $$")
    await connection.execute("set datestyle = 'German'")
    await connection.execute("listen news")
    await connection.execute("notify news, 'payload'")
    async for notification in connection.notifies(timeout=5, stop_after=1):
        assert (notification.channel, notification.payload) == ("news", "payload")
        assert notification.pid == connection.info.backend_pid
    assert notices == ["hello 7"]
    assert connection.info.parameter_status("DateStyle") == "German, DMY"
    await connection.close()


async def test_big_rows_and_big_statements_pass_whole(live: Any) -> None:
    connection = await live.connect(await live.enter())
    ((row,),) = await (await connection.execute("select repeat('x', 20000000)")).fetchall()
    assert len(row) == 20_000_000
    cursor = psycopg.AsyncClientCursor(connection)
    await cursor.execute("select length(%s)", ["y" * 8_000_000])
    assert await cursor.fetchone() == (8_000_000,)
    assert await (await connection.execute("select length(%s)", ["z" * 8_000_000])).fetchone() == (8_000_000,)
    await connection.close()
    _, (_, simple, _), (_, bound, _) = await live.gateway.actions()
    assert len(str(simple["text"])) > 8_000_000
    assert len(str(bound["binds"])) > 8_000_000


async def test_copy_in_both_directions_through_psql_counts_rows_and_bytes(live: Any) -> None:
    lines = "".join(f"{number}\tname {number}\n" for number in range(2000))
    script = f"create temporary table c(a int, b text);\ncopy c from stdin;\n{lines}\\.\ncopy c to stdout;\n"
    code, out, errors = await live.psql(await live.enter(), "-q", typed=script)
    assert (code, errors, out == lines) == (0, "", True)
    _, (_, _, copied_in), (_, _, copied_out) = await live.gateway.actions()
    assert (copied_in.tags, copied_in.rows, copied_in.bytes_in > len(lines)) == (("COPY 2000",), 2000, True)
    assert (copied_out.tags, copied_out.rows, copied_out.bytes_out > len(lines)) == (("COPY 2000",), 2000, True)


@pytest.mark.parametrize("parameters", [{"options": "-c search_path=shop -c statement_timeout=7s"}, {"options": ""}])
async def test_start_up_parameters_go_on_to_the_target(live: Any, parameters: dict[str, str]) -> None:
    connection = await live.connect(await live.enter(), client_encoding="LATIN1", **parameters)
    wanted = "7s" if parameters["options"] else "0"
    assert await (await connection.execute("show statement_timeout")).fetchone() == (wanted,)
    assert await (await connection.execute("show application_name")).fetchone() == ("live test",)
    assert await (await connection.execute("show client_encoding")).fetchone() == ("LATIN1",)
    await connection.close()


async def test_the_pid_that_a_client_knows_is_the_targets_and_the_secret_is_not(live: Any) -> None:
    connection = await live.connect(await live.enter())
    assert await (await connection.execute("select pg_backend_pid()")).fetchone() == (connection.info.backend_pid,)
    await connection.close()


async def test_parallel_sessions_never_see_one_anothers_rows(live: Any) -> None:
    secret = await live.enter()
    connections = [await live.connect(secret) for _ in range(8)]

    async def ask(number: int) -> None:
        for turn in range(20):
            found = await (await connections[number].execute("select %s", [f"{number}/{turn}"])).fetchone()
            assert found == (f"{number}/{turn}",)

    await asyncio.gather(*map(ask, range(8)))
    for connection in connections:
        await connection.close()
    assert len(await live.gateway.actions()) >= 160
