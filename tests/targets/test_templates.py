"""What a role can be besides verbs on tables: functions, sequences, settings, acting as an owner."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import ObjectKind, Privilege, Role, Verb
from sojourn.errors import Code, SojournError

from .conftest import Bench, target_of

pytestmark = pytest.mark.integration

MADE = """
CREATE FUNCTION shop.refund(payment int) RETURNS int LANGUAGE sql AS 'SELECT payment';
CREATE FUNCTION shop.refund(payment int, reason text) RETURNS text LANGUAGE sql AS 'SELECT reason';
CREATE PROCEDURE shop."Close Day"(day date) LANGUAGE sql AS 'SELECT day';
REVOKE ALL ON ALL ROUTINES IN SCHEMA shop FROM PUBLIC;
CREATE TABLE shop.notes (id serial PRIMARY KEY, body text);
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA shop TO sojourn_admin WITH GRANT OPTION;
GRANT USAGE, SELECT ON SEQUENCE shop.notes_id_seq TO sojourn_admin WITH GRANT OPTION;
GRANT INSERT, TRUNCATE ON shop.notes TO sojourn_admin WITH GRANT OPTION;
CREATE ROLE shop_owner NOLOGIN;
GRANT USAGE, CREATE ON SCHEMA shop TO shop_owner;
GRANT shop_owner TO sojourn_admin WITH ADMIN OPTION;
"""
UNMADE = """
DROP TABLE shop.notes;
DROP ROUTINE shop.refund(int), shop.refund(int, text), shop."Close Day";
DROP OWNED BY shop_owner;
DROP ROLE shop_owner;
"""


@pytest.fixture
def made(bench: Bench) -> Iterator[None]:
    bench.owner(MADE)
    yield
    bench.owner(UNMADE)


def role(*privileges: Privilege, **more: object) -> Role:
    return Role(name=RoleName("special"), privileges=privileges, **more)  # type: ignore[arg-type]


def functions(*names: str) -> Privilege:
    return Privilege(schema="shop", verbs=(Verb.EXECUTE,), kind=ObjectKind.FUNCTION, names=names)


async def test_a_function_is_opened_by_its_signature_and_no_other_of_its_name(bench: Bench, made: None) -> None:
    wanted = role(functions("refund(integer)", '"Close Day"'))
    assert await bench.grant("sojourn_t100", wanted) == (
        'EXECUTE on function shop."Close Day"(date)',
        "EXECUTE on function shop.refund(integer)",
        "USAGE on schema shop",
    )
    connection = bench.engineer("sojourn_t100")
    assert connection.execute("SELECT shop.refund(7)").fetchone() == (7,)
    connection.execute("CALL shop.\"Close Day\"('2026-01-01')")
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("SELECT shop.refund(7, 'why')")
    assert (await bench.revoke("sojourn_t100")).complete


@pytest.mark.parametrize("name", ["refund", "refund(bigint)", "nothing", "refund(integer", "refund(integer); DROP x"])
async def test_a_function_that_is_not_there_or_not_the_only_one_leaves_nothing(
    bench: Bench, made: None, name: str
) -> None:
    with pytest.raises(SojournError) as caught:
        await bench.grant("sojourn_t101", role(functions(name)))
    assert caught.value.code in (Code.TARGET_OBJECT_MISSING, Code.TARGET_REFUSED)
    assert bench.roles() == set()


async def test_all_functions_of_a_schema_are_those_that_it_holds_now(bench: Bench, made: None) -> None:
    observed = await bench.grant("sojourn_t102", role(functions()))
    assert len([line for line in observed if line.startswith("EXECUTE")]) == 3
    assert (await bench.revoke("sojourn_t102")).complete


async def test_an_insert_with_its_sequence_works_and_truncate_is_a_verb_of_its_own(bench: Bench, made: None) -> None:
    notes = Privilege(schema="shop", verbs=(Verb.INSERT,), names=("notes",))
    sequence = Privilege(schema="shop", verbs=(Verb.USAGE,), kind=ObjectKind.SEQUENCE, names=("notes_id_seq",))
    assert "USAGE on shop.notes_id_seq" in await bench.grant("sojourn_t103", role(notes, sequence))
    connection = bench.engineer("sojourn_t103")
    connection.execute("INSERT INTO shop.notes (body) VALUES ('x')")
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("TRUNCATE shop.notes")
    assert (await bench.revoke("sojourn_t103")).complete
    await bench.grant("sojourn_t103", role(Privilege(schema="shop", verbs=(Verb.TRUNCATE,), names=("notes",))))
    bench.engineer("sojourn_t103").execute("TRUNCATE shop.notes")
    assert (await bench.revoke("sojourn_t103")).complete


async def test_settings_are_the_defaults_of_its_sessions(bench: Bench) -> None:
    settings = (
        ("default_transaction_read_only", "on"),
        ("search_path", "shop,Two Words"),
        ("statement_timeout", "30000"),
        ("work_mem", "16MB"),
    )
    orders = Privilege(schema="shop", verbs=(Verb.SELECT, Verb.UPDATE), names=("orders",))
    observed = await bench.grant("sojourn_t104", role(orders, settings=settings))
    assert {"setting work_mem=16MB", 'setting search_path=shop, "Two Words"'} <= {*observed}
    connection = bench.engineer("sojourn_t104")
    assert connection.execute("SHOW statement_timeout").fetchone() == ("30s",)
    assert connection.execute("SELECT count(*) FROM orders").fetchone() == (4000,)
    with pytest.raises(errors.ReadOnlySqlTransaction):
        connection.execute("UPDATE orders SET status = status")
    assert (await bench.revoke("sojourn_t104")).complete


async def test_what_is_made_as_an_owner_belongs_to_the_owner_and_stays(bench: Bench, made: None) -> None:
    observed = await bench.grant("sojourn_t105", role(as_owner="shop_owner"))
    assert observed == ("member of shop_owner", "setting role=shop_owner")
    connection = bench.engineer("sojourn_t105")
    assert connection.execute("SELECT session_user, current_user").fetchone() == ("sojourn_t105", "shop_owner")
    connection.execute("CREATE TABLE shop.migrated (id int)")
    assert (await bench.revoke("sojourn_t105")).complete
    owner = "SELECT tableowner FROM pg_tables WHERE schemaname = 'shop' AND tablename = 'migrated'"
    assert bench.owner(owner) == [("shop_owner",)]
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT 1")


@pytest.mark.parametrize("attribute", ["SUPERUSER", "CREATEROLE", "REPLICATION", "BYPASSRLS"])
@pytest.mark.parametrize("way", ["as_owner", "account"])
async def test_a_role_that_could_outlive_the_access_is_not_lent(
    bench: Bench, made: None, attribute: str, way: str
) -> None:
    bench.owner(f"ALTER ROLE shop_owner {attribute}")
    with pytest.raises(SojournError, match=attribute):
        await bench.grant("sojourn_t106", role(**{way: "shop_owner"}))
    assert bench.roles() == set()


@pytest.mark.parametrize(
    ("wanted", "taken", "remedy"),
    [
        (
            role(functions("refund(integer)")),
            "REVOKE ALL ON FUNCTION shop.refund(int) FROM sojourn_admin",
            'GRANT EXECUTE ON ROUTINE shop.refund(integer) TO "sojourn_admin" WITH GRANT OPTION;',
        ),
        (
            role(Privilege(schema="shop", verbs=(Verb.USAGE,), kind=ObjectKind.SEQUENCE)),
            "REVOKE USAGE ON SEQUENCE shop.notes_id_seq FROM sojourn_admin",
            'GRANT USAGE ON SEQUENCE "shop"."notes_id_seq" TO "sojourn_admin" WITH GRANT OPTION;',
        ),
    ],
)
async def test_the_sql_that_gives_what_is_lacking_does(
    bench: Bench, made: None, wanted: Role, taken: str, remedy: str
) -> None:
    bench.owner(taken)
    target = target_of(bench.server, wanted)
    (line,) = await bench.driver.preflight(target, secret=bench.server.administrator_password)
    assert line.endswith(f": {remedy}")
    with pytest.raises(SojournError) as caught:
        await bench.grant("sojourn_t107", wanted)
    assert caught.value.refusal.details["remedy"] == remedy
    bench.owner(remedy)
    assert await bench.driver.preflight(target, secret=bench.server.administrator_password) == ()
    await bench.grant("sojourn_t107", wanted)
    assert (await bench.revoke("sojourn_t107")).complete


async def test_a_role_that_replicates_takes_an_account_of_ours_that_may_since_16(bench: Bench) -> None:
    """Before 16 only a superuser makes such roles, and Sojourn's account is none."""
    wanted = role(replication=True)
    target, secret = target_of(bench.server, wanted), bench.server.administrator_password
    (lack,) = await bench.driver.preflight(target, secret=secret)
    with pytest.raises(SojournError) as caught:
        await bench.grant("sojourn_t108", wanted)
    assert caught.value.code is Code.TARGET_PRIVILEGE_MISSING
    if bench.version < 160000:
        assert lack == "before PostgreSQL 16 only a superuser lets others replicate: correct targets.yaml"
        return
    remedy = 'ALTER ROLE "sojourn_admin" REPLICATION;'
    assert lack == f"it may not let others replicate: {remedy}"
    bench.owner(remedy)
    try:
        assert await bench.driver.preflight(target, secret=secret) == ()
        assert await bench.grant("sojourn_t108", wanted) == ("attribute REPLICATION",)
        assert (await bench.revoke("sojourn_t108")).complete
    finally:
        bench.owner("ALTER ROLE sojourn_admin NOREPLICATION")


