"""Recorded first: no byte of a statement reaches the target before its intent is durable."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from sojourn.domain.events import ActionIntended, CloseCause, Outcome, SessionClosed
from sojourn.gateway.postgres.wire import message
from sojourn.testing.client import COPY_DONE, FLUSH, SYNC, bind, close, describe, execute, parse, query

pytestmark = pytest.mark.integration


async def intended(live: Any) -> list[str]:
    events = await live.gateway.events()
    return [str((await live.gateway.detail(e.detail)).get("text")) for e in events if isinstance(e, ActionIntended)]


@pytest.mark.parametrize("way", ["simple", "pipeline", "function call"])
async def test_not_one_byte_of_a_statement_reaches_the_target_before_its_intent_is_durable(live: Any, way: str) -> None:
    client = await live.raw(await live.enter())
    marker = b"4711 as marker"
    sent = {
        "simple": query("select 4711 as marker"),
        "extended": parse("", "select 4711 as marker") + bind("", "") + execute("") + SYNC,
        "pipeline": query("select 1") + query("select 4711 as marker"),
        "function call": message(b"F", (1598).to_bytes(4, "big") + b"\0\0\0\0\0\1"),
    }[way]
    before = len(live.tap.sent)
    live.ledger.delay = 0.25
    client.writer.write(sent)
    for _ in range(20):
        await asyncio.sleep(0.01)
        gone_on = len(live.tap.sent) > before
        # On a slow machine the record may be durable before this has looked often enough.
        assert not gone_on or await intended(live), "nothing goes on while the record is not durable"
    answers = await client.until("Z")
    assert "E" not in answers
    assert len(await intended(live)) == (2 if way == "pipeline" else 1)
    if way != "function call":
        await asyncio.sleep(0.3 if way == "pipeline" else 0)
        assert marker in live.tap.sent[before:]


async def test_a_statement_split_at_every_byte_is_recorded_and_answered_the_same(live: Any) -> None:
    client = await live.raw(await live.enter())
    sent = parse("", "select $1") + bind("", "", "v") + describe("") + execute("") + SYNC + query("select 2")
    answers = set()
    for place in range(1, len(sent), 3):
        client.writer.write(sent[:place])
        await asyncio.sleep(0.002)
        client.writer.write(sent[place:])
        answers.add(await client.until(count=2))
    for place in range(len(sent)):
        client.writer.write(sent[place : place + 1])
        await asyncio.sleep(0)
    answers.add(await client.until(count=2))
    assert answers == {"12TDCZTDCZ"}
    assert await live.gateway.texts() == ["select $1", "select 2"] * (len(range(1, len(sent), 3)) + 1)
    client.hang_up()


async def test_while_the_record_is_away_statements_are_refused_and_do_not_run_and_afterwards_work_goes_on(
    live: Any,
) -> None:
    connection = await live.connect(await live.enter())
    await connection.execute("create temporary table kept(a int)")
    live.ledger.failing = True
    reached = len(live.tap.sent)
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError, match="nothing runs unrecorded") as caught:
            await connection.execute("insert into kept values (1)")
        assert caught.value.sqlstate == "58030"
    assert len(live.tap.sent) == reached
    live.ledger.failing = False
    assert await (await connection.execute("select count(*) from kept")).fetchone() == (0,)
    await connection.close()
    actions = await live.gateway.actions()
    assert [one.number for one, _, _ in actions] == list(range(1, len(actions) + 1))


async def test_inside_a_transaction_a_statement_that_cannot_be_recorded_ends_the_session_and_rolls_back(
    live: Any,
) -> None:
    secret = await live.enter()
    connection = await live.connect(secret)
    await connection.execute("create table public.half(a int)")
    await connection.execute("begin")
    await connection.execute("insert into public.half values (1)")
    live.ledger.failing = True
    with pytest.raises(psycopg.OperationalError, match="record"):
        await connection.execute("insert into public.half values (2)")
    live.ledger.failing = False
    again = await live.connect(secret)
    assert await (await again.execute("select count(*) from public.half")).fetchone() == (0,)
    await again.execute("drop table public.half")
    await again.close()
    closed = [event for event in await live.gateway.events() if isinstance(event, SessionClosed)]
    assert closed[0].cause is CloseCause.RECORD_UNAVAILABLE


async def test_nothing_of_an_open_pipeline_is_committed_when_a_later_part_cannot_be_recorded(live: Any) -> None:
    secret = await live.enter()
    client = await live.raw(secret)
    await client.ask(query("create table public.part(a int)"))
    client.writer.write(parse("", "insert into public.part values (1)") + bind("", "") + execute("") + FLUSH)
    assert await client.until("C") == "12C"
    live.ledger.failing = True
    client.writer.write(parse("", "insert into public.part values (2)") + bind("", "") + execute("") + SYNC)
    assert await client.rest() == "E"
    live.ledger.failing = False
    connection = await live.connect(secret)
    assert await (await connection.execute("select count(*) from public.part")).fetchone() == (0,)
    await connection.execute("drop table public.part")
    await connection.close()


async def test_refused_messages_are_discarded_up_to_sync_as_a_server_does_after_an_error(live: Any) -> None:
    client = await live.raw(await live.enter())
    live.ledger.failing = True
    extended = parse("", "select 1") + bind("", "") + execute("") + SYNC
    assert await client.ask(extended, extended, query("select 2"), count=3) == "EZEZEZ"
    live.ledger.failing = False
    assert await client.ask(extended) == "12DCZ"
    client.hang_up()


async def test_an_intent_whose_durability_was_in_doubt_is_skipped_on_record_and_numbers_stay_gapless(
    live: Any,
) -> None:
    connection = await live.connect(await live.enter())
    await connection.execute("select 1")
    live.ledger.lose_answers = True
    with pytest.raises(psycopg.OperationalError):
        await connection.execute("select 2")
    live.ledger.lose_answers = False
    await connection.execute("select 3")
    await connection.close()
    actions = await live.gateway.actions()
    assert [(one.number, detail["text"], done.outcome) for one, detail, done in actions] == [
        (1, "select 1", Outcome.COMPLETED),
        (2, "select 2", Outcome.SKIPPED),
        (3, "select 3", Outcome.COMPLETED),
    ]


async def test_a_portal_fetched_in_parts_is_one_action_with_all_its_rows(live: Any) -> None:
    client = await live.raw(await live.enter())
    assert await client.ask(query("begin")) == "CZ"
    answers = await client.ask(parse("", "select generate_series(1, 1000)"), bind("p", ""), execute("p", 50), SYNC)
    assert answers == "12" + "D" * 50 + "sZ"
    for _ in range(18):
        assert await client.ask(execute("p", 50), SYNC) == "D" * 50 + "sZ"
    assert (await client.ask(execute("p", 60), SYNC))[-3:] == "DCZ"
    assert await client.ask(query("commit")) == "CZ"
    _, (_, detail, done), _ = await live.gateway.actions()
    assert (detail["text"], done.rows, done.outcome) == ("select generate_series(1, 1000)", 1000, Outcome.COMPLETED)
    client.hang_up()


async def test_a_portal_left_half_fetched_is_complete_as_far_as_it_was_fetched(live: Any) -> None:
    client = await live.raw(await live.enter())
    await client.ask(
        query("begin"), parse("", "select generate_series(1, 9)"), bind("p", ""), execute("p", 4), SYNC, count=2
    )
    await client.ask(query("rollback"))
    _, (_, _, done), _ = await live.gateway.actions()
    assert (done.rows, done.outcome) == (4, Outcome.COMPLETED)
    client.hang_up()


async def test_statements_run_alternately_by_name_are_recorded_with_the_text_that_ran(live: Any) -> None:
    client = await live.raw(await live.enter())
    await client.ask(parse("a", "select 'a'"), parse("b", "select 'b'"), SYNC)
    for name in "abab":
        assert await client.ask(bind(f"portal {name}", name), execute(f"portal {name}"), SYNC) == "2DCZ"
    assert await client.ask(close("S", "a"), SYNC) == "3Z"
    assert await client.ask(bind("", "a"), execute(""), SYNC) == "EZ"
    ran = [detail.get("text") for one, detail, _ in await live.gateway.actions() if one.verb != "prepare"]
    assert ran == ["select 'a'", "select 'b'", "select 'a'", "select 'b'", None]
    client.hang_up()


async def test_what_was_prepared_in_sql_is_recorded_by_its_name(live: Any) -> None:
    client = await live.raw(await live.enter())
    await client.ask(query("prepare sqlname as select 5"))
    assert await client.ask(bind("", "sqlname"), execute(""), SYNC) == "2DCZ"
    (_, first, _), (second, detail, _) = await live.gateway.actions()
    assert first["text"] == "prepare sqlname as select 5"
    assert (second.verb, second.may_write, detail["statement"]) == ("prepared", True, "sqlname")
    client.hang_up()


@pytest.mark.parametrize(
    ("sent", "answers", "syncs"),
    [
        (parse("", "select 1") + bind("", "") + execute("") + SYNC, "12DCZ", 1),
        (
            b"".join(parse("", f"select {sql}") + bind("", "") + execute("") for sql in ("1", "1/0", "3"))
            + SYNC
            + parse("", "select 4")
            + bind("", "")
            + execute("")
            + SYNC,
            "12DC1EZ12DCZ",
            2,
        ),
        (2 * (parse("", "select 1") + bind("", "") + execute("")) + describe("") + SYNC, "12DC12DCTZ", 1),
        (
            parse("", "select set_config('application_name', 'x', false), set_config('datestyle', 'german', false)")
            + bind("", "")
            + execute("")
            + parse("", "select 1")
            + bind("", "")
            + execute("")
            + SYNC,
            "12DC12DCSSZ",
            1,
        ),
        (parse("", "select 1/0") + bind("", "") + execute("") + query("select 1") + SYNC, "12EZ", 1),
        (query(""), "IZ", 1),
        (query("select 1; select 1/0; select 3"), "TDCEZ", 1),
        (parse("", "") + bind("", "") + execute("") + SYNC, "12IZ", 1),
    ],
)
async def test_answers_come_in_the_order_in_which_the_target_gives_them(
    live: Any, sent: bytes, answers: str, syncs: int
) -> None:
    client = await live.raw(await live.enter())
    assert await client.ask(sent, count=syncs) in (answers, answers.replace("12E", "1E"))
    assert await client.ask(query("select 1")) == "TDCZ"
    await live.gateway.actions()
    client.hang_up()


async def test_a_statement_can_be_described_after_flush_before_any_sync(live: Any) -> None:
    client = await live.raw(await live.enter())
    client.writer.write(parse("s", "select $1::int") + message(b"D", b"Ss\0") + FLUSH)
    assert await client.until("T") == "1tT"
    assert await client.ask(bind("", "s", "5"), execute(""), SYNC) == "2DCZ"
    client.hang_up()


async def test_copy_in_that_fails_early_leaves_the_session_usable(live: Any) -> None:
    client = await live.raw(await live.enter())
    await client.ask(query("create temporary table k(a int primary key)"))
    data = message(b"d", b"1\n1\n")
    assert await client.ask(query("copy k from stdin"), data * 1000, COPY_DONE) == "GEZ"
    assert await client.ask(query("select 1")) == "TDCZ"
    _, (_, _, done), _ = await live.gateway.actions()
    assert (done.outcome, done.sqlstate) == (Outcome.FAILED, "23505")
    client.hang_up()


async def test_flush_and_sync_among_copy_data_are_ignored_as_the_target_does(live: Any) -> None:
    client = await live.raw(await live.enter())
    await client.ask(query("create temporary table k(a int)"))
    data = message(b"d", b"1\n")
    extended = parse("", "copy k from stdin") + bind("", "") + execute("") + SYNC
    assert await client.ask(extended, data, FLUSH, SYNC, data, SYNC, COPY_DONE, SYNC) == "12GCZ"
    assert await client.ask(query("select count(*) from k")) == "TDCZ"
    actions = await live.gateway.actions()
    assert [done.tags for *_, done in actions] == [("CREATE TABLE",), ("COPY 2",), ("SELECT 1",)]
    client.hang_up()


async def test_a_large_object_read_by_function_call_is_recorded_with_the_functions_id(live: Any) -> None:
    client = await live.raw(await live.enter())
    assert await client.ask(message(b"F", (1598).to_bytes(4, "big") + b"\0\0\0\0\0\1")) == "VZ"
    ((one, detail, done),) = await live.gateway.actions()
    assert (one.may_write, detail["function_oid"], done.outcome) == (True, 1598, Outcome.COMPLETED)
    client.hang_up()


async def test_a_statement_sent_with_the_goodbye_still_runs_to_its_end(live: Any) -> None:
    secret = await live.enter()
    client = await live.raw(secret)
    client.writer.write(query("create table public.last_words as select pg_sleep(0.3)::text as a") + message(b"X"))
    await client.writer.drain()
    client.writer.close()
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.CLIENT_CLOSED
    ((_, _, done),) = await live.gateway.actions()
    assert (done.outcome, done.tags) == (Outcome.COMPLETED, ("SELECT 1",))
    connection = await live.connect(secret)
    await connection.execute("drop table public.last_words")
    await connection.close()


async def test_a_client_that_vanishes_leaves_nothing_running_and_its_action_is_interrupted(live: Any) -> None:
    client = await live.raw(await live.enter())
    client.writer.write(query("select pg_sleep(60)"))
    await asyncio.sleep(0.3)
    client.hang_up()
    ((_, _, done),) = await live.gateway.actions()
    assert done.outcome is Outcome.INTERRUPTED
    with live.server.superuser() as connection:
        for _ in range(100):
            ((count,),) = connection.execute(
                "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active'"
                " and pid <> pg_backend_pid()"
            ).fetchall()
            if count == 0:
                break
            await asyncio.sleep(0.02)
    assert count == 0
