"""What Sojourn's account lacks is named, with the SQL that gives it; and that SQL does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import Privilege, Role, Verb
from sojourn.errors import Code, SojournError

from .conftest import OBSERVED, ROLE, Bench, target_of

pytestmark = pytest.mark.integration


async def preflight(bench: Bench, *roles: Role) -> tuple[str, ...]:
    target = target_of(bench.server, *roles)
    return await bench.driver.preflight(target, secret=bench.server.administrator_password)


async def test_a_well_prepared_target_lacks_nothing(bench: Bench) -> None:
    assert await preflight(bench) == ()


async def test_a_database_closed_to_the_public_is_opened_to_the_role_alone(bench: Bench) -> None:
    bench.owner("REVOKE ALL ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO sojourn_admin")
    try:
        (line,) = await preflight(bench)
        with pytest.raises(SojournError) as caught:
            await bench.grant("sojourn_t40")
        assert caught.value.code is Code.TARGET_PRIVILEGE_MISSING
        remedy = caught.value.refusal.details["remedy"]
        assert remedy == 'GRANT CONNECT ON DATABASE "shop" TO "sojourn_admin" WITH GRANT OPTION;'
        assert line.endswith(remedy)
        assert bench.roles() == set()

        bench.owner(remedy)
        assert await preflight(bench) == ()
        assert set(await bench.grant("sojourn_t40")) == {*OBSERVED, "CONNECT on database shop"}
        bench.engineer("sojourn_t40")
        assert (await bench.revoke("sojourn_t40")).complete
    finally:
        bench.owner("REVOKE ALL ON DATABASE shop FROM sojourn_admin; GRANT CONNECT, TEMP ON DATABASE shop TO PUBLIC")


@pytest.mark.parametrize(
    ("taken", "remedy"),
    [
        ("ALTER ROLE sojourn_admin NOCREATEROLE", 'ALTER ROLE "sojourn_admin" CREATEROLE;'),
        (
            "REVOKE GRANT OPTION FOR USAGE ON SCHEMA shop FROM sojourn_admin",
            'GRANT USAGE ON SCHEMA "shop" TO "sojourn_admin" WITH GRANT OPTION;',
        ),
        (
            "REVOKE GRANT OPTION FOR SELECT ON shop.orders FROM sojourn_admin",
            'GRANT SELECT ON TABLE "shop"."orders" TO "sojourn_admin" WITH GRANT OPTION;',
        ),
        (
            "REVOKE UPDATE ON shop.orders FROM sojourn_admin",
            'GRANT UPDATE ("status") ON TABLE "shop"."orders" TO "sojourn_admin" WITH GRANT OPTION;',
        ),
    ],
)
async def test_what_is_lacking_is_said_with_the_sql_that_gives_it(bench: Bench, taken: str, remedy: str) -> None:
    bench.owner(taken)
    try:
        (line,) = await preflight(bench)
        assert line.endswith(f": {remedy}")
        with pytest.raises(SojournError) as caught:
            await bench.grant("sojourn_t41")
        assert caught.value.code is Code.TARGET_PRIVILEGE_MISSING
        assert caught.value.refusal.details["remedy"] == remedy
        bench.owner(remedy)
        assert await preflight(bench) == ()
        assert await bench.grant("sojourn_t41") == OBSERVED
        assert (await bench.revoke("sojourn_t41")).complete
    finally:
        bench.owner("REVOKE UPDATE (status) ON shop.orders FROM sojourn_admin")
        bench.owner("GRANT SELECT, UPDATE ON shop.orders TO sojourn_admin WITH GRANT OPTION")


async def test_what_the_configuration_has_wrong_is_said_too(bench: Bench) -> None:
    wrong = replace(
        ROLE,
        name=RoleName("wrong"),
        privileges=(
            Privilege(schema="nowhere", verbs=(Verb.SELECT,)),
            Privilege(schema="shop", verbs=(Verb.SELECT,), names=("nothing",)),
            Privilege(schema="shop", verbs=(Verb.UPDATE,), names=("orders",), columns=("nope",)),
        ),
    )
    assert await preflight(bench, wrong) == (
        "there is no schema nowhere: correct targets.yaml",
        "there is no table shop.nothing: correct targets.yaml",
        "there is no column nope in shop.orders: correct targets.yaml",
    )
