"""The server's own log, as JSON and as CSV, read by an account that is no superuser."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from sojourn.demo.production import Production
from sojourn.demo.production import production as running
from sojourn.domain.logged import LogReading
from sojourn.targets.postgres import PostgresDriver
from sojourn.testing.debian import debian

from .conftest import ADMINISTRATOR_PASSWORD, Bench, target_of

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("production-log")]

RIGHTS = (
    "EXECUTE ON FUNCTION pg_catalog.pg_current_logfile(text), pg_catalog.pg_ls_logdir(),"
    " pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)"
)


@pytest.fixture(scope="module", params=["18 csvlog", "15 jsonlog"])
def logging_server(request: pytest.FixtureRequest) -> Iterator[Production]:
    version, form = request.param.split()
    server = running if version == "18" else debian
    options = ("logging_collector=on", f"log_destination={form}", "log_connections=on", "log_timezone=Asia/Kolkata")
    with tempfile.TemporaryDirectory(prefix="sojourn-log-") as directory:
        Path(directory).chmod(0o755)
        with server(Path(directory) / "pg", password=ADMINISTRATOR_PASSWORD, options=options) as started:
            yield started


@pytest.fixture
def keeper(logging_server: Production) -> Iterator[Bench]:
    bench = Bench(server=logging_server, target=target_of(logging_server), driver=PostgresDriver(os.urandom))
    bench.owner(f"GRANT {RIGHTS} TO sojourn_admin")
    yield bench
    for connection in bench.opened:
        connection.close()
    bench.owner(f"REVOKE {RIGHTS} FROM sojourn_admin")


async def read(bench: Bench, place: str) -> LogReading:
    seen = await bench.driver.observe(bench.target, secret=ADMINISTRATOR_PASSWORD, log_place=place)
    return seen.log


async def read_until(bench: Bench, place: str, process: int) -> LogReading:
    """The log is written by a process of its own, a moment later."""
    deadline = time.monotonic() + 10
    while True:
        reading = await read(bench, place)
        if process in {one.process for one in reading.sessions}:
            return reading
        assert time.monotonic() < deadline, reading


async def test_a_session_is_in_the_log_with_login_process_and_begin_though_it_is_over(keeper: Bench) -> None:
    begin = await read(keeper, "")
    assert (begin.problem, begin.sessions, begin.gap, begin.tells_all) == ("", (), True, True)
    await keeper.grant("sojourn_t160")
    connection = keeper.engineer("sojourn_t160")
    process = connection.info.backend_pid
    connection.close()
    with pytest.raises(psycopg.OperationalError):
        keeper.engineer("sojourn_t160", password="wrong")
    keeper.owner("SELECT 'somebody else''s session'")
    reading = await read_until(keeper, begin.place, process)
    assert not reading.gap
    (session,) = reading.sessions
    assert (session.login, session.database) == ("sojourn_t160", "shop")
    assert abs(session.begun - datetime.now(UTC)) < timedelta(minutes=2), "whatever the zone of the log"
    assert (await keeper.revoke("sojourn_t160")).complete
    assert (await read(keeper, reading.place)).sessions == (), "nothing is read twice"


async def test_what_comes_after_a_rotation_is_read_from_the_next_file(keeper: Bench) -> None:
    begin = await read(keeper, "")
    await keeper.grant("sojourn_g2k3m4n5p6q")
    before = keeper.engineer("sojourn_g2k3m4n5p6q").info.backend_pid
    # A file is named after the second in which it was begun.
    time.sleep(1.1)
    keeper.owner("SELECT pg_rotate_logfile()")
    deadline = time.monotonic() + 10
    while (await read(keeper, "")).place.split()[0] == begin.place.split()[0]:
        assert time.monotonic() < deadline
    after = keeper.engineer("sojourn_g2k3m4n5p6q").info.backend_pid
    # By its name it is one of ours, though the login is gone when the log is read.
    assert (await keeper.revoke("sojourn_g2k3m4n5p6q")).complete
    reading = await read_until(keeper, begin.place, after)
    assert {before, after} <= {one.process for one in reading.sessions}
    assert not reading.gap


async def test_lines_within_a_statement_and_halves_of_a_record_confuse_nobody(keeper: Bench) -> None:
    begin = await read(keeper, "")
    await keeper.grant("sojourn_t161")
    connection = keeper.engineer("sojourn_t161")
    forged = (
        '1/0 /* "\n2026-01-01 00:00:00.000 UTC,"sojourn_t161","shop",99999,"[local]",x,1,"y",2026-01-01 00:00:00 UTC'
    )
    with pytest.raises(psycopg.errors.DivisionByZero):
        connection.execute(f"SELECT {forged}\n*/".encode())
    reading = await read_until(keeper, begin.place, connection.info.backend_pid)
    assert {one.process for one in reading.sessions} == {connection.info.backend_pid}
    assert (await keeper.revoke("sojourn_t161")).complete


async def test_a_place_that_is_not_there_any_more_is_a_gap(keeper: Bench) -> None:
    reading = await read(keeper, "postgresql-2001-01-01_000000.json 17")
    assert reading.gap and reading.sessions == () and reading.through is not None


async def test_preflight_says_what_reading_the_log_takes(keeper: Bench) -> None:
    keeper.owner(f"REVOKE {RIGHTS} FROM sojourn_admin")
    reading = await read(keeper, "")
    assert (reading.through, reading.problem) == (None, "Sojourn's account may not read the server's log")
    (lack,) = await keeper.driver.preflight(keeper.target, secret=ADMINISTRATOR_PASSWORD)
    problem, _, remedy = lack.partition(": ")
    assert problem == "it may not read the server's log, to compare it with the record"
    keeper.owner(remedy)
    assert await keeper.driver.preflight(keeper.target, secret=ADMINISTRATOR_PASSWORD) == ()
    assert (await read(keeper, "")).problem == ""


async def test_a_server_that_keeps_no_such_log_says_so_and_is_looked_at_all_the_same(bench: Bench) -> None:
    seen = await bench.driver.observe(bench.target, secret=ADMINISTRATOR_PASSWORD, log_place="")
    assert seen.log == replace(LogReading(), problem="the server keeps no log as JSON or CSV")
    assert seen.accounts
