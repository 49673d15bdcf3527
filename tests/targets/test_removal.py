"""Whatever the engineer did while it lasted, afterwards nothing is left; and it is never said before it is so."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import psycopg
import pytest

from sojourn.errors import Code, SojournError
from sojourn.targets.port import Removal
from sojourn.targets.postgres import PostgresDriver

from .conftest import Bench

pytestmark = pytest.mark.integration

CYCLES = int(os.environ.get("SOJOURN_GRANT_CYCLES", "60"))
"""A soak sets this to 5000."""

GONE = Removal(role_present=False, sessions_present=0, sessions_terminated=0)


async def test_a_removal_is_not_confirmed_while_a_session_lives(bench: Bench) -> None:
    await bench.grant("sojourn_t1")
    connection = bench.engineer("sojourn_t1")
    process = connection.info.backend_pid
    os.kill(process, signal.SIGSTOP)
    try:
        removal = await bench.revoke("sojourn_t1")
        assert removal == Removal(role_present=True, sessions_present=1, sessions_terminated=0)
        assert not removal.complete
        with pytest.raises(psycopg.OperationalError):
            bench.engineer("sojourn_t1")
    finally:
        os.kill(process, signal.SIGCONT)
    for _ in range(100):
        if not bench.owner(f"SELECT 1 FROM pg_stat_activity WHERE pid = {process}"):
            break
        await asyncio.sleep(0.02)
    assert await bench.revoke("sojourn_t1") == GONE
    connection.close()


async def test_a_session_that_outlived_a_role_dropped_by_hand_is_not_overlooked(bench: Bench) -> None:
    await bench.grant("sojourn_t2")
    connection = bench.engineer("sojourn_t2")
    bench.owner("GRANT sojourn_t2 TO sojourn_admin" + (" WITH INHERIT TRUE" if bench.version >= 160000 else ""))
    bench.owner("SET ROLE sojourn_admin; DROP OWNED BY sojourn_t2; RESET ROLE; DROP ROLE sojourn_t2")
    removal = await bench.revoke("sojourn_t2")
    assert removal == Removal(role_present=False, sessions_present=1, sessions_terminated=0)
    connection.close()
    for _ in range(100):
        removal = await bench.revoke("sojourn_t2")
        if removal.complete:
            break
        await asyncio.sleep(0.02)
    assert removal == GONE


async def test_live_sessions_are_ended_and_counted(bench: Bench) -> None:
    await bench.grant("sojourn_t3")
    connections = [bench.engineer("sojourn_t3") for _ in range(3)]
    connections[0].execute("BEGIN")
    connections[0].execute("SELECT * FROM shop.orders LIMIT 1")
    removal = await bench.revoke("sojourn_t3")
    assert removal == Removal(role_present=False, sessions_present=0, sessions_terminated=3)
    for connection in connections:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


async def test_what_it_owns_goes_with_it_in_every_database(bench: Bench) -> None:
    bench.owner("CREATE SCHEMA open_t; GRANT CREATE, USAGE ON SCHEMA open_t TO PUBLIC")
    try:
        await bench.grant("sojourn_t4")
        with bench.engineer("sojourn_t4") as here:
            here.execute("CREATE TABLE open_t.mine (id int)")
            here.execute("CREATE TEMP TABLE scratch (id int)")
            here.execute("CREATE FUNCTION open_t.trap() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
            here.execute("SELECT lo_create(0)")
        for database in ("postgres", "template1"):
            with bench.engineer("sojourn_t4", database) as there:
                there.execute("SELECT lo_create(0)")
        assert (await bench.revoke("sojourn_t4")).complete
        assert bench.owner("SELECT relname FROM pg_class WHERE relnamespace = 'open_t'::regnamespace") == []
        assert bench.owner("SELECT proname FROM pg_proc WHERE pronamespace = 'open_t'::regnamespace") == []
        for database in ("shop", "postgres", "template1"):
            assert bench.owner("SELECT oid FROM pg_largeobject_metadata", database) == []
    finally:
        bench.owner("DROP SCHEMA open_t CASCADE")


@pytest.mark.parametrize("database", ["shop", "postgres"])
async def test_more_objects_than_the_server_has_locks_for_do_not_keep_it(bench: Bench, database: str) -> None:
    await bench.grant("sojourn_t12")
    connection = bench.engineer("sojourn_t12", database)
    for _ in range(60):
        connection.execute("SELECT count(lo_create(0)) FROM generate_series(1, 1000)")
    assert (await bench.revoke("sojourn_t12")).complete
    assert bench.owner("SELECT oid FROM pg_largeobject_metadata", database) == []


@pytest.mark.parametrize("database", ["shop", "postgres"])
async def test_a_forgotten_prepared_transaction_does_not_keep_it(bench: Bench, database: str) -> None:
    await bench.grant("sojourn_t5")
    with bench.engineer("sojourn_t5", database) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT lo_create(0)")
        connection.execute("PREPARE TRANSACTION 'ghost'")
    begun = time.monotonic()
    assert (await bench.revoke("sojourn_t5")).complete
    assert time.monotonic() - begun < 3, "nothing waited for the ghost's locks"
    assert bench.owner("SELECT gid FROM pg_prepared_xacts") == []


async def test_what_others_built_on_its_objects_is_not_taken_down_with_them(bench: Bench) -> None:
    bench.owner("CREATE SCHEMA open_t; GRANT CREATE, USAGE ON SCHEMA open_t TO PUBLIC")
    try:
        await bench.grant("sojourn_t6")
        with bench.engineer("sojourn_t6") as connection:
            connection.execute("CREATE TABLE open_t.mine (id int)")
        bench.owner("CREATE VIEW open_t.report AS SELECT * FROM open_t.mine")
        with pytest.raises(SojournError) as caught:
            await bench.revoke("sojourn_t6")
        assert caught.value.code is Code.TARGET_REFUSED
        assert bench.owner("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'sojourn_t6'") == [(False,)]
        assert bench.owner("SELECT relname FROM pg_class WHERE relname = 'report'") == [("report",)]
        bench.owner("DROP VIEW open_t.report")
        assert (await bench.revoke("sojourn_t6")).complete
    finally:
        bench.owner("DROP SCHEMA open_t CASCADE")


async def test_its_own_password_change_does_not_keep_a_credential_alive(bench: Bench) -> None:
    await bench.grant("sojourn_t7")
    with bench.engineer("sojourn_t7") as connection:
        connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'mine now'")
    bench.engineer("sojourn_t7", password="mine now").close()
    assert (await bench.revoke("sojourn_t7")).complete
    for password in ("mine now", "pass-sojourn_t7"):
        with pytest.raises(psycopg.OperationalError):
            bench.engineer("sojourn_t7", password=password)


async def test_removing_what_is_not_there_is_no_error(bench: Bench) -> None:
    assert await bench.revoke("sojourn_t8") == GONE


async def test_a_role_that_is_not_ours_is_neither_replaced_nor_removed(bench: Bench) -> None:
    bench.owner("CREATE ROLE sojourn_t9 LOGIN; GRANT sojourn_t9 TO sojourn_admin WITH ADMIN OPTION")
    try:
        with pytest.raises(SojournError) as caught:
            await bench.grant("sojourn_t9")
        assert caught.value.code is Code.TARGET_REFUSED
        removal = await bench.revoke("sojourn_t9")
        assert not removal.complete
        assert "sojourn_t9 that Sojourn did not make" in removal.doubt
        assert bench.roles() == {"sojourn_t9"}
    finally:
        bench.owner("DROP ROLE sojourn_t9")


async def test_a_role_that_sojourn_may_not_touch_is_reported_with_the_remedy(bench: Bench) -> None:
    bench.owner("CREATE ROLE sojourn_t10 LOGIN; COMMENT ON ROLE sojourn_t10 IS 'Sojourn access sojourn_t10'")
    if bench.version >= 160000:
        # Before 16, who may make roles may take any of them away.
        with pytest.raises(SojournError) as caught:
            await bench.revoke("sojourn_t10")
        assert caught.value.code is Code.TARGET_PRIVILEGE_MISSING
        bench.owner(caught.value.refusal.details["remedy"])
    assert (await bench.revoke("sojourn_t10")).complete


async def test_many_cycles_leave_the_privileges_of_the_target_as_they_were(bench: Bench) -> None:
    questions = (
        "SELECT relname, relacl, pg_column_size(relacl) FROM pg_class WHERE relnamespace = 'shop'::regnamespace"
        " ORDER BY 1",
        "SELECT attrelid::regclass::text, attname, attacl FROM pg_attribute WHERE attacl IS NOT NULL ORDER BY 1, 2",
        "SELECT nspacl FROM pg_namespace WHERE nspname = 'shop'",
        "SELECT datname, datacl FROM pg_database ORDER BY 1",
        "SELECT count(*) FROM pg_shdepend",
        "SELECT count(*) FROM pg_auth_members",
        "SELECT count(*) FROM pg_db_role_setting",
    )
    before = [bench.owner(question) for question in questions]
    for number in range(CYCLES):
        await bench.grant(f"sojourn_t11_{number}")
        assert (await bench.revoke(f"sojourn_t11_{number}")).complete
    assert [bench.owner(question) for question in questions] == before


async def test_what_it_gave_to_others_and_to_its_own_future_goes_with_it(bench: Bench) -> None:
    bench.owner("CREATE SCHEMA open_t; GRANT CREATE, USAGE ON SCHEMA open_t TO PUBLIC")
    try:
        await bench.grant("sojourn_t13")
        with bench.engineer("sojourn_t13") as connection:
            connection.execute("CREATE TABLE open_t.mine (id serial)")
            connection.execute("GRANT SELECT ON open_t.mine TO sojourn_admin")
            connection.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC")
            connection.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA open_t GRANT ALL ON SEQUENCES TO sojourn_admin")
            connection.execute("ALTER ROLE CURRENT_USER IN DATABASE shop SET work_mem = '1GB'")
        assert (await bench.revoke("sojourn_t13")).complete
        assert bench.owner("SELECT FROM pg_default_acl") == []
        assert bench.owner("SELECT relname FROM pg_class WHERE relnamespace = 'open_t'::regnamespace") == []
    finally:
        bench.owner("DROP SCHEMA open_t CASCADE")


async def test_several_that_remove_the_same_access_at_once_all_find_it_gone(bench: Bench) -> None:
    """Nodes of ours share no lock: whoever comes second finds a role dropped under it, at any step."""
    secret = bench.server.administrator_password
    for number in range(12):
        name = f"sojourn_t{600 + number}"
        await bench.grant(name)
        claim = bench.claim(name)
        nodes = [PostgresDriver(os.urandom) for _ in range(4)]
        removals = await asyncio.gather(*(node.revoke(bench.target, claim, secret=secret) for node in nodes))
        assert removals == [GONE] * len(nodes)
        assert await bench.revoke(name) == GONE


async def test_names_of_the_server_that_others_have_taken_fool_nobody(bench: Bench) -> None:
    """What is asked of the server is asked of its own catalogs, whatever a search path finds before them."""
    bench.owner(
        "ALTER DATABASE shop SET search_path = public, pg_catalog;"
        " CREATE VIEW public.pg_roles AS SELECT * FROM pg_catalog.pg_roles WHERE false;"
        " CREATE VIEW public.pg_stat_activity AS SELECT * FROM pg_catalog.pg_stat_activity WHERE false;"
        " CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';"
        " CREATE FUNCTION public.pg_terminate_backend(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
        " GRANT SELECT ON public.pg_roles, public.pg_stat_activity TO PUBLIC"
    )
    try:
        assert await bench.grant("sojourn_t14")
        connection = bench.engineer("sojourn_t14")
        assert await bench.revoke("sojourn_t14") == Removal(
            role_present=False, sessions_present=0, sessions_terminated=1
        )
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    finally:
        bench.owner(
            "ALTER DATABASE shop RESET search_path; DROP VIEW public.pg_roles, public.pg_stat_activity;"
            " DROP FUNCTION public.lower(text), public.pg_terminate_backend(int)"
        )
