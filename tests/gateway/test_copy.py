"""COPY in both directions passes as it came, is counted, and ends where PostgreSQL ends it."""

from __future__ import annotations

import pytest

from .conftest import Access, settle
from .raw import FLUSH, SYNC, RawClient, bind, execute, message, parse, query

COPY = "COPY c FROM STDIN"


@pytest.fixture
def copying(raw: RawClient) -> RawClient:
    """A client with a table to copy into (one action)."""
    raw.send(query("CREATE TEMP TABLE c(a int PRIMARY KEY)"))
    raw.until_ready()
    return raw


def test_copy_passes_both_ways_and_is_counted(gateway: Access) -> None:
    with gateway.psycopg() as connection:
        connection.execute("CREATE TEMP TABLE c(a int, b text)")
        with connection.cursor() as cursor, cursor.copy("COPY c FROM STDIN") as copy:
            for number in range(20_000):
                copy.write_row((number, "x" * 50))
        with connection.cursor() as cursor, cursor.copy("COPY c TO STDOUT") as copy:
            received = sum(len(block) for block in copy)
    found = settle(gateway, 3)
    assert [outcome.rows for _, outcome in found] == [0, 20_000, 20_000]
    assert found[1][1].bytes_in > received > 1_000_000
    assert found[2][1].bytes_out > received


def test_a_copy_that_fails_early_gives_one_error_and_the_session_goes_on(gateway: Access, copying: RawClient) -> None:
    copying.send(query(COPY))
    assert copying.kinds(1) == "G"
    copying.send(message("d", b"1\n1\n"))
    for _ in range(300):
        copying.send(message("d", b"7\n" * 500))
    copying.send(message("c"))
    assert copying.until_ready() == "EZ"
    copying.send(query("SELECT 1"))
    assert copying.until_ready() == "TDCZ"
    found = settle(gateway, 3)
    assert [outcome.outcome for _, outcome in found] == ["completed", "failed", "completed"]
    assert found[1][1].sqlstate == "23505"


def test_sync_and_flush_among_the_data_are_ignored_as_by_the_server(gateway: Access, copying: RawClient) -> None:
    copying.send(parse(COPY) + bind() + execute() + SYNC)
    assert copying.kinds(3) == "12G"
    copying.send(message("d", b"1\n") + FLUSH + SYNC + message("d", b"2\n") + SYNC + message("c") + SYNC)
    assert copying.until_ready() == "CZ"
    copying.send(query("SELECT 1"))
    assert copying.until_ready() == "TDCZ"
    found = settle(gateway, 3)
    assert [outcome.rows for _, outcome in found] == [0, 2, 1]


def test_everything_of_a_copy_sent_at_once_passes(gateway: Access, copying: RawClient) -> None:
    copying.send(
        parse(COPY) + bind() + execute() + SYNC + message("d", b"1\n") + message("c") + SYNC + query("SELECT 1")
    )
    assert copying.until_ready(2) == "12GCZTDCZ"
    assert [outcome.outcome for _, outcome in settle(gateway, 3)] == ["completed"] * 3


def test_answers_to_a_sync_that_a_failed_copy_left_unread_are_credited_to_nobody(
    gateway: Access, copying: RawClient
) -> None:
    copying.send(query(COPY) + message("d", b"x\n") + SYNC + SYNC + message("c") + SYNC + query("SELECT 1/0"))
    # The copy fails; each Sync that it left unread is answered; then comes the next statement.
    kinds = ""
    while kinds.count("E") < 2 or not kinds.endswith("Z"):
        kinds += copying.kinds(1)
    found = settle(gateway, 3)
    assert [outcome.outcome for _, outcome in found] == ["completed", "failed", "failed"]
    assert found[2][1].sqlstate == "22012"


def test_a_copy_that_the_client_gives_up_is_on_record_as_failed(gateway: Access) -> None:
    with gateway.psycopg() as connection:
        connection.execute("CREATE TEMP TABLE c(a int)")
        with (
            pytest.raises(ValueError, match="given up"),
            connection.cursor() as cursor,
            cursor.copy("COPY c FROM STDIN") as copy,
        ):
            copy.write("1\n")
            raise ValueError("given up")
        assert connection.execute("SELECT count(*) FROM c").fetchone() == (0,)
    found = settle(gateway, 3)
    assert (found[1][1].outcome, found[1][1].sqlstate) == ("failed", "57014")
