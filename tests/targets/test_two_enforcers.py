"""Two control nodes enforce one ledger on a real server: each grant is made once, by one of them, and never half."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sojourn.domain.events import EndCause, GrantEnded, GrantLeased, GrantProvisioned
from sojourn.domain.identifiers import GrantId
from sojourn.domain.target import TargetKind
from sojourn.errors import Code, SojournError
from sojourn.targets.enforcer import Enforcer
from sojourn.targets.postgres import PostgresDriver
from sojourn.targets.postgres.connection import OPTIONS, STATEMENT_MS, reaching
from sojourn.targets.postgres.driver import GRANT_SECONDS, REVOKE_SECONDS
from sojourn.targets.working import LEASE_LASTS

from .conftest import Bench
from .test_enforcer import WallClock, World, world_at

LONG = timedelta(seconds=90)


@dataclass(slots=True)
class Held:
    """A driver whose `grant` waits before or after its work until it is let go on, as a machine held up does."""

    after: bool
    driver: PostgresDriver = field(default_factory=lambda: PostgresDriver(os.urandom))
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def grant(self, *asked: Any, **more: Any) -> Any:
        if not self.after:
            await self._wait()
        made = await self.driver.grant(*asked, **more)
        if self.after:
            await self._wait()
        return made

    async def _wait(self) -> None:
        self.reached.set()
        await self.go_on.wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.driver, name)


@pytest.fixture
async def world(bench: Bench) -> World:
    return await world_at(bench, WallClock(moment=datetime.now(UTC)))


@asynccontextmanager
async def node(
    world: World, name: str, *, lasting: timedelta = LONG, driver: object | None = None
) -> AsyncIterator[Enforcer]:
    enforcer = world.enforcer(name, lasting)
    if driver is not None:
        enforcer.drivers = {TargetKind.POSTGRES: driver}  # type: ignore[dict-item]
        enforcer.__post_init__()
    task = asyncio.create_task(enforcer.run())
    try:
        yield enforcer
    finally:
        assert not task.done(), "the enforcer has stopped by itself"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def roles(world: World) -> list[str]:
    """The logins at the server that could be ours."""
    found = world.bench.owner("SELECT rolname FROM pg_roles WHERE rolname LIKE 'sojourn\\_t%' ORDER BY 1")
    return [str(name) for (name,) in found]


def leased_to(world: World, grant: GrantId) -> list[str]:
    return [event.node for event in world.events(grant) if isinstance(event, GrantLeased)]


def maker(world: World, grant: GrantId) -> str:
    (made,) = (event for event in world.events(grant) if isinstance(event, GrantProvisioned))
    return made.node


async def used_and_over(world: World, grant: GrantId) -> None:
    """Its credential works, and it can be taken back."""
    world.log_in(grant).execute("SELECT 1")
    await world.end(grant)
    await world.until_kind(grant, "removed", 60)


async def test_of_two_nodes_that_see_the_same_grants_one_makes_each_who_has_its_lease(
    world: World,
) -> None:
    grants = [await world.create(f"2n{number}") for number in range(12)]
    async with node(world, "a"), node(world, "b"):
        for grant in grants:
            await world.until(lambda name=grant: len(world.kinds(name)) > 1, 90)  # type: ignore[misc]
            assert world.kinds(grant) == ["created", "provisioned"], world.events(grant)
            assert leased_to(world, grant)[0] == maker(world, grant)
            world.log_in(grant).execute("SELECT 1")
        for grant in grants:
            await world.end(grant)
        for grant in grants:
            await world.until_kind(grant, "removed", 90)
    for grant in grants:
        assert world.kinds(grant) == ["created", "provisioned", "ended", "removed"]
        nodes = leased_to(world, grant)
        assert len(nodes) == 2, "one lease for making it, and one for taking it back"
    assert roles(world) == []


async def test_nobody_else_works_on_what_a_node_has_leased_and_after_its_lease_another_does(world: World) -> None:
    held = Held(after=False)
    lasting = timedelta(seconds=3)
    async with node(world, "a", lasting=lasting, driver=held):
        grant = await world.create("2lapse")
        await held.reached.wait()
    # Node a is dead, and its lease is on record.
    (lease,) = (event for event in world.events(grant) if isinstance(event, GrantLeased))
    async with node(world, "b"):
        while datetime.now(UTC) < lease.until - timedelta(milliseconds=500):
            assert world.kinds(grant) == ["created"] and leased_to(world, grant) == ["a"]
            await asyncio.sleep(0.05)
        await world.until_kind(grant, "provisioned", 60)
        assert datetime.now(UTC) >= lease.until
        assert maker(world, grant) == "b"
        await used_and_over(world, grant)


async def test_a_node_that_starts_again_in_the_same_seat_goes_on_at_once(world: World) -> None:
    held = Held(after=False)
    async with node(world, "a", driver=held):
        grant = await world.create("2seat")
        await held.reached.wait()
    async with node(world, "a"):
        assert await world.until_kind(grant, "provisioned", 60) < LONG.total_seconds() / 4
        assert leased_to(world, grant) == ["a"]
        await used_and_over(world, grant)


async def test_a_node_held_up_past_its_lease_ends_what_two_have_made_and_nothing_is_left(world: World) -> None:
    """It made the login, was held up, and another made it again: which password it has is not known, so it ends."""
    held = Held(after=True)
    async with AsyncExitStack() as nodes:
        await nodes.enter_async_context(node(world, "a", lasting=timedelta(seconds=1), driver=held))
        grant = await world.create("2torn")
        await held.reached.wait()
        await nodes.enter_async_context(node(world, "b"))
        await world.until_kind(grant, "provisioned", 60)
        assert maker(world, grant) == "b"
        held.go_on.set()
        await world.until_kind(grant, "removed", 60)
    (ended,) = (event for event in world.events(grant) if isinstance(event, GrantEnded))
    assert ended.cause is EndCause.PROVISIONING_FAILED and "two control nodes" in ended.problem
    assert roles(world) == []


async def test_a_node_that_makes_a_login_after_its_removal_was_confirmed_takes_it_away_again(world: World) -> None:
    held = Held(after=False)
    async with AsyncExitStack() as nodes:
        await nodes.enter_async_context(node(world, "a", lasting=timedelta(seconds=1), driver=held))
        grant = await world.create("2late")
        await held.reached.wait()
        await world.end(grant)
        await nodes.enter_async_context(node(world, "b"))
        await world.until_kind(grant, "removed", 60)
        assert roles(world) == []
        held.go_on.set()
        # It is made now, and found to be over.
        done = asyncio.get_running_loop().time() + 60
        seen = False
        while not (seen and roles(world) == []):
            refused = any(one.event.kind == "attempt.refused" for one in world.ledger.entries)
            seen = seen or refused or bool(roles(world))
            assert asyncio.get_running_loop().time() < done
            await asyncio.sleep(0.01)
    assert "provisioned" not in world.kinds(grant)


async def test_what_a_held_up_node_has_begun_is_undone_by_the_server_before_anybody_takes_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a node that is stopped between two statements has made nothing by the time its lease lapses."""
    allowed = STATEMENT_MS / 1000
    assert GRANT_SECONDS + allowed < LEASE_LASTS.total_seconds()
    assert LEASE_LASTS.total_seconds() / 2 > REVOKE_SECONDS
    monkeypatch.setitem(OPTIONS, "idle_in_transaction_session_timeout", 200)
    with pytest.raises(SojournError) as raised:
        async with (
            reaching(bench.target, bench.server.administrator_password, 60) as reach,
            reach.connect() as connection,
            connection.transaction(),
        ):
            await connection.execute("CREATE ROLE sojourn_theldup")
            for _ in range(100):
                await asyncio.sleep(0.1)
                if not bench.owner("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"):
                    break
            await connection.execute("SELECT 1")
    assert raised.value.code is Code.TARGET_UNREACHABLE
    assert not bench.owner("SELECT 1 FROM pg_roles WHERE rolname = 'sojourn_theldup'")
