"""What passes through a gateway works as it does without one, and is on record."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time

import asyncpg
import psycopg
import pytest

from sojourn.demo.production import Production, psql_with_tls
from sojourn.domain.events import ActionIntended

from .conftest import PERSON, TARGET, Access, dial, settle
from .raw import FLUSH, SYNC, RawClient, bind, error_fields, execute, extended, message, parse, query


def test_a_simple_query_works_and_is_on_record(gateway: Access) -> None:
    with gateway.psycopg() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    ((detail, outcome),) = settle(gateway, 1)
    assert "SELECT 1" in detail
    assert (outcome.outcome, outcome.rows) == ("completed", 1)


def test_a_simple_query_of_several_statements_is_one_action_with_their_tags(gateway: Access, raw: RawClient) -> None:
    raw.send(query("SELECT 1; CREATE TEMP TABLE t(a int); INSERT INTO t VALUES (1),(2); SELECT * FROM t"))
    assert raw.until_ready() == "TDCCCTDDCZ"
    ((_, outcome),) = settle(gateway, 1)
    assert outcome.tags == ("SELECT 1", "CREATE TABLE", "INSERT 0 2", "SELECT 2")
    assert outcome.rows == 5


def test_of_several_statements_it_is_on_record_which_were_done_and_how_the_next_one_failed(
    gateway: Access, raw: RawClient
) -> None:
    raw.send(query("SELECT 1; SELECT generate_series(1, 2); SELECT 1/0; SELECT 3"))
    assert raw.until_ready() == "TDCTDDCEZ"
    raw.send(query("BEGIN; SELECT 1; ROLLBACK; SELECT 1; nonsense"))
    assert raw.until_ready() == "EZ"
    (_, failed), (_, refused) = settle(gateway, 2)
    assert (failed.outcome, failed.tags, failed.sqlstate) == ("failed", ("SELECT 1", "SELECT 2"), "22012")
    assert failed.rows == 3
    assert (refused.outcome, refused.tags, refused.sqlstate) == ("failed", (), "42601")


def test_what_has_more_rows_than_the_role_should_need_is_marked(gateway: Access) -> None:
    gateway.adopt(gateway.target, mark_rows_over=2)
    client = dial(gateway)
    # A token that is newer than the configuration.
    assert client.log_in(PERSON, gateway.token(), TARGET)[-1][0] == "Z"
    for sql in ("SELECT generate_series(1, 2)", "SELECT generate_series(1, 3)"):
        client.send(query(sql))
        client.until_ready()
    client.send(query("SELECT 1; SELECT generate_series(1, 3)"))
    client.until_ready()
    client.send(extended("SELECT generate_series(1, 3)") + SYNC)
    client.until_ready()
    mark = "more than 2 rows"
    assert [one.tags for _, one in settle(gateway, 4)] == [
        ("SELECT 2",),
        ("SELECT 3", mark),
        ("SELECT 1", "SELECT 3", mark),
        ("SELECT 3", mark),
    ]


def test_a_text_of_very_many_statements_has_an_outcome_that_fits_into_the_record(
    gateway: Access, raw: RawClient
) -> None:
    raw.send(query("SELECT 1;" * 3000))
    raw.until_ready()
    ((_, outcome),) = settle(gateway, 1)
    assert outcome.tags[-1] == "and 2950 more"
    assert outcome.rows == 3000


def test_settings_and_selects_in_one_pipeline_are_answered_in_order(gateway: Access, raw: RawClient) -> None:
    first = "SELECT set_config('application_name','x',false), set_config('datestyle','german',false)"
    raw.send(parse(first) + bind() + execute() + parse("SELECT 1") + bind() + execute() + SYNC)
    assert raw.until_ready() == "12DC12DCSSZ"
    raw.send(query("SELECT 2"))
    assert raw.until_ready() == "TDCZ"
    assert len(settle(gateway, 3)) == 3


def test_a_describe_after_two_executions_is_answered_before_ready(gateway: Access, raw: RawClient) -> None:
    one = parse("SELECT 1") + bind() + execute()
    raw.send(one + one + message("D", b"P\0") + SYNC)
    assert raw.until_ready() == "12DC12DCTZ"
    settle(gateway, 2)


def test_a_description_arrives_after_flush_before_any_sync(gateway: Access, raw: RawClient) -> None:
    raw.send(parse("SELECT 1") + message("D", b"S\0") + FLUSH)
    assert raw.kinds(3) == "1tT"
    raw.send(bind() + execute() + SYNC)
    assert raw.until_ready() == "2DCZ"
    settle(gateway, 1)


def test_after_an_error_the_rest_of_the_group_is_skipped_and_recorded_as_that(gateway: Access, raw: RawClient) -> None:
    def one(sql: str) -> bytes:
        return parse(sql) + bind() + execute()

    raw.send(one("SELECT 1") + one("SELECT 1/0") + one("SELECT 3") + SYNC + one("SELECT 4") + SYNC)
    assert raw.until_ready(2) == "12DC1EZ12DCZ"
    found = settle(gateway, 4)
    assert [outcome.outcome for _, outcome in found] == ["completed", "failed", "skipped", "completed"]
    assert found[1][1].sqlstate == "22012"


def test_a_query_between_an_error_and_its_sync_is_skipped_and_not_credited_with_a_later_end(
    gateway: Access, raw: RawClient
) -> None:
    raw.send(parse("SELECT 1/0") + bind() + execute() + query("SELECT 'never'") + SYNC + query("SELECT 2"))
    assert raw.until_ready(2) == "1EZTDCZ"
    assert [outcome.outcome for _, outcome in settle(gateway, 3)] == ["failed", "skipped", "completed"]


def test_an_insert_before_a_failing_one_in_the_same_group_is_rolled_back(
    gateway: Access, raw: RawClient, server: Production
) -> None:
    raw.send(query("CREATE TABLE shop.one_of_a_kind(a int primary key)"))
    raw.until_ready()
    insert = parse("INSERT INTO shop.one_of_a_kind VALUES (1)") + bind() + execute()
    raw.send(insert + insert + SYNC)
    raw.until_ready()
    with server.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM shop.one_of_a_kind").fetchone() == (0,)
        connection.execute("DROP TABLE shop.one_of_a_kind")
    settle(gateway, 3)


def test_a_parse_that_fails_by_itself_is_on_record(gateway: Access, raw: RawClient) -> None:
    raw.send(parse("SELECT * FROM nowhere_at_all") + SYNC)
    assert raw.until_ready() == "EZ"
    ((detail, outcome),) = settle(gateway, 1)
    assert "nowhere_at_all" in detail
    assert (outcome.outcome, outcome.sqlstate) == ("failed", "42P01")


def test_a_deferred_constraint_that_fails_at_sync_is_on_record(gateway: Access, raw: RawClient) -> None:
    raw.send(query("CREATE TEMP TABLE d(a int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1)"))
    raw.until_ready()
    raw.send(parse("INSERT INTO d VALUES (1)") + bind() + execute() + SYNC)
    assert raw.until_ready() == "12CEZ"
    found = settle(gateway, 3)
    assert found[2][1].sqlstate == "23505"


def test_a_portal_fetched_in_parts_is_one_action_with_all_its_rows(gateway: Access, raw: RawClient) -> None:
    raw.send(query("BEGIN"))
    raw.until_ready()
    raw.send(parse("SELECT generate_series(1,1000)") + bind("p") + SYNC)
    raw.until_ready()
    for _ in range(21):
        raw.send(execute("p", 50) + SYNC)
        raw.until_ready()
    raw.send(query("COMMIT"))
    raw.until_ready()
    found = settle(gateway, 3)
    assert [outcome.rows for _, outcome in found] == [0, 1000, 0]
    assert found[1][1].outcome == "completed"


def test_a_portal_that_is_bound_anew_leaves_no_action_without_an_outcome(gateway: Access, raw: RawClient) -> None:
    raw.send(parse("SELECT generate_series(1,10)") + bind() + execute("", 3) + bind() + execute("", 4) + bind() + SYNC)
    raw.until_ready()
    found = settle(gateway, 3)
    assert [(outcome.outcome, outcome.rows) for _, outcome in found] == [
        ("completed", 3),
        ("completed", 4),
        ("skipped", 0),
    ]


def test_each_named_statement_is_recorded_with_the_text_that_ran(gateway: Access, raw: RawClient) -> None:
    raw.send(parse("SELECT 'a'", "S1") + parse("SELECT 'b'", "S2") + SYNC)
    raw.until_ready()
    for name in ("S1", "S2", "S1"):
        raw.send(bind("portal", name) + execute("portal") + SYNC)
        assert raw.until_ready() == "2DCZ"
    assert [detail.split("'")[1] for detail, _ in settle(gateway, 3)] == ["a", "b", "a"]


def test_a_parse_that_the_target_skipped_does_not_change_what_is_recorded(gateway: Access, raw: RawClient) -> None:
    raw.send(parse("SELECT 'what really runs'", "S1") + SYNC)
    raw.until_ready()
    raw.send(parse("not SQL") + message("C", b"SS1\0") + parse("SELECT 'a harmless text'", "S1") + SYNC)
    assert raw.until_ready() == "EZ"
    raw.send(bind("", "S1") + execute() + SYNC)
    assert raw.until_ready() == "2DCZ"
    found = settle(gateway, 2)
    assert "what really runs" in found[1][0] or "what really runs" in found[0][0]
    assert not any("harmless" in detail for detail, _ in found)


def test_a_bind_sent_before_its_parse_was_answered_is_recorded_with_every_text_it_may_run(
    gateway: Access, raw: RawClient
) -> None:
    raw.send(parse("SELECT 'what really runs'", "S1") + SYNC)
    raw.until_ready()
    # The second Parse of the name fails: it is in use. The Bind is in a group of its own and runs the first.
    raw.send(parse("SELECT 'a harmless text'", "S1") + SYNC + bind("", "S1") + execute() + SYNC)
    assert raw.until_ready(2) == "EZ2DCZ"
    details = [detail for detail, outcome in settle(gateway, 2) if outcome.outcome == "completed"]
    assert "what really runs" in details[0]


def test_a_name_that_sql_has_prepared_is_never_recorded_as_certain(gateway: Access, raw: RawClient) -> None:
    raw.send(parse("SELECT 'a harmless text'", "s1") + SYNC)
    raw.until_ready()
    raw.send(query("DEALLOCATE s1; PREPARE s1 AS SELECT 'what really runs'") + bind("", "s1") + execute() + SYNC)
    assert raw.until_ready(2) == "CCZ2DCZ"
    found = settle(gateway, 2)
    assert "what really runs" in found[0][0]
    assert "prepared_in_sql" in found[1][0]


def test_what_is_bound_to_a_name_that_sql_has_prepared_is_on_record(gateway: Access, raw: RawClient) -> None:
    raw.send(query("PREPARE p(text) AS SELECT $1"))
    raw.until_ready()
    value = b"bound-all-the-same"
    values = b"\0\0\0\1" + len(value).to_bytes(4, "big") + value + b"\0\0"
    raw.send(message("B", b"\0p\0" + values) + execute() + SYNC)
    assert raw.until_ready() == "2DCZ"
    _, (detail, _) = settle(gateway, 2)
    assert json.loads(detail) == {"binds": [{"text": value.decode()}], "portal": "", "statement": "p"}


def test_the_columns_of_a_statement_are_sealed_with_it(gateway: Access, raw: RawClient) -> None:
    raw.send(query("SELECT status, id FROM shop.orders WHERE id < 3"))
    raw.until_ready()
    raw.send(extended("SELECT id FROM shop.orders") + SYNC)
    raw.until_ready()
    (one, _), (other, _) = settle(gateway, 2)
    assert sorted(json.loads(one)["columns"]) == ["id", "status"]
    assert list(json.loads(other)) == ["binds", "columns", "portal", "statement", "text"]
    assert {event.objects for event in gateway.events(ActionIntended)} == {("shop.orders",)}


def test_a_function_call_is_on_record(gateway: Access, raw: RawClient) -> None:
    # 1598 is random(); no arguments, a text result.
    raw.send(message("F", (1598).to_bytes(4, "big") + bytes(4) + bytes(2)))
    assert raw.until_ready() == "VZ"
    ((detail, outcome),) = settle(gateway, 1)
    assert '"function_oid":1598' in detail
    assert outcome.outcome == "completed"


def test_every_way_to_cut_the_bytes_of_a_client_gives_the_same(gateway: Access, raw: RawClient) -> None:
    data = extended("SELECT 1") + SYNC + query("SELECT 2")
    for place in range(1, len(data)):
        raw.send(data[:place])
        if place % 7 == 0:
            time.sleep(0.002)
        raw.send(data[place:])
        assert raw.until_ready(2) == "12TDCZTDCZ", place
    settle(gateway, 2 * (len(data) - 1))


def test_single_bytes_of_a_client_are_put_together(gateway: Access, raw: RawClient) -> None:
    for byte in extended("SELECT 1") + SYNC:
        raw.send(bytes((byte,)))
    assert raw.until_ready() == "12TDCZ"
    settle(gateway, 1)


def test_a_pipeline_of_thousands_of_statements_passes(gateway: Access) -> None:
    with gateway.psycopg() as connection:
        connection.execute("CREATE TEMP TABLE many(a int)")
        with connection.pipeline(), connection.cursor() as cursor:
            cursor.executemany("INSERT INTO many VALUES (%s)", [(number,) for number in range(3000)])
        assert connection.execute("SELECT count(*) FROM many").fetchone() == (3000,)


def test_a_query_sent_together_with_the_goodbye_still_runs(gateway: Access, raw: RawClient, server: Production) -> None:
    raw.send(query("SELECT pg_sleep(0.2); CREATE TABLE shop.last_words(a int)") + message("X"))
    raw.close()
    ((_, outcome),) = settle(gateway, 1)
    assert outcome.outcome == "completed"
    with server.superuser() as connection:
        connection.execute("DROP TABLE shop.last_words")


def test_notices_notifications_and_transactions_reach_the_client(gateway: Access) -> None:
    heard: list[str] = []
    with gateway.psycopg() as connection:
        connection.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        connection.execute("DO $$ BEGIN RAISE NOTICE 'hello'; END $$")
        assert heard == ["hello"]
        connection.execute("LISTEN channel")
        connection.execute("NOTIFY channel, 'payload'")
        assert [one.payload for one in connection.notifies(timeout=5, stop_after=1)] == ["payload"]
        with pytest.raises(psycopg.errors.DivisionByZero), connection.transaction():
            connection.execute("SELECT 1/0")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_asyncpg_works(gateway: Access) -> None:
    async def work() -> list[int]:
        connection = await asyncpg.connect(
            host=gateway.host,
            port=gateway.port,
            user=PERSON,
            password=gateway.secret,
            database=TARGET,
            ssl="require",
        )
        try:
            async with connection.transaction():
                rows = [record[0] async for record in connection.cursor("SELECT generate_series(1,200)", prefetch=30)]
            assert await connection.fetchval("SELECT $1::int + 1", 41) == 42
            return rows
        finally:
            await connection.close()

    assert asyncio.run(work()) == list(range(1, 201))


def test_psql_works(gateway: Access, server: Production) -> None:
    program, environment = psql_with_tls(server.binaries)
    settings = " ".join(f"{name}={value}" for name, value in gateway.dsn().items())
    done = subprocess.run(
        [program, "-X", "-qAt", settings, "-c", "SELECT 1", "-c", "\\d shop.*"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1\n")


def test_a_message_that_is_no_message_ends_the_session(gateway: Access, raw: RawClient) -> None:
    raw.send(b"\x00\x00\x00\x00\x00\x00")
    kind, body = raw.read()
    assert kind == "E"
    assert error_fields(body)["C"] == "08P01"
