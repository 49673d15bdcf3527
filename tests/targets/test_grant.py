"""The privilege is a real one, exactly what was asked for, and the target itself holds the line."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from dataclasses import replace

import psycopg
import pytest
from psycopg import errors

from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import Privilege, Recording, Role, Verb
from sojourn.errors import Code, SojournError
from sojourn.targets.postgres import PostgresDriver
from sojourn.targets.postgres.observe import find, observe

from .conftest import OBSERVED, ROLE, Bench

pytestmark = pytest.mark.integration


async def test_what_is_read_back_is_what_was_asked_for(bench: Bench) -> None:
    assert await bench.grant("sojourn_t20") == OBSERVED
    assert (await bench.revoke("sojourn_t20")).complete


async def test_twenty_parallel_grants_and_removals_all_succeed(bench: Bench) -> None:
    names = [f"sojourn_t21_{number}" for number in range(20)]
    assert await asyncio.gather(*(bench.grant(name) for name in names)) == [OBSERVED] * 20
    removals = await asyncio.gather(*(bench.revoke(name) for name in names))
    assert all(removal.complete for removal in removals)


async def test_two_nodes_that_work_on_one_database_do_not_trip_over_each_other(bench: Bench) -> None:
    """Each node queues its own work; between nodes only trying again helps."""
    other = replace(bench, driver=PostgresDriver(os.urandom))
    names = [f"sojourn_t31_{number}" for number in range(10)]
    works = [node.grant(f"{name}_{place}") for name in names for place, node in enumerate((bench, other))]
    assert await asyncio.gather(*works) == [OBSERVED] * 20
    removals = await asyncio.gather(
        *(node.revoke(f"{name}_{place}") for name in names for place, node in enumerate((bench, other)))
    )
    assert all(removal.complete for removal in removals)


async def test_what_an_earlier_try_left_is_replaced(bench: Bench) -> None:
    await bench.grant("sojourn_t22")
    first = bench.owner("SELECT oid FROM pg_roles WHERE rolname = 'sojourn_t22'")
    assert await bench.grant("sojourn_t22") == OBSERVED
    assert bench.owner("SELECT oid FROM pg_roles WHERE rolname = 'sojourn_t22'") != first
    assert (await bench.revoke("sojourn_t22")).complete


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO shop.orders VALUES (99999, 1, now(), 'open', 1)",
        "DELETE FROM shop.orders",
        "TRUNCATE shop.orders",
        "UPDATE shop.orders SET total_cents = 0",
        "UPDATE shop.customers SET name = 'x'",
        "SELECT * FROM shop.payments",
        "SELECT * FROM shop.orders FOR KEY SHARE OF orders NOWAIT; SELECT iban FROM shop.payments",
        "SELECT * FROM hidden.thing",
        "CREATE TABLE shop.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE shop.orders ADD COLUMN mine int",
        "DROP TABLE shop.orders",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "COPY shop.orders TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
        # Nor can it keep, widen or pass on what it is.
        "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'",
        "ALTER ROLE CURRENT_USER CONNECTION LIMIT 100",
        "ALTER ROLE CURRENT_USER CREATEROLE",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "COMMENT ON ROLE sojourn_t23 IS 'nobody''s'",
        "SET ROLE sojourn_admin",
        "SET SESSION AUTHORIZATION postgres",
        "GRANT sojourn_t23 TO sojourn_admin",
        "GRANT sojourn_admin TO sojourn_t23",
        "ALTER ROLE sojourn_admin PASSWORD 'mine'",
        "ALTER ROLE ALL SET search_path = mine",
        "ALTER ROLE sojourn_admin SET search_path = mine",
        "ALTER SYSTEM SET log_connections = off",
        "ALTER DEFAULT PRIVILEGES FOR ROLE sojourn_admin GRANT SELECT ON TABLES TO sojourn_t23",
        "REASSIGN OWNED BY sojourn_admin TO sojourn_t23",
        "CREATE SUBSCRIPTION mine CONNECTION 'dbname=shop' PUBLICATION p WITH (connect = false)",
        "SELECT pg_create_physical_replication_slot('mine')",
        "SELECT lo_export(1, '/tmp/mine')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' OR usename IS NULL",
    ],
)
async def test_outside_of_the_role_the_target_says_42501(bench: Bench, statement: str) -> None:
    bench.owner("CREATE SCHEMA hidden; CREATE TABLE hidden.thing (id int); GRANT SELECT ON hidden.thing TO PUBLIC")
    try:
        await bench.grant("sojourn_t23")
        connection = bench.engineer("sojourn_t23")
        with pytest.raises(errors.InsufficientPrivilege) as caught:
            connection.execute(statement.encode())
        assert caught.value.sqlstate == "42501"
        assert (await bench.revoke("sojourn_t23")).complete
    finally:
        bench.owner("DROP SCHEMA hidden CASCADE")


async def test_passing_on_a_privilege_gives_nothing_to_anybody(bench: Bench) -> None:
    await bench.grant("sojourn_t24")
    connection = bench.engineer("sojourn_t24")
    before = bench.owner("SELECT relacl FROM pg_class WHERE relname = 'orders'")
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("GRANT SELECT ON shop.payments TO PUBLIC")
    # Where it has some privilege itself, the server answers with a warning only.
    connection.execute("GRANT INSERT, SELECT ON shop.orders TO PUBLIC")
    assert bench.owner("SELECT relacl FROM pg_class WHERE relname = 'orders'") == before
    assert (await bench.revoke("sojourn_t24")).complete


async def test_inside_of_the_role_the_work_gets_done(bench: Bench) -> None:
    await bench.grant("sojourn_t25")
    connection = bench.engineer("sojourn_t25")
    assert connection.execute("SELECT count(*) FROM shop.orders JOIN shop.customers ON true").fetchone()
    changed = connection.execute("UPDATE shop.orders SET status = status WHERE id = 1")
    assert changed.rowcount == 1
    assert (await bench.revoke("sojourn_t25")).complete


async def test_a_role_takes_only_as_many_connections_as_it_may(bench: Bench) -> None:
    await bench.grant("sojourn_t26", Role(name=ROLE.name, privileges=ROLE.privileges, connections_max=1))
    bench.engineer("sojourn_t26")
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        bench.engineer("sojourn_t26")
    assert (await bench.revoke("sojourn_t26")).complete


async def test_the_server_gets_a_verifier_and_never_the_password(bench: Bench) -> None:
    bench.owner("ALTER SYSTEM SET log_statement = 'all'")
    bench.owner("SELECT pg_reload_conf()")
    try:
        await bench.grant("sojourn_t27")
        ((stored,),) = bench.owner("SELECT rolpassword FROM pg_authid WHERE rolname = 'sojourn_t27'")
        iterations, salt = str(stored).split("$")[1].split(":")
        assert str(stored).startswith("SCRAM-SHA-256$")
        salted = hashlib.pbkdf2_hmac("sha256", b"pass-sojourn_t27", base64.b64decode(salt), int(iterations))
        assert len(salted) == 32
        bench.engineer("sojourn_t27")
        log = (bench.server.directory / "server.log").read_text(errors="replace")
        assert "CREATE ROLE" in log
        assert "pass-sojourn_t27" not in log
    finally:
        bench.owner("ALTER SYSTEM RESET log_statement")
        bench.owner("SELECT pg_reload_conf()")
    assert (await bench.revoke("sojourn_t27")).complete


async def test_every_column_and_table_of_a_schema_can_be_named_by_naming_none(bench: Bench) -> None:
    role = Role(
        name=RoleName("reader"),
        privileges=(
            Privilege(schema="shop", verbs=(Verb.SELECT,)),
            Privilege(schema="shop", verbs=(Verb.UPDATE,), columns=("id",)),
        ),
    )
    observed = await bench.grant("sojourn_t28", role)
    assert [line for line in observed if line.startswith("SELECT")] == [
        "SELECT on shop.customers",
        "SELECT on shop.orders",
        "SELECT on shop.payments",
    ]
    assert "UPDATE (id) on shop.payments" in observed
    assert (await bench.revoke("sojourn_t28")).complete


async def test_whatever_else_the_role_has_is_seen(bench: Bench) -> None:
    """Read-back compares everything, so a surplus of any sort undoes the grant."""
    await bench.grant("sojourn_t29")
    surplus = {
        "ALTER ROLE sojourn_t29 CREATEDB": "attribute CREATEDB",
        "ALTER ROLE sojourn_t29 BYPASSRLS": "attribute BYPASSRLS",
        "GRANT pg_monitor TO sojourn_t29": "member of pg_monitor",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO sojourn_t29": "EXECUTE on function pg_read_file(text)",
        "GRANT CREATE ON DATABASE shop TO sojourn_t29": "CREATE on database shop",
        "GRANT CREATE ON SCHEMA shop TO sojourn_t29": "CREATE on schema shop",
        "GRANT INSERT ON shop.orders TO sojourn_t29": "INSERT on shop.orders",
        "CREATE TABLE shop.theirs (id int); ALTER TABLE shop.theirs OWNER TO sojourn_t29": "owner of table shop.theirs",
    }
    try:
        for statement in surplus:
            bench.owner(statement)
        async with await psycopg.AsyncConnection.connect(
            host=str(bench.server.directory / "data"), port=bench.server.port, dbname="shop", user="postgres"
        ) as connection:
            role = await find(connection, "sojourn_t29")
            assert role is not None
            assert role.made
            assert set(await observe(connection, role.oid)) - {*OBSERVED} == {*surplus.values()}
    finally:
        bench.owner("DROP OWNED BY sojourn_t29")
    assert (await bench.revoke("sojourn_t29")).complete


async def test_a_missing_table_is_named_and_leaves_nothing(bench: Bench) -> None:
    role = Role(
        name=RoleName("wrong"), privileges=(Privilege(schema="shop", verbs=(Verb.SELECT,), names=("nothing",)),)
    )
    with pytest.raises(SojournError, match=r"shop\.nothing") as caught:
        await bench.grant("sojourn_t30", role)
    assert caught.value.code is Code.TARGET_OBJECT_MISSING
    assert bench.roles() == set()


async def test_a_role_that_is_recorded_before_release_is_kept_read_only_by_the_target(bench: Bench) -> None:
    reading = Privilege(schema="shop", verbs=(Verb.SELECT,), names=("orders",))
    await bench.grant("sojourn_t41", Role(name=ROLE.name, privileges=(reading,), recording=Recording.BEFORE_RELEASE))
    connection = bench.engineer("sojourn_t41")
    assert connection.info.parameter_status("default_transaction_read_only") == "on"
    with pytest.raises(errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TEMP TABLE mine (id int)")
    assert (await bench.revoke("sojourn_t41")).complete