async def test_an_account_that_replicates_is_lent_where_the_configuration_says_so(bench: Bench, made: None) -> None:
    bench.owner("ALTER ROLE shop_owner REPLICATION")
    lent = role(account="shop_owner", replication=True)
    bench.target = target_of(bench.server, lent)
    if bench.version < 160000:
        # Before 16 only a superuser alters an account that has it.
        with pytest.raises(SojournError):
            await bench.grant("sojourn_t109", lent)
        return
    bench.owner("ALTER ROLE sojourn_admin REPLICATION")
    try:
        assert "attribute REPLICATION" in await bench.grant("sojourn_t109", lent)
        assert (await bench.revoke("sojourn_t109", account="shop_owner")).complete
    finally:
        bench.owner("ALTER ROLE sojourn_admin NOREPLICATION")


async def test_an_owner_to_act_as_has_to_be_lent_to_us_since_16(bench: Bench, made: None) -> None:
    """Before 16 who may make roles may hand out any of them."""
    wanted = role(as_owner="shop_owner")
    target, secret = target_of(bench.server, wanted), bench.server.administrator_password
    bench.owner("REVOKE shop_owner FROM sojourn_admin")
    lacks = await bench.driver.preflight(target, secret=secret)
    if lacks:
        remedy = 'GRANT "shop_owner" TO "sojourn_admin" WITH ADMIN OPTION;'
        assert lacks == (f"it may not lend the role shop_owner: {remedy}",)
        with pytest.raises(SojournError) as caught:
            await bench.grant("sojourn_t107", wanted)
        assert caught.value.refusal.details["remedy"] == remedy
        bench.owner(remedy)
    assert bool(lacks) == (bench.version >= 160000)
    await bench.grant("sojourn_t107", wanted)
    assert (await bench.revoke("sojourn_t107")).complete
