"""What no DROP OWNED takes along: replication slots, subscriptions, scheduled jobs; and what only a session keeps."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

from sojourn.demo.production import DATABASE, Production
from sojourn.demo.production import production as running
from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import Role
from sojourn.targets.postgres import PostgresDriver
from sojourn.testing.debian import PROGRAMS, debian
from sojourn.testing.packages import install

from .conftest import ADMINISTRATOR_PASSWORD, Bench, Row, target_of

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("production-replicating")]

REPLICATES = Role(name=RoleName("copier"), replication=True)
LENT = Role(name=RoleName("lent"), account="old_copier", replication=True)
SECONDS = 30


@pytest.fixture(scope="module", params=["18", "15"])
def replicating(request: pytest.FixtureRequest) -> Iterator[Production]:
    """Servers that may be replicated from; the one of Debian has a scheduler besides.

    Before 16 only a superuser hands out REPLICATION, so there Sojourn's account is one for once.
    """
    options: tuple[str, ...] = ("wal_level=logical",)
    server, powers = running, "REPLICATION"
    if request.param == "15":
        install({"postgresql-15-cron": PROGRAMS.parent / "lib" / "pg_cron.so"})
        options += ("shared_preload_libraries=pg_cron", "cron.database_name=postgres")
        server, powers = debian, "SUPERUSER"
    with tempfile.TemporaryDirectory(prefix="sojourn-remains-") as directory:
        Path(directory).chmod(0o755)
        with server(Path(directory) / "pg", password=ADMINISTRATOR_PASSWORD, options=options) as started:
            with started.superuser() as connection:
                connection.execute(f"ALTER ROLE sojourn_admin {powers}".encode())
            yield started


@pytest.fixture
def bench(replicating: Production) -> Iterator[Bench]:
    bench = Bench(server=replicating, target=target_of(replicating, REPLICATES), driver=PostgresDriver(os.urandom))
    yield bench
    for connection in bench.opened:
        connection.close()
    left = bench.roles()
    slots = [name for (name,) in bench.owner("SELECT slot_name FROM pg_replication_slots")]
    assert (left, slots) == (set(), [])


def stream(server: Production, slot: str, **how: object) -> psycopg.Connection[Row]:
    """A session that replicates from a physical slot, and so holds it."""
    with server.superuser() as connection:
        row = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    assert row is not None
    holder = psycopg.connect(
        port=server.port,
        dbname=DATABASE,
        autocommit=True,
        replication="database",
        **how,  # type: ignore[arg-type]
    )
    result = holder.pgconn.exec_(f"START_REPLICATION SLOT {slot} PHYSICAL {row[0]}".encode())
    assert result.status == pq.ExecStatus.COPY_BOTH
    return holder


def slots(bench: Bench) -> set[object]:
    return {name for (name,) in bench.owner("SELECT slot_name FROM pg_replication_slots")}


async def test_slots_that_bear_the_name_of_the_login_go_and_those_of_before_stay(bench: Bench) -> None:
    bench.owner("SELECT pg_create_physical_replication_slot('sojourn_t200_before')")
    await bench.grant("sojourn_t200", REPLICATES)
    here, elsewhere = bench.engineer("sojourn_t200"), bench.engineer("sojourn_t200", "postgres")
    here.execute("SELECT pg_create_physical_replication_slot('sojourn_t200')")
    here.execute("SELECT pg_create_physical_replication_slot('passing', false, true)")
    elsewhere.execute("SELECT pg_create_logical_replication_slot('sojourn_t200_changes', 'pgoutput')")
    removal = await bench.revoke("sojourn_t200")
    assert removal.complete, str(removal)
    assert slots(bench) == {"sojourn_t200_before"}
    bench.owner("SELECT pg_drop_replication_slot('sojourn_t200_before')")


async def test_a_slot_that_its_session_holds_at_the_end_goes_whatever_it_is_called(bench: Bench) -> None:
    await bench.grant("sojourn_t201", REPLICATES)
    bench.engineer("sojourn_t201").execute("SELECT pg_create_physical_replication_slot('debugging')")
    login = {"host": bench.server.host, "user": "sojourn_t201", "password": "pass-sojourn_t201"}
    bench.opened.append(stream(bench.server, "debugging", **login))
    removal = await bench.revoke("sojourn_t201")
    assert removal.complete, str(removal)
    assert removal.sessions_terminated == 2
    assert slots(bench) == set()


async def test_a_slot_that_nobody_uses_is_a_doubt_until_people_have_settled_it(bench: Bench) -> None:
    """A standby that was set up meanwhile would be lost without its slot, so it is not dropped on suspicion."""
    await bench.grant("sojourn_t202", REPLICATES)
    bench.engineer("sojourn_t202").execute("SELECT pg_create_physical_replication_slot('forgotten')")
    bench.owner("SELECT pg_create_physical_replication_slot('standby')")
    bench.owner("SELECT pg_create_physical_replication_slot('sojourn_g2k3m4n5p6q_a')")
    removal = await bench.revoke("sojourn_t202")
    assert (removal.complete, removal.role_present, removal.sessions_present) == (False, False, 0)
    for name in ("forgotten", "standby"):
        assert f"the replication slot {name} came while the access was open" in removal.doubt
    assert "sojourn_g2k3m4n5p6q_a" not in removal.doubt, "that is another access's"
    # The standby comes back, and the other one is dropped by hand.
    standby = stream(bench.server, "standby", host=str(bench.server.directory / "data"), user="postgres")
    bench.owner("SELECT pg_drop_replication_slot('forgotten')")
    removal = await bench.revoke("sojourn_t202")
    assert removal.complete, str(removal)
    standby.close()
    for name in ("standby", "sojourn_g2k3m4n5p6q_a"):
        _drop(bench, name)


def _drop(bench: Bench, slot: str) -> None:
    """Drop a slot as the owner, once nobody holds it any more."""
    deadline = time.monotonic() + SECONDS
    while bench.owner(f"SELECT FROM pg_replication_slots WHERE slot_name = '{slot}' AND active"):
        assert time.monotonic() < deadline, "still held"
        time.sleep(0.02)
    bench.owner(f"SELECT pg_drop_replication_slot('{slot}')")


async def test_a_slot_goes_also_when_its_login_was_dropped_by_hand(bench: Bench) -> None:
    await bench.grant("sojourn_t203", REPLICATES)
    with bench.engineer("sojourn_t203") as connection:
        connection.execute("SELECT pg_create_physical_replication_slot('sojourn_t203')")
    deadline = time.monotonic() + SECONDS
    while bench.owner("SELECT FROM pg_stat_activity WHERE usename = 'sojourn_t203'"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    bench.owner("DROP ROLE sojourn_t203")
    removal = await bench.revoke("sojourn_t203")
    assert removal.complete, str(removal)
    assert slots(bench) == set()


async def test_the_slots_of_an_account_that_was_lent_go_and_its_own_stay(bench: Bench) -> None:
    bench.owner("CREATE ROLE old_copier NOLOGIN REPLICATION; GRANT old_copier TO sojourn_admin WITH ADMIN OPTION")
    bench.owner("SELECT pg_create_physical_replication_slot('old_copier_standby')")
    bench.target = target_of(bench.server, LENT)
    try:
        await bench.grant("t204", LENT)
        connection = bench.engineer("old_copier", password="pass-t204")
        connection.execute("SELECT pg_create_physical_replication_slot('old_copier_new')")
        removal = await bench.revoke("t204", "old_copier")
        assert removal.complete, str(removal)
        assert slots(bench) == {"old_copier_standby"}
    finally:
        bench.owner("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        bench.owner("DROP ROLE old_copier")


@pytest.mark.parametrize("replicating", ["18"], indirect=True)
async def test_a_subscription_goes_with_its_owner(bench: Bench) -> None:
    """Before 16 only a superuser owns one. The publisher need not be there any more."""
    await bench.grant("sojourn_t205", REPLICATES)
    bench.owner(
        "CREATE SUBSCRIPTION gathering CONNECTION 'host=127.0.0.1 port=1 password=x' PUBLICATION all_of_it"
        " WITH (connect = false)",
        "postgres",
    )
    bench.owner("GRANT CREATE ON DATABASE postgres TO sojourn_t205", "postgres")
    bench.owner("ALTER SUBSCRIPTION gathering OWNER TO sojourn_t205", "postgres")
    bench.owner("REVOKE CREATE ON DATABASE postgres FROM sojourn_t205", "postgres")
    removal = await bench.revoke("sojourn_t205")
    assert removal.complete, str(removal)
    assert bench.owner("SELECT subname FROM pg_subscription") == []


@pytest.mark.parametrize("replicating", ["15"], indirect=True)
async def test_a_scheduled_job_goes_with_its_login_and_those_of_others_stay(bench: Bench) -> None:
    bench.owner("CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO PUBLIC", "postgres")
    try:
        bench.owner("SELECT cron.schedule('tidy', '0 3 * * *', 'SELECT 1')", "postgres")
        await bench.grant("sojourn_t206", REPLICATES)
        connection = bench.engineer("sojourn_t206", "postgres")
        connection.execute("SELECT cron.schedule('again', '* * * * *', 'SELECT 2')")
        connection.execute("SELECT cron.schedule('0 0 1 1 *', 'SELECT 3')")
        removal = await bench.revoke("sojourn_t206")
        assert removal.complete, str(removal)
        assert bench.owner("SELECT jobname, username FROM cron.job", "postgres") == [("tidy", "postgres")]
    finally:
        bench.owner("DROP EXTENSION pg_cron", "postgres")


async def test_what_a_right_to_create_lets_it_leave_is_as_it_was_before(bench: Bench) -> None:
    """Schemas, publications, foreign servers and who logs in there, statistics, and what others gave to the login."""
    bench.owner(
        "GRANT CREATE ON DATABASE shop TO PUBLIC; CREATE FOREIGN DATA WRAPPER far;"
        " GRANT USAGE ON FOREIGN DATA WRAPPER far TO PUBLIC; CREATE SERVER theirs FOREIGN DATA WRAPPER far;"
        " GRANT USAGE ON FOREIGN SERVER theirs TO PUBLIC"
    )
    questions = (
        "SELECT count(*) FROM pg_shdepend",
        "SELECT nspname FROM pg_namespace ORDER BY 1",
        "SELECT pubname FROM pg_publication",
        "SELECT srvname FROM pg_foreign_server",
        "SELECT count(*) FROM pg_user_mappings",
        "SELECT count(*) FROM pg_description",
        "SELECT count(*) FROM pg_statistic_ext",
        "SELECT count(*) FROM pg_default_acl",
    )
    before = [bench.owner(question) for question in questions]
    try:
        await bench.grant("sojourn_t207", REPLICATES)
        with bench.engineer("sojourn_t207") as connection:
            for statement in (
                "CREATE SCHEMA mine",
                "CREATE TABLE mine.things (id int PRIMARY KEY, kind text)",
                "COMMENT ON TABLE mine.things IS 'left behind'",
                "CREATE STATISTICS mine.known ON id, kind FROM mine.things",
                "CREATE PUBLICATION told FOR TABLE mine.things",
                "CREATE SERVER far_off FOREIGN DATA WRAPPER far",
                "CREATE USER MAPPING FOR PUBLIC SERVER far_off",
                "CREATE USER MAPPING FOR CURRENT_USER SERVER theirs OPTIONS (password 'x')",
                "ALTER DEFAULT PRIVILEGES IN SCHEMA mine GRANT SELECT ON TABLES TO PUBLIC",
            ):
                connection.execute(statement.encode())
        removal = await bench.revoke("sojourn_t207")
        assert removal.complete, str(removal)
        assert [bench.owner(question) for question in questions] == before
    finally:
        bench.owner("DROP FOREIGN DATA WRAPPER far CASCADE; REVOKE CREATE ON DATABASE shop FROM PUBLIC")


async def test_what_only_a_session_keeps_is_gone_with_it(bench: Bench) -> None:
    await bench.grant("sojourn_t208", REPLICATES)
    connection = bench.engineer("sojourn_t208")
    process = connection.info.backend_pid
    connection.execute("SELECT pg_advisory_lock(4711)")
    connection.execute("LISTEN to_them")
    connection.execute("CREATE TEMP TABLE scratch AS SELECT 1 AS one")
    connection.execute("DECLARE kept CURSOR WITH HOLD FOR SELECT 1")
    removal = await bench.revoke("sojourn_t208")
    assert removal.complete, str(removal)
    assert bench.owner(f"SELECT FROM pg_locks WHERE pid = {process}") == []
    assert bench.owner("SELECT pg_try_advisory_lock(4711)") == [(True,)]
    assert bench.owner("SELECT relname FROM pg_class WHERE relname = 'scratch'") == []
