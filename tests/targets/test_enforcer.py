"""Grants become real, end on time and are taken back, whatever happens to us or to the target meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import (
    EndCause,
    Event,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantLeased,
    GrantProlonged,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    PersonLeft,
)
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import STANDING, GrantId, PersonId, RequestId, RuleName, grant_stream
from sojourn.domain.people import Person
from sojourn.domain.policy import People, Rule
from sojourn.domain.sealed import Sealing
from sojourn.domain.standing import NOTHING_SAID
from sojourn.domain.target import Target, TargetKind
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.targets.enforcer import Enforcer
from sojourn.targets.postgres import PostgresDriver
from sojourn.targets.working import LEASE_LASTS
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger
from sojourn.vault.keys import KeyPair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer
from sojourn.workflow.adopt import adopt, load_standing
from sojourn.workflow.ports import Ledger, Office

from .conftest import OBSERVED, ROLE, Bench

pytestmark = pytest.mark.integration

ADA, BEN = PersonId("ada"), PersonId("ben")


class WallClock(SimulatedClock):
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class AnswerLost:
    """A ledger that records the first provisioning, and then fails to say so."""

    ledger: MemoryLedger
    lost: int = 0

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        receipt = await self.ledger.append(changes, guards=guards, sealings=sealings, attachments=attachments)
        if not self.lost and isinstance(changes[0].event, GrantProvisioned):
            self.lost += 1
            raise SojournError(Code.RECORD_UNAVAILABLE)
        return receipt

    async def stream(self, stream: str) -> tuple[object, ...]:
        return await self.ledger.stream(stream)  # type: ignore[arg-type]


@dataclass(slots=True)
class World:
    """A ledger in memory, the real target, and an enforcer that can be started and stopped."""

    bench: Bench
    clock: SimulatedClock
    ledger: MemoryLedger
    pair: KeyPair
    read_secret: Callable[[str], str]
    adopted: Adopted | None = None
    through: Ledger | None = None
    lag_seconds: float = 0

    async def adopt(
        self,
        *targets: Target,
        people: Sequence[PersonId] = (ADA,),
        may_ask: Sequence[PersonId] | None = None,
        in_force: bool = True,
    ) -> Adopted:
        asking = Rule(
            name=RuleName("asking"),
            who=People(people=tuple(people if may_ask is None else may_ask)),
            targets=tuple(target.name for target in targets),
            roles=(ROLE.name,),
            longest=timedelta(hours=12),
            approvers=People(people=(BEN,)),
        )
        catalogue = Catalogue(
            people=tuple(Person(id=person, name=person) for person in (*people, BEN)),
            teams=(),
            targets=targets,
            rules=(asking,),
        )
        files = await adopt(self.ledger, catalogue=catalogue, files={}, operator="test")
        adopted = files.under(await load_standing(self.ledger))
        if in_force:
            self.adopted = adopted
        return adopted

    async def create(self, name: str, seconds: float = 600, target: str = "shop") -> GrantId:
        grant = GrantId(f"g-{name}")
        assert self.adopted is not None
        created = GrantCreated(
            grant=grant,
            request=RequestId(f"r-{name}"),
            person=ADA,
            target=self.bench.target.name if target == "shop" else type(self.bench.target.name)(target),
            role=ROLE.name,
            window=Window.starting(self.clock.now(), timedelta(seconds=seconds)),
            credential=f"sojourn_t{name}",
            configuration_version=self.adopted.version,
        )
        await self.record(created)
        return grant

    async def record(self, event: GrantCreated | GrantExtended | GrantEnded) -> None:
        await self.ledger.append((Change(stream=grant_stream(event.grant), event=event, seen=None),))

    async def end(self, grant: GrantId) -> None:
        await self.record(GrantEnded(grant=grant, cause=EndCause.REVOKED, ended_by="ben", source="test"))

    async def extend(self, grant: GrantId, by: timedelta) -> datetime:
        """Move the end of a grant that was never extended before; gives the new end."""
        created = self.events(grant)[0]
        assert isinstance(created, GrantCreated)
        since = created.window.end
        extended = GrantExtended(
            grant=grant, request=RequestId("r-more"), since=since, until=since + by, configuration_version=1
        )
        await self.record(extended)
        return extended.until

    def story(self, grant: GrantId) -> list[Event]:
        """Everything on record about it."""
        return [one.event for one in self.ledger.entries if one.stream == grant_stream(grant)]

    def events(self, grant: GrantId) -> list[Event]:
        """What became of it; which node worked on it is another matter."""
        return [event for event in self.story(grant) if not isinstance(event, GrantLeased)]

    def kinds(self, grant: GrantId) -> list[str]:
        return [event.kind.removeprefix("grant.") for event in self.events(grant)]

    def password(self, grant: GrantId) -> str:
        """What the gateway would log in with."""
        (sealed,) = (event.secret for event in self.events(grant) if isinstance(event, GrantProvisioned))
        return Opener(self.pair).open_value(*self.ledger.matters[sealed.commitment]).decode()

    def log_in(self, grant: GrantId) -> psycopg.Connection[tuple[object, ...]]:
        return self.bench.engineer(f"sojourn_t{grant.removeprefix('g-')}", password=self.password(grant))

    @asynccontextmanager
    async def enforcing(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.enforcer().run())
        try:
            yield
        finally:
            assert not task.done(), "the enforcer has stopped by itself"
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def enforcer(self, name: str = "node", lease_lasts: timedelta = LEASE_LASTS) -> Enforcer:
        def in_force() -> Adopted:
            assert self.adopted is not None
            return self.adopted

        sealer = Sealer("gateway", self.pair.public, os.urandom)
        return Enforcer(
            name=name,
            lease_lasts=lease_lasts,
            office=Office(
                ledger=self.through or self.ledger,
                sealer=sealer,
                clock=self.clock,
                new_id=lambda kind: f"{kind}-x",
                in_force=in_force,
            ),
            follow=self.follow,
            attachment=self.ledger.attachment,
            secret_sealer=sealer,
            read_secret=self.read_secret,
            drivers={TargetKind.POSTGRES: PostgresDriver(os.urandom)},
            new_password=lambda: os.urandom(16).hex(),
        )

    async def follow(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """The ledger as a reader sees it that is a little behind."""
        async for batch in self.ledger.follow(start, prefixes):
            await asyncio.sleep(self.lag_seconds)
            yield batch

    async def until(self, true: Callable[[], bool], seconds: float = 30) -> float:
        """Wait for it; gives how long it took."""
        begun = time.monotonic()
        while not true():
            assert time.monotonic() - begun < seconds, "it did not come true in time"
            await asyncio.sleep(0.01)
        return time.monotonic() - begun

    async def until_kind(self, grant: GrantId, kind: str, seconds: float = 30) -> float:
        return await self.until(lambda: kind in self.kinds(grant), seconds)


@pytest.fixture
async def world(bench: Bench) -> World:
    return await world_at(bench, SimulatedClock(moment=datetime.now(UTC)))


async def world_at(bench: Bench, clock: SimulatedClock) -> World:
    private = X25519PrivateKey.generate()
    world = World(
        bench=bench,
        clock=clock,
        ledger=MemoryLedger(clock=clock),
        pair=KeyPair(recipient="gateway", private=private),
        read_secret=lambda name: bench.server.administrator_password,
    )
    await world.adopt(bench.target)
    return world


async def test_a_grant_becomes_real_and_its_credential_works(world: World) -> None:
    grant = await world.create("80")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned", 2)
        (provisioned,) = (event for event in world.events(grant) if isinstance(event, GrantProvisioned))
        assert provisioned.observed == OBSERVED
        world.log_in(grant).execute("SELECT * FROM shop.orders LIMIT 1")
        await world.end(grant)
        assert await world.until_kind(grant, "removed") < 1
    assert world.kinds(grant) == ["created", "provisioned", "ended", "removed"]
    assert world.bench.roles() == set()


async def test_a_grant_is_over_within_a_second_of_its_end_and_its_session_with_it(bench: Bench) -> None:
    world = await world_at(bench, WallClock())
    grant = await world.create("81", seconds=1.5)
    async with world.enforcing():
        await world.until_kind(grant, "provisioned", 1.4)
        session = world.log_in(grant)
        await world.until_kind(grant, "removed", 4)
    created, _, _, removed = world.events(grant)
    assert isinstance(created, GrantCreated)
    assert isinstance(removed, GrantRemoved)
    assert timedelta(0) <= removed.read_back_at - created.window.end < timedelta(seconds=1)
    assert removed.sessions_terminated == 1
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")


async def test_a_wall_clock_that_is_set_forward_ends_what_is_over(world: World) -> None:
    grant = await world.create("82", seconds=36000)
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        world.clock.advance(timedelta(hours=11))
        assert await world.until_kind(grant, "removed") < 2


async def test_a_restart_at_any_moment_changes_nothing(world: World) -> None:
    grant = await world.create("83", seconds=600)
    for milliseconds in (0, 1, 3, 6, 10, 15, 20, 25, 30, 40, 60, 90, 200, 2000):
        async with world.enforcing():
            with suppress(AssertionError):
                await world.until_kind(grant, "provisioned", milliseconds / 1000)
    world.log_in(grant)
    await world.end(grant)
    for milliseconds in (0, 1, 3, 6, 10, 15, 20, 25, 30, 40, 60, 90, 200, 2000):
        async with world.enforcing():
            with suppress(AssertionError):
                await world.until_kind(grant, "removed", milliseconds / 1000)
    assert world.kinds(grant) == ["created", "provisioned", "ended", "removed"]


async def test_what_ended_while_we_were_down_is_taken_back_in_the_first_second(world: World) -> None:
    ended = [await world.create(f"84{number}") for number in range(5)]
    expired = await world.create("849", seconds=60)
    async with world.enforcing():
        for grant in (*ended, expired):
            await world.until_kind(grant, "provisioned")
    for grant in ended:
        await world.end(grant)
    world.clock.advance(timedelta(minutes=2))
    begun = time.monotonic()
    async with world.enforcing():
        for grant in (*ended, expired):
            await world.until_kind(grant, "removed")
        assert time.monotonic() - begun < 1


async def test_what_is_revoked_while_it_is_being_made_ends_removed(world: World) -> None:
    grant = await world.create("85")
    with world.bench.server.superuser() as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM pg_catalog.pg_namespace FOR UPDATE")
        async with world.enforcing():
            waiting = "SELECT 1 FROM pg_stat_activity WHERE usename = 'sojourn_admin' AND wait_event_type = 'Lock'"
            await world.until(lambda: bool(world.bench.owner(waiting)))
            await world.end(grant)
            other.execute("ROLLBACK")
            await world.until_kind(grant, "removed")
    assert world.kinds(grant) == ["created", "ended", "removed"]
    assert world.bench.roles() == set()


async def test_a_leaver_loses_what_they_had_even_if_the_catalogue_in_force_lags(world: World) -> None:
    grant = await world.create("86")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        adopted = await world.adopt(world.bench.target, people=(PersonId("ben"),), in_force=False)
        await asyncio.sleep(0.3)
        assert world.kinds(grant) == ["created", "provisioned"]
        world.adopted = adopted
        assert await world.until_kind(grant, "ended") < 0.55, "it asked again at once, and not at the next tick"
        await world.until_kind(grant, "removed")
    ended = world.events(grant)[2]
    assert isinstance(ended, GrantEnded)
    assert ended.cause is EndCause.HOLDER_LEFT


async def test_a_target_that_left_the_configuration_still_gives_back_what_it_had(world: World) -> None:
    grant = await world.create("87")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        await world.adopt()
        await world.end(grant)
        await world.until_kind(grant, "removed")
    assert world.bench.roles() == set()


async def test_a_role_that_is_edited_while_an_access_lives_leaves_it_as_it_was_given_and_it_can_be_ended(
    world: World,
) -> None:
    grant = await world.create("86")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        session = world.log_in(grant)
        fewer = replace(ROLE, privileges=ROLE.privileges[:1])
        await world.adopt(replace(world.bench.target, roles=(fewer,)))
        again = await world.create("85")
        await world.until_kind(again, "provisioned")
        session.execute("UPDATE shop.orders SET status = status WHERE false")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.log_in(again).execute("UPDATE shop.orders SET status = status WHERE false")
        for one in (grant, again):
            await world.end(one)
            await world.until_kind(one, "removed")
    assert world.bench.roles() == set()


async def test_a_removal_is_never_confirmed_by_another_server(world: World) -> None:
    grant = await world.create("88")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        # The name now means another place, where Sojourn is not even let in.
        await world.adopt(replace(world.bench.target, database="postgres", administrator="nobody"))
        await world.end(grant)
        await world.until_kind(grant, "removed")
    assert world.bench.roles() == set()


async def test_a_record_that_is_away_stops_nothing_for_good(world: World) -> None:
    grant = await world.create("89")
    world.ledger.failing = True
    async with world.enforcing():
        await asyncio.sleep(0.8)
        assert world.kinds(grant) == ["created"]
        assert not world.bench.roles(), "nothing is made that is not on record"
        world.ledger.failing = False
        await world.until_kind(grant, "provisioned")
        world.log_in(grant)
        await world.end(grant)
        world.ledger.failing = True
        await world.until(lambda: not world.bench.roles())
        assert "removed" not in world.kinds(grant), "it is taken back, and said as soon as there is a record again"
        world.ledger.failing = False
        await world.until_kind(grant, "removed")


async def test_a_provisioning_whose_receipt_was_lost_keeps_its_password(world: World) -> None:
    losing = AnswerLost(ledger=world.ledger)
    world.through = losing  # type: ignore[assignment]
    world.lag_seconds = 0.6
    grant = await world.create("90")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        await asyncio.sleep(1)
        assert losing.lost == 1
        world.log_in(grant)
        await world.end(grant)
        await world.until_kind(grant, "removed")
    assert world.kinds(grant) == ["created", "provisioned", "ended", "removed"]


async def test_a_mute_target_does_not_delay_a_healthy_one(world: World) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(64)
        dead = replace(world.bench.target, name=type(world.bench.target.name)("dead"), port=mute.getsockname()[1])
        await world.adopt(world.bench.target, dead)
        async with world.enforcing():
            for number in range(20):
                stuck = await world.create(f"91{number}", target="dead")
                if number % 2:
                    await world.end(stuck)
            await asyncio.sleep(0.2)
            grant = await world.create("91")
            assert await world.until_kind(grant, "provisioned") < 1
            await world.end(grant)
            assert await world.until_kind(grant, "removed") < 1


async def test_a_fault_in_one_grants_task_stops_no_other(world: World) -> None:
    fine = world.read_secret
    broken = True

    def read_secret(name: str) -> str:
        if broken and name == "broken":
            raise PermissionError(name)
        return fine(name)

    world.read_secret = read_secret
    other = replace(
        world.bench.target, name=type(world.bench.target.name)("other"), administrator_secret="broken", host="localhost"
    )
    await world.adopt(world.bench.target, other)
    async with world.enforcing():
        faulty = await world.create("92", target="other")
        await asyncio.sleep(0.3)
        grant = await world.create("93")
        await world.until_kind(grant, "provisioned")
        broken = False
        await world.until_kind(faulty, "provisioned")
        for one in (grant, faulty):
            await world.end(one)
            await world.until_kind(one, "removed")


async def test_a_target_that_takes_nothing_ends_the_grant_with_the_reason(world: World) -> None:
    await world.adopt(replace(world.bench.target, database="nowhere"))
    grant = await world.create("94")
    async with world.enforcing():
        await world.until_kind(grant, "ended")
    ended = world.events(grant)[1]
    assert isinstance(ended, GrantEnded)
    assert ended.cause is EndCause.PROVISIONING_FAILED
    assert "nowhere" in ended.problem


async def test_a_failed_removal_is_on_record_once_and_again_after_an_hour(world: World) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await world.adopt(replace(world.bench.target, port=nobody.getsockname()[1]))
        grant = await world.create("95")
        await world.end(grant)
        async with world.enforcing():
            await world.until_kind(grant, "removal_failed")
            await asyncio.sleep(1)
            # A record that is away for a moment does not make it forget what is on record.
            world.ledger.failing = True
            await asyncio.sleep(0.3)
            world.ledger.failing = False
            await asyncio.sleep(0.7)
            assert world.kinds(grant) == ["created", "ended", "removal_failed"]
            world.clock.advance(timedelta(hours=1))
            await world.until(lambda: world.kinds(grant).count("removal_failed") == 2)


async def test_a_session_that_will_not_die_keeps_the_removal_open(world: World) -> None:
    grant = await world.create("96")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        process = world.log_in(grant).info.backend_pid
        os.kill(process, signal.SIGSTOP)
        try:
            await world.end(grant)
            await world.until_kind(grant, "removal_failed")
            assert "removed" not in world.kinds(grant)
        finally:
            os.kill(process, signal.SIGCONT)
        await world.until_kind(grant, "removed")
    failed = world.events(grant)[3]
    assert isinstance(failed, GrantRemovalFailed)
    assert failed.problem == "read back: role present True, sessions 1"


async def test_an_extended_grant_keeps_its_session_and_its_log_in_goes_on(world: World) -> None:
    grant = await world.create("90", seconds=60)
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        session = world.log_in(grant)
        until = await world.extend(grant, timedelta(minutes=30))
        await world.until_kind(grant, "prolonged")
        world.clock.advance(timedelta(seconds=90))
        await asyncio.sleep(1.2)
        assert "ended" not in world.kinds(grant)
        session.execute("SELECT 1")
        prolonged = next(event for event in world.events(grant) if isinstance(event, GrantProlonged))
        assert prolonged.until == until
        assert prolonged.observed[0] == f"VALID UNTIL {until.isoformat()}"
        assert set(OBSERVED) <= set(prolonged.observed)
        world.clock.advance(timedelta(minutes=30))
        await world.until_kind(grant, "removed")
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")


async def test_an_extension_that_the_target_does_not_take_is_said_and_tried_until_it_does(world: World) -> None:
    grant = await world.create("91", seconds=600)
    right = world.read_secret
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        world.read_secret = lambda name: "wrong"
    async with world.enforcing():
        await world.extend(grant, timedelta(minutes=5))
        await world.until_kind(grant, "prolonging_failed")
        assert "ended" not in world.kinds(grant)
    world.read_secret = right
    async with world.enforcing():
        await world.until_kind(grant, "prolonged")
        await world.end(grant)
        await world.until_kind(grant, "removed")


async def test_an_extension_told_while_nobody_enforced_is_made_real_at_the_next_start(world: World) -> None:
    grant = await world.create("92", seconds=60)
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
    await world.extend(grant, timedelta(minutes=30))
    world.clock.advance(timedelta(minutes=5))
    async with world.enforcing():
        await world.until_kind(grant, "prolonged")
        assert "ended" not in world.kinds(grant)
        await world.end(grant)
        await world.until_kind(grant, "removed")


async def test_a_removal_that_the_target_refuses_for_long_is_an_alarm_once_and_is_tried_on(world: World) -> None:
    grant = await world.create("93")
    right = world.read_secret
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
    world.read_secret = lambda name: "wrong"
    async with world.enforcing():
        await world.end(grant)
        await world.until_kind(grant, "removal_failed")
        assert "removal_overdue" not in world.kinds(grant)
        world.clock.advance(timedelta(minutes=6))
        await world.until_kind(grant, "removal_overdue")
        await asyncio.sleep(1.5)
    overdue = [event for event in world.events(grant) if isinstance(event, GrantRemovalOverdue)]
    assert len(overdue) == 1 and overdue[0].problem and overdue[0].attempts >= 1
    world.read_secret = right
    async with world.enforcing():
        await world.until_kind(grant, "removed")


async def test_who_is_recorded_as_left_loses_every_access_at_once(world: World) -> None:
    grants = [await world.create(name) for name in ("94", "95")]
    sealed = Sealer("evidence", world.pair.public, os.urandom).seal("ada", b"gone").sealed
    async with world.enforcing():
        for grant in grants:
            await world.until_kind(grant, "provisioned")
        left = PersonLeft(person=ADA, recorded_by="ben", reason=sealed, source="test")
        receipt = await world.ledger.append((Change(stream=STANDING, event=left, seen=0),))
        assert receipt.size and world.adopted is not None
        world.adopted = world.adopted.under(standings.evolve(NOTHING_SAID, left))
        for grant in grants:
            assert await world.until_kind(grant, "removed") < 3
            assert EndCause.HOLDER_LEFT in [one.cause for one in world.events(grant) if isinstance(one, GrantEnded)]


async def test_who_moves_out_of_the_rule_loses_the_access_that_it_gave(world: World) -> None:
    grant = await world.create("96")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
        await world.adopt(world.bench.target, people=(ADA,), may_ask=(PersonId("zoe"),))
        await world.until_kind(grant, "removed")
    assert EndCause.HOLDER_MOVED in [one.cause for one in world.events(grant) if isinstance(one, GrantEnded)]


async def test_what_was_read_back_at_the_grant_finds_it_at_the_end_whatever_it_is_called_then(world: World) -> None:
    grant = await world.create("97")
    async with world.enforcing():
        await world.until_kind(grant, "provisioned")
    (provisioned,) = (event for event in world.events(grant) if isinstance(event, GrantProvisioned))
    assert provisioned.identity.startswith("server ")
    world.bench.owner("ALTER ROLE sojourn_t97 RENAME TO quiet; ALTER ROLE quiet VALID UNTIL 'infinity'")
    world.bench.owner("COMMENT ON ROLE quiet IS NULL")
    await world.end(grant)
    async with world.enforcing():
        await world.until_kind(grant, "removal_failed")
        failed = world.events(grant)[-1]
        assert isinstance(failed, GrantRemovalFailed)
        assert "quiet that Sojourn did not make, or that was altered" in failed.problem
        world.bench.owner("COMMENT ON ROLE quiet IS 'Sojourn access sojourn_t97'")
        await world.until_kind(grant, "removed")
    assert world.bench.owner("SELECT FROM pg_roles WHERE rolname IN ('quiet', 'sojourn_t97')") == []
