"""No one mark at the target decides that nothing of an access is left: somebody mightier may take any of them away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import Role

from .conftest import ADMINISTRATOR_PASSWORD, Bench, target_of

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("production")]

LEGACY = Role(name=RoleName("legacy"), account="legacy_app")
SHUT = [(False, 0)]


@pytest.fixture
def account(bench: Bench) -> Iterator[Bench]:
    bench.owner("CREATE ROLE legacy_app NOLOGIN; GRANT legacy_app TO sojourn_admin WITH ADMIN OPTION")
    bench.target = target_of(bench.server, LEGACY)
    yield bench
    for connection in bench.opened:
        connection.close()
    bench.owner("DROP ROLE IF EXISTS legacy_app")


def standing(bench: Bench, name: str = "legacy_app") -> list[tuple[object, ...]]:
    """Whether it can log in, and how many sessions it has."""
    return bench.owner(
        "SELECT rolcanlogin, (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid)"
        f" FROM pg_roles r WHERE rolname = '{name}'"
    )


async def opened(bench: Bench, name: str) -> psycopg.Connection[tuple[object, ...]]:
    await bench.grant(name, LEGACY)
    return bench.engineer("legacy_app", password=f"pass-{name}")


@pytest.mark.parametrize("comment", ["NULL", "'The billing job'", "'Sojourn account of g-other. '"])
async def test_an_account_whose_comment_was_altered_is_shut_all_the_same(account: Bench, comment: str) -> None:
    await opened(account, "t130")
    account.owner(f"COMMENT ON ROLE legacy_app IS {comment}")
    assert (await account.revoke("t130", "legacy_app")).complete
    assert standing(account) == SHUT


async def test_an_account_whose_end_was_altered_is_shut_all_the_same(account: Bench) -> None:
    await opened(account, "t131")
    account.owner("ALTER ROLE legacy_app VALID UNTIL 'infinity'")
    assert (await account.revoke("t131", "legacy_app")).complete
    assert standing(account) == SHUT


async def test_an_account_that_was_renamed_is_found_and_shut(account: Bench) -> None:
    await opened(account, "t132")
    account.owner("ALTER ROLE legacy_app RENAME TO elsewhere")
    try:
        account.forget("t132")
        account.owner("COMMENT ON ROLE elsewhere IS NULL")
        assert "elsewhere is open" in (await account.revoke("t132", "legacy_app")).doubt
        account.owner("COMMENT ON ROLE elsewhere IS 'Sojourn account of g-t132. '")
        assert (await account.revoke("t132", "legacy_app")).complete
        assert standing(account, "elsewhere") == SHUT
    finally:
        account.owner("ALTER ROLE elsewhere RENAME TO legacy_app")
    await opened(account, "t133")
    account.owner("ALTER ROLE legacy_app RENAME TO elsewhere; COMMENT ON ROLE elsewhere IS NULL")
    try:
        assert (await account.revoke("t133", "legacy_app")).complete
        assert standing(account, "elsewhere") == SHUT
    finally:
        account.owner("ALTER ROLE elsewhere RENAME TO legacy_app")


async def test_an_account_that_is_open_for_nobody_knows_whom_is_never_called_gone(account: Bench) -> None:
    await opened(account, "t134")
    account.owner("COMMENT ON ROLE legacy_app IS NULL; ALTER ROLE legacy_app VALID UNTIL 'infinity'")
    removal = await account.revoke("t134", "legacy_app")
    assert "legacy_app is open, and for whom cannot be told" in removal.doubt
    assert (removal.complete, removal.sessions_present) == (False, 1)
    assert standing(account) == [(True, 1)]
    # Who shuts it by hand has it confirmed, and what came in meanwhile is ended.
    account.owner("ALTER ROLE legacy_app NOLOGIN")
    assert (await account.revoke("t134", "legacy_app")).complete
    assert standing(account) == SHUT


async def test_an_account_is_known_by_its_password_where_that_can_be_read(account: Bench) -> None:
    account.owner("GRANT SELECT (oid, rolpassword) ON pg_authid TO sojourn_admin")
    try:
        await opened(account, "t135")
        account.owner("COMMENT ON ROLE legacy_app IS NULL; ALTER ROLE legacy_app VALID UNTIL 'infinity'")
        assert (await account.revoke("t135", "legacy_app")).complete
        assert standing(account) == SHUT
    finally:
        account.owner("REVOKE SELECT (oid, rolpassword) ON pg_authid FROM sojourn_admin")


@pytest.mark.parametrize(
    "altering",
    [
        "COMMENT ON ROLE sojourn_t140 IS NULL",
        "COMMENT ON ROLE sojourn_t140 IS NULL; ALTER ROLE sojourn_t140 VALID UNTIL 'infinity'",
        "ALTER ROLE sojourn_t140 RENAME TO quiet",
        "COMMENT ON ROLE sojourn_t140 IS NULL; ALTER ROLE sojourn_t140 RENAME TO quiet",
        "ALTER ROLE sojourn_t140 VALID UNTIL 'infinity'; ALTER ROLE sojourn_t140 RENAME TO quiet",
    ],
)
async def test_a_login_is_removed_whatever_of_it_was_altered(bench: Bench, altering: str) -> None:
    await bench.grant("sojourn_t140")
    bench.engineer("sojourn_t140").execute("CREATE TEMP TABLE scratch (id int)")
    bench.owner(altering)
    removal = await bench.revoke("sojourn_t140")
    assert removal.complete
    assert removal.sessions_terminated == 1
    assert bench.owner("SELECT FROM pg_roles WHERE rolname IN ('quiet', 'sojourn_t140')") == []


async def test_a_login_of_which_nothing_but_its_number_is_left_is_not_called_gone(bench: Bench) -> None:
    await bench.grant("sojourn_t141")
    bench.owner(
        "COMMENT ON ROLE sojourn_t141 IS NULL; ALTER ROLE sojourn_t141 VALID UNTIL 'infinity';"
        " ALTER ROLE sojourn_t141 RENAME TO quiet"
    )
    try:
        assert "quiet that Sojourn did not make, or that was altered" in (await bench.revoke("sojourn_t141")).doubt
        assert standing(bench, "quiet") == [(True, 0)]
    finally:
        bench.owner("ALTER ROLE quiet RENAME TO sojourn_t141")
    bench.owner("COMMENT ON ROLE sojourn_t141 IS 'Sojourn access sojourn_t141'")
    assert (await bench.revoke("sojourn_t141")).complete


async def test_a_login_whose_making_is_not_on_record_is_found_by_its_end(bench: Bench) -> None:
    await bench.grant("sojourn_t142")
    bench.forget("sojourn_t142")
    bench.owner("COMMENT ON ROLE sojourn_t142 IS NULL; ALTER ROLE sojourn_t142 RENAME TO quiet")
    assert "quiet ends when this access ends" in (await bench.revoke("sojourn_t142")).doubt
    bench.owner("COMMENT ON ROLE quiet IS 'Sojourn access sojourn_t142'")
    assert (await bench.revoke("sojourn_t142")).complete
    assert bench.owner("SELECT FROM pg_roles WHERE rolname = 'quiet'") == []


async def test_another_server_at_the_address_does_not_confirm_a_removal(bench: Bench) -> None:
    await bench.grant("sojourn_t143")
    claim = bench.claims["sojourn_t143"]
    identity = re.sub(r"server \d+", "server 1", claim.identity)
    assert identity != claim.identity, "Sojourn's own account can see which server it is"
    # What is left of it there is taken away all the same; an upgraded server has its roles as they were.
    assert (await bench.revoke("sojourn_t143")).complete
    bench.claims["sojourn_t143"] = replace(claim, identity=identity)
    removal = await bench.revoke("sojourn_t143")
    assert not removal.complete
    assert removal.doubt.startswith("the access was made on the server 1, and this is the server ")


async def test_a_server_that_was_upgraded_gives_back_what_it_has(bench: Bench) -> None:
    await bench.grant("sojourn_t144")
    claim = bench.claims["sojourn_t144"]
    bench.claims["sojourn_t144"] = replace(claim, identity=re.sub(r"server \d+", "server 1", claim.identity))
    assert (await bench.revoke("sojourn_t144")).complete


async def test_a_stranger_who_got_the_same_number_is_left_alone(bench: Bench) -> None:
    """A server that was set back to an earlier moment gives the numbers again that came after it."""
    await bench.grant("sojourn_t145")
    claim = bench.claims["sojourn_t145"]
    assert (await bench.revoke("sojourn_t145")).complete
    bench.owner("CREATE ROLE stranger LOGIN")
    try:
        ((number,),) = bench.owner("SELECT 'stranger'::regrole::oid")
        bench.claims["sojourn_t145"] = replace(claim, identity=re.sub(r"oid \d+", f"oid {number}", claim.identity))
        assert "stranger" in (await bench.revoke("sojourn_t145")).doubt
        assert standing(bench, "stranger") == [(True, 0)]
    finally:
        bench.owner("DROP ROLE stranger")


async def test_a_login_shows_in_reconciliation_by_its_name_or_by_its_comment(bench: Bench) -> None:
    await bench.grant("sojourn_t146")
    bench.owner("ALTER ROLE sojourn_t146 RENAME TO quiet; CREATE ROLE sojourn_g2k3m4n5p6q")
    try:
        seen = await bench.driver.observe(bench.target, secret=ADMINISTRATOR_PASSWORD, log_place="")
        assert {"quiet", "sojourn_g2k3m4n5p6q"} <= set(seen.logins)
    finally:
        bench.owner("DROP ROLE sojourn_g2k3m4n5p6q")
    assert (await bench.revoke("sojourn_t146")).complete


async def test_an_account_that_is_open_without_us_shows_in_reconciliation(account: Bench) -> None:
    async def logins() -> tuple[str, ...]:
        return (await account.driver.observe(account.target, secret=ADMINISTRATOR_PASSWORD, log_place="")).logins

    assert "legacy_app" not in await logins()
    account.owner("ALTER ROLE legacy_app LOGIN PASSWORD 'theirs'")
    assert "legacy_app" in await logins()
    account.engineer("legacy_app", password="theirs")
    account.owner("ALTER ROLE legacy_app NOLOGIN")
    assert "legacy_app" in await logins()
