"""Many people, several nodes whose clocks disagree, a target that comes and goes, and deaths at random: by seed.

In short some seeds; `SOJOURN_SIM_SEEDS=1000 make soak` takes as many others.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.events import GrantCreated, GrantProvisioned, LookedBack, PersonLeft, RequestSubmitted
from sojourn.domain.grant import Grant
from sojourn.domain.grant import Status as GrantStatus
from sojourn.domain.identifiers import PersonId
from sojourn.domain.request import Request
from sojourn.domain.request import Status as RequestStatus
from sojourn.testing.identifiers import CountedIds
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.loop import LoopClock, SimulatedLoop
from sojourn.testing.node import Node, World
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, DAVE, ERIN, READ, SHOP
from sojourn.testing.people import Desk
from sojourn.testing.promises import Promises
from sojourn.testing.sealer import FixedSealer
from sojourn.testing.target import SimulatedTarget
from sojourn.workflow.activate import activate
from sojourn.workflow.adopt import adopt
from sojourn.workflow.approve import approve
from sojourn.workflow.break_glass import break_glass
from sojourn.workflow.deny import deny
from sojourn.workflow.end_early import end_early
from sojourn.workflow.extend import extend
from sojourn.workflow.leave import come_back, leave
from sojourn.workflow.loading import fold
from sojourn.workflow.ports import Office
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw

from .company import COMPANY, EDGAR, GINA, HENRY

BUSY_SECONDS = 60
QUIET_SECONDS = 900.0
SKEW = timedelta(seconds=2)
SLACK = timedelta(seconds=20)
ASKERS = (ALICE, DAVE, BOB)
APPROVERS = (BOB, CAROL, GINA, HENRY)
SEEDS = range(int(os.environ.get("SOJOURN_SIM_SEEDS", "0")) or 4)


@dataclass(slots=True)
class Bustle:
    """A minute of everything at once, and then quiet, until all that was begun is over."""

    seed: int
    chance: random.Random = field(init=False)
    world: World = field(init=False)
    nodes: list[Node] = field(init=False)
    desk: Desk = field(init=False)
    quiet: bool = False
    deaths: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.world = World(
            ledger=MemoryLedger(LoopClock()),
            target=SimulatedTarget(),
            new_id=CountedIds(),
            dies=self.dies,
            loses=lambda step: not self.quiet and self.chance.random() < 0.02,
            lag=lambda: self.chance.choice((0.0, 0.001, 0.02, 0.2)),
        )
        self.nodes = [Node(self.world, name="one"), Node(self.world, name="two")]
        self.desk = Desk(self.nodes)

    def dies(self, step: str) -> bool:
        if self.quiet or self.chance.random() >= 0.04:
            return False
        self.deaths += 1
        return True

    def request(self, name: str) -> Request:
        state = fold(requests.evolve, (one for one in self.world.ledger.entries if one.stream == f"request/{name}"))
        assert state is not None
        return state

    def grant(self, name: str) -> Grant:
        state = fold(grants.evolve, (one for one in self.world.ledger.entries if one.stream == f"grant/{name}"))
        assert state is not None
        return state

    # What people do: what comes to their mind, once, on what they see

    async def somebody(self) -> None:
        while not self.quiet:
            await asyncio.sleep(self.chance.uniform(0.1, 2.0))
            await self.desk.once(
                self.chance.choice((self.asks, self.asks, self.judges, self.judges, self.uses, self.ends))
            )

    async def asks(self, office: Office) -> object:
        person, role = self.chance.choice(ASKERS), self.chance.choice((READ, READ, AMEND))
        duration = timedelta(seconds=self.chance.choice((1, 5, 30)))
        if self.chance.random() < 0.1:
            now = office.clock.now()
            return await break_glass(
                office,
                person=person,
                target=SHOP,
                role=AMEND,
                duration=duration,
                reason="x",
                confirmed_at=now,
                source="s",
            )
        return await submit(office, person=person, target=SHOP, role=role, duration=duration, reason="x", source="s")

    async def judges(self, office: Office) -> object:
        names = [one.event.request for one in self.world.ledger.entries if isinstance(one.event, RequestSubmitted)]
        pending = [one for one in map(self.request, names) if one.status is RequestStatus.PENDING]
        if not pending:
            return None
        state, person = self.chance.choice(pending), self.chance.choice(APPROVERS)
        verb = self.chance.choice((approve, approve, approve, approve, deny))
        return await verb(office, request=state.id, person=person, digest=state.submitted.digest, source="s")

    async def uses(self, office: Office) -> object:
        names = [one.event.request for one in self.world.ledger.entries if isinstance(one.event, RequestSubmitted)]
        approved = [one for one in map(self.request, names) if one.status is RequestStatus.APPROVED]
        if not approved:
            return None
        state = self.chance.choice(approved)
        verb = self.chance.choice((activate, activate, activate, withdraw))
        return await verb(office, request=state.id, person=state.submitted.person, source="s")

    async def ends(self, office: Office) -> object:
        names = [one.event.grant for one in self.world.ledger.entries if isinstance(one.event, GrantCreated)]
        live = [one for one in map(self.grant, names) if one.status not in (GrantStatus.ENDED, GrantStatus.REMOVED)]
        if not live:
            return None
        grant, more = self.chance.choice(live), timedelta(seconds=5)
        match self.chance.randrange(4):
            case 0:
                return await revoke(office, grant=grant.id, person=ERIN, source="s")
            case 1:
                return await end_early(office, grant=grant.id, person=grant.created.person, source="s")
            case _:
                person = grant.created.person
                return await extend(office, grant=grant.id, person=person, duration=more, reason="x", source="s")

    # What happens to them

    async def troubles(self) -> None:
        while not self.quiet:
            await asyncio.sleep(self.chance.uniform(1.0, 8.0))
            self.world.target.unreachable = self.chance.random() < 0.3
            self.world.target.holding = self.chance.choice((0, 0, 2))
            node = self.chance.choice(self.nodes)
            node.clock.skew = timedelta(seconds=self.chance.choice((-1, 0, 0, 1)) * SKEW.total_seconds())
            if self.chance.random() < 0.15:
                await self.desk.once(lambda office: leave(office, person=DAVE, by=EDGAR, reason="x", source="s"))
            elif self.chance.random() < 0.5:
                await self.desk.once(lambda office: come_back(office, person=DAVE, by=ERIN, reason="x", source="s"))

    def the_gateway_knows_the_password(self) -> None:
        """Whoever has an access that is open gets in: the login there has the password that is on record."""
        for one in self.world.ledger.entries:
            if not isinstance(one.event, GrantProvisioned):
                continue
            grant = self.grant(one.event.grant)
            login = self.world.target.logins.get(grant.created.credential)
            if grant.status is GrantStatus.ACTIVE and not grant.to_prolong:
                matter, _ = self.world.ledger.matters[one.event.secret.commitment]
                assert login is not None and login.password.encode() == FixedSealer().open(matter)
                assert login.until == grant.end

    async def live(self) -> None:
        await adopt(self.world.ledger, catalogue=COMPANY, files={}, operator="operator")
        nodes = [asyncio.create_task(node.run()) for node in self.nodes]
        work = [asyncio.create_task(one) for one in (*(self.somebody() for _ in range(6)), self.troubles())]
        for _ in range(BUSY_SECONDS):
            await asyncio.sleep(1.0)
            self.the_gateway_knows_the_password()
        self.quiet = True
        await asyncio.gather(*work)
        self.world.target.unreachable, self.world.target.holding = False, 0
        await self.everything_ends()
        for task in nodes:
            task.cancel()
        await asyncio.wait(nodes)

    def owed_a_look_back(self) -> set[PersonId]:
        """Who left, and their programs, not looked back on since. Nobody is looked back on who is not owed it."""
        owed: set[PersonId] = set()
        for one in self.world.ledger.entries:
            match one.event:
                case PersonLeft(person=person):
                    owed |= {other.id for other in COMPANY.people if person in (other.id, other.owner)}
                case LookedBack(person=person):
                    assert person in owed, f"{person} is looked back on twice"
                    owed.remove(person)
        return owed

    async def everything_ends(self) -> None:
        """Nobody does anything any more, and yet it all comes to its end."""
        promises = Promises(self.world.ledger.attachments, slack=SLACK)
        async with asyncio.timeout(QUIET_SECONDS):
            while True:
                promises.see(self.world.ledger.entries[promises.seen :])
                assert not promises.broken, promises.broken
                if not promises.unfinished() and not self.owed_a_look_back():
                    return
                await asyncio.sleep(5.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_dies_and_whenever_every_access_ends_and_no_promise_is_broken(seed: int) -> None:
    bustle = Bustle(seed)
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(bustle.live())
    kinds = Counter(one.event.kind for one in bustle.world.ledger.entries)
    assert bustle.deaths and kinds["grant.created"] > 5, "the seed lets hardly anything happen"
    assert kinds["grant.created"] == kinds["grant.ended"] == kinds["grant.removed"]
    assert not bustle.world.target.logins
