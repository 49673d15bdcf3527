"""What Sojourn's own account, which is no superuser, can see of its logins and of the mighty ones of others."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from sojourn.domain.identifiers import RoleName
from sojourn.domain.reconciliation import Observation
from sojourn.domain.target import Role

from .conftest import ADMINISTRATOR_PASSWORD, Bench

pytestmark = pytest.mark.integration


async def look(bench: Bench) -> Observation:
    return await bench.driver.observe(bench.target, secret=ADMINISTRATOR_PASSWORD, log_place="")


async def test_a_session_is_seen_with_the_number_that_the_client_was_told(bench: Bench) -> None:
    await bench.grant("sojourn_t120")
    connection = bench.engineer("sojourn_t120")
    seen = await look(bench)
    assert "sojourn_t120" in seen.logins
    (session,) = (one for one in seen.sessions if one.login == "sojourn_t120")
    assert (session.process, session.database) == (connection.info.backend_pid, "shop")
    assert (await bench.revoke("sojourn_t120")).complete
    assert "sojourn_t120" not in (await look(bench)).logins


async def test_an_account_counts_as_ours_while_it_is_open(bench: Bench) -> None:
    bench.owner("CREATE ROLE legacy_app NOLOGIN; GRANT legacy_app TO sojourn_admin WITH ADMIN OPTION")
    role = Role(name=RoleName("legacy"), account="legacy_app")
    bench.target = replace(bench.target, roles=(role,))
    try:
        assert "legacy_app" not in (await look(bench)).logins
        await bench.grant("t121", role)
        assert "legacy_app" in (await look(bench)).logins
        assert (await bench.revoke("t121", "legacy_app")).complete
        assert "legacy_app" not in (await look(bench)).logins
    finally:
        bench.owner("DROP ROLE legacy_app")


async def test_logins_that_could_go_around_are_listed_with_why(bench: Bench) -> None:
    bench.owner(
        "CREATE ROLE eve LOGIN BYPASSRLS; GRANT pg_write_all_data TO eve; CREATE ROLE harmless LOGIN;"
        " CREATE ROLE sleeping SUPERUSER NOLOGIN"
    )
    try:
        accounts = (await look(bench)).accounts
        assert "eve: BYPASSRLS, member of pg_write_all_data" in accounts
        assert any(line.startswith("postgres: SUPERUSER") for line in accounts)
        assert any(line.startswith("sojourn_admin: CREATEROLE") for line in accounts)
        assert not any(line.startswith(("harmless", "sleeping")) for line in accounts)
    finally:
        bench.owner("DROP ROLE eve, harmless, sleeping")


async def test_replication_slots_are_listed_as_they_outlive_whoever_made_them(bench: Bench) -> None:
    before = (await look(bench)).accounts
    bench.owner("SELECT pg_create_physical_replication_slot('kept')")
    try:
        assert set((await look(bench)).accounts) - set(before) == {"kept: replication slot, physical"}
    finally:
        bench.owner("SELECT pg_drop_replication_slot('kept')")
    assert (await look(bench)).accounts == before


async def test_a_session_that_came_without_the_gateway_is_seen(bench: Bench) -> None:
    """The holder of a role can give it a password of their own and come directly."""
    await bench.grant("sojourn_t122")
    bench.engineer("sojourn_t122").execute("ALTER ROLE CURRENT_USER PASSWORD 'mine'")
    around = psycopg.connect(
        host=bench.server.host,
        port=bench.server.port,
        dbname="shop",
        user="sojourn_t122",
        password="mine",
        application_name="around",
    )
    bench.opened.append(around)
    seen = {(one.process, one.address) for one in (await look(bench)).sessions if one.login == "sojourn_t122"}
    assert around.info.backend_pid in {process for process, _ in seen}
    assert (await bench.revoke("sojourn_t122")).complete
