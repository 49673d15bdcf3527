"""An account that the target has already serves one access at a time, and nobody between two."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from sojourn.domain.identifiers import RoleName
from sojourn.domain.target import Role
from sojourn.errors import Code, SojournError

from .conftest import Bench, target_of

pytestmark = pytest.mark.integration

ROLE = Role(name=RoleName("legacy"), account="legacy_app", connections_max=2, settings=(("work_mem", "8MB"),))
COMMENT = "The old billing job. Ask Dora."


@pytest.fixture
def account(bench: Bench) -> Iterator[Bench]:
    bench.owner(
        "CREATE ROLE legacy_app NOLOGIN VALID UNTIL 'infinity'; GRANT USAGE ON SCHEMA shop TO legacy_app;"
        " GRANT SELECT ON shop.orders TO legacy_app;"
        f" COMMENT ON ROLE legacy_app IS '{COMMENT}'; GRANT legacy_app TO sojourn_admin WITH ADMIN OPTION"
    )
    bench.target = target_of(bench.server, ROLE)
    yield bench
    for connection in bench.opened:
        connection.close()
    bench.owner("DROP OWNED BY legacy_app; DROP ROLE legacy_app")


def comment(bench: Bench) -> object:
    ((text,),) = bench.owner("SELECT shobj_description('legacy_app'::regrole, 'pg_authid')")
    return text


def enter(bench: Bench, name: str) -> psycopg.Connection[tuple[object, ...]]:
    return bench.engineer("legacy_app", password=f"pass-{name}")


async def test_an_account_is_open_for_the_access_and_shut_afterwards(account: Bench) -> None:
    observed = await account.grant("t110", ROLE)
    assert observed[0] == "log-in as legacy_app"
    assert {"SELECT on shop.orders", "setting work_mem=8MB"} <= {*observed}
    connection = enter(account, "t110")
    assert connection.execute("SHOW work_mem").fetchone() == ("8MB",)
    removal = await account.revoke("t110", "legacy_app")
    assert removal.complete
    assert removal.sessions_terminated == 1
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        enter(account, "t110")
    assert account.owner("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'legacy_app'") == [(False,)]
    assert comment(account) == COMMENT


async def test_an_account_is_never_dropped_for_a_login_that_sojourn_made(account: Bench) -> None:
    await account.grant("t109", ROLE)
    configured, account.target = account.target, target_of(account.server)
    removal = await account.revoke("t109", "legacy_app")
    assert not removal.complete and "legacy_app" in removal.doubt
    assert account.owner("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'legacy_app'") == [(True,)]
    account.target = configured
    assert (await account.revoke("t109", "legacy_app")).complete


async def test_it_is_opened_for_one_access_at_a_time_and_shut_only_for_that_one(account: Bench) -> None:
    await account.grant("t111", ROLE)
    with pytest.raises(SojournError, match="in use for g-t111") as caught:
        await account.grant("t112", ROLE)
    assert caught.value.code is Code.TARGET_REFUSED
    # What follows a refused access is its removal; that must not end the other one.
    assert (await account.revoke("t112", "legacy_app")).complete
    enter(account, "t111")
    assert (await account.revoke("t111", "legacy_app")).complete
    await account.grant("t112", ROLE)
    assert (await account.revoke("t112", "legacy_app")).complete


async def test_the_same_access_may_be_tried_again(account: Bench) -> None:
    await account.grant("t113", ROLE)
    await account.grant("t113", ROLE)
    assert comment(account) == f"Sojourn account of g-t113. {COMMENT}"
    assert (await account.revoke("t113", "legacy_app")).complete


async def test_an_account_that_somebody_else_opened_is_not_taken(account: Bench) -> None:
    account.owner("ALTER ROLE legacy_app LOGIN PASSWORD 'theirs'")
    with pytest.raises(SojournError, match="open, and not by Sojourn"):
        await account.grant("t114", ROLE)
    # Whether an earlier try of ours got through cannot be told, so nothing is confirmed until it is shut.
    removal = await account.revoke("t114", "legacy_app")
    assert "legacy_app is open, and for whom cannot be told" in removal.doubt
    assert account.owner("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'legacy_app'") == [(True,)]
    account.owner("ALTER ROLE legacy_app NOLOGIN")
    assert (await account.revoke("t114", "legacy_app")).complete


async def test_an_account_that_is_shut_and_in_use_is_not_opened(account: Bench) -> None:
    account.owner("ALTER ROLE legacy_app LOGIN PASSWORD 'theirs'")
    account.engineer("legacy_app", password="theirs")
    account.owner("ALTER ROLE legacy_app NOLOGIN")
    with pytest.raises(SojournError, match="shut, and has sessions"):
        await account.grant("t118", ROLE)


async def test_what_its_holder_kept_for_later_is_gone(account: Bench) -> None:
    """The holder of a login can change its password and its own settings; neither outlives the access."""
    await account.grant("t115", ROLE)
    connection = enter(account, "t115")
    connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'mine'")
    connection.execute("ALTER ROLE CURRENT_USER SET search_path = 'pg_temp'")
    connection.execute("ALTER ROLE CURRENT_USER IN DATABASE shop SET statement_timeout = 0")
    connection.execute("BEGIN; SELECT 1 FROM shop.orders; PREPARE TRANSACTION 'ghost'")
    assert (await account.revoke("t115", "legacy_app")).complete
    assert account.owner("SELECT count(*) FROM pg_prepared_xacts") == [(0,)]
    assert account.owner("SELECT count(*) FROM pg_db_role_setting WHERE setrole = 'legacy_app'::regrole") == [(0,)]
    await account.grant("t116", ROLE)
    with pytest.raises(psycopg.OperationalError):
        account.engineer("legacy_app", password="mine")
    assert (await account.revoke("t116", "legacy_app")).complete


async def test_an_account_that_is_not_there_is_named(account: Bench) -> None:
    with pytest.raises(SojournError, match="there is no role nobody"):
        await account.grant("t117", Role(name=RoleName("wrong"), account="nobody"))
