"""A node dies before or after anything that others can see, and is started again: nothing is lost, nothing is doubled.

One story with everything in it is lived once without a crash, and once for each step of it, with a crash at that step.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import pytest

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.events import BreakGlassUsed, GrantCreated, RequestSubmitted, ReviewOpened
from sojourn.domain.grant import Grant
from sojourn.domain.grant import Status as GrantStatus
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName
from sojourn.domain.request import Request
from sojourn.domain.request import Status as RequestStatus
from sojourn.errors import Refusal
from sojourn.testing.identifiers import CountedIds
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.loop import LoopClock, SimulatedLoop
from sojourn.testing.node import Node, World
from sojourn.testing.organisation import ALICE, AMEND, BOB, DAVE, ERIN, READ, SHOP
from sojourn.testing.people import Desk
from sojourn.testing.promises import Promises
from sojourn.testing.target import SimulatedTarget
from sojourn.workflow.activate import activate
from sojourn.workflow.adopt import adopt
from sojourn.workflow.approve import approve
from sojourn.workflow.break_glass import break_glass
from sojourn.workflow.end_early import end_early
from sojourn.workflow.extend import extend
from sojourn.workflow.loading import fold
from sojourn.workflow.ports import Office
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit

from .company import COMPANY, GINA

T = TypeVar("T")
SLACK = timedelta(seconds=30)
"""A decision is recorded a little after it was made; nodes that died and came back need a while."""


@dataclass(slots=True)
class Story:
    """Two accesses and one by break-glass, from the first word until everything is taken back."""

    world: World
    desk: Desk
    steps: list[str] = field(default_factory=list)

    # What the record says

    def request(self, name: RequestId) -> Request:
        state = fold(requests.evolve, (one for one in self.world.ledger.entries if one.stream == f"request/{name}"))
        assert state is not None
        return state

    def grant(self, name: GrantId) -> Grant:
        state = fold(grants.evolve, (one for one in self.world.ledger.entries if one.stream == f"grant/{name}"))
        assert state is not None
        return state

    def asked(self, person: PersonId, *, extends: bool = False) -> RequestId | None:
        events = [one.event for one in self.world.ledger.entries if isinstance(one.event, RequestSubmitted)]
        own = [one for one in events if one.person == person and not one.break_glass]
        return next((one.request for one in own if (one.extends is not None) == extends), None)

    def granted(self, person: PersonId, *, glass: bool = False) -> GrantId | None:
        events = [one.event for one in self.world.ledger.entries if isinstance(one.event, GrantCreated)]
        return next((one.grant for one in events if one.person == person and one.break_glass == glass), None)

    # What people do

    async def wait(self, what: Callable[[], bool]) -> None:
        while not what():
            await asyncio.sleep(0.5)

    async def done(self, verb: Callable[[Office], Awaitable[object]], found: Callable[[], object]) -> None:
        """Insist until the record says so; a refusal that comes after a lost answer is none."""
        while not found():
            outcome = await self.desk.once(verb)
            if isinstance(outcome, Refusal):
                assert found(), outcome
            elif outcome is None:
                await asyncio.sleep(0.25)

    async def approved(self, request: RequestId, *people: PersonId) -> None:
        for person in people:
            await self.done(
                lambda office, person=person: approve(  # type: ignore[misc]
                    office,
                    request=request,
                    person=person,
                    digest=self.request(request).submitted.digest,
                    source="sim",
                ),
                lambda person=person: person in self.request(request).approved_by,  # type: ignore[misc]
            )

    async def access(self, person: PersonId, role: RoleName, *approvers: PersonId) -> GrantId:
        await self.done(
            lambda office: submit(
                office,
                person=person,
                target=SHOP,
                role=role,
                duration=timedelta(seconds=8),
                reason="because",
                source="sim",
            ),
            lambda: self.asked(person),
        )
        request = self.asked(person)
        assert request is not None
        await self.approved(request, *approvers)
        await self.done(
            lambda office: activate(office, request=request, person=person, source="sim"),
            lambda: self.request(request).status is RequestStatus.ACTIVATED,
        )
        grant = self.granted(person)
        assert grant is not None
        await self.wait(lambda: self.grant(grant).status is not GrantStatus.PROVISIONING)
        return grant

    async def more_time(self, grant: GrantId, person: PersonId, approver: PersonId) -> None:
        await self.done(
            lambda office: extend(
                office, grant=grant, person=person, duration=timedelta(seconds=4), reason="more", source="sim"
            ),
            lambda: self.asked(person, extends=True),
        )
        request = self.asked(person, extends=True)
        assert request is not None
        await self.approved(request, approver)

    async def glass(self, person: PersonId) -> GrantId:
        async def take(office: Office) -> object:
            return await break_glass(
                office,
                person=person,
                target=SHOP,
                role=AMEND,
                duration=timedelta(seconds=6),
                reason="it burns",
                confirmed_at=office.clock.now(),
                source="sim",
            )

        await self.done(take, lambda: self.granted(person, glass=True))
        grant = self.granted(person, glass=True)
        assert grant is not None
        await self.wait(lambda: self.grant(grant).status is not GrantStatus.PROVISIONING)
        return grant

    async def tell(self) -> None:
        """Live it. It is over when the record says that everything is removed, and every review due is open."""
        reading = await self.access(ALICE, READ, BOB)
        await self.more_time(reading, ALICE, BOB)
        amending = await self.access(DAVE, AMEND, BOB, GINA)
        await self.done(
            lambda office: revoke(office, grant=amending, person=ERIN, source="sim"),
            lambda: self.grant(amending).status in (GrantStatus.ENDED, GrantStatus.REMOVED),
        )
        burning = await self.glass(DAVE)
        await self.done(
            lambda office: end_early(office, grant=burning, person=DAVE, source="sim"),
            lambda: self.grant(burning).status in (GrantStatus.ENDED, GrantStatus.REMOVED),
        )
        everything = (reading, amending, burning)
        await self.wait(lambda: all(self.grant(one).status is GrantStatus.REMOVED for one in everything))
        await self.wait(lambda: any(isinstance(one.event, ReviewOpened) for one in self.world.ledger.entries))


def lived(dies_at: int | None = None, *, loses_at: int | None = None) -> Story:
    """The story, with a death at that step or the answer to that append lost; checked when it is over."""
    clock = LoopClock()
    world = World(ledger=MemoryLedger(clock), target=SimulatedTarget(), new_id=CountedIds())
    nodes = [Node(world, name="one")]
    story = Story(world, Desk(nodes))
    answers: list[str] = []

    def dies(step: str) -> bool:
        story.steps.append(step)
        return len(story.steps) - 1 == dies_at

    def loses(step: str) -> bool:
        answers.append(step)
        return len(answers) - 1 == loses_at

    world.dies, world.loses = dies, loses

    async def live() -> None:
        await adopt(world.ledger, catalogue=COMPANY, files={}, operator="operator")
        running = [asyncio.create_task(node.run()) for node in nodes]
        async with asyncio.timeout(600):
            await story.tell()
        for task in running:
            task.cancel()
        await asyncio.wait(running)

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(live())
    nothing_is_lost_or_doubled(world)
    return story


def nothing_is_lost_or_doubled(world: World) -> None:
    """Each promise held, each access was made once, ended once and removed once, and nothing is left at the target."""
    promises = Promises(world.ledger.attachments, slack=SLACK)
    promises.see(world.ledger.entries)
    assert not promises.broken, promises.broken
    assert not promises.unfinished()
    assert not world.target.logins
    kinds = Counter(one.event.kind for one in world.ledger.entries)
    assert kinds["grant.created"] == kinds["grant.ended"] == kinds["grant.removed"] == 3
    assert kinds["request.submitted"] == 4 and kinds["grant.extended"] == 1
    assert kinds["review.opened"] == 1
    assert sum(isinstance(one.event, BreakGlassUsed) for one in world.ledger.entries) == 1


def test_without_a_crash_the_story_has_all_its_steps() -> None:
    steps = lived().steps
    assert len(steps) > 50 and len(steps) % 2 == 0
    for what in ("grant at the target", "prolong at the target", "revoke at the target", "grant.removed"):
        assert f"before {what}" in steps and f"after {what}" in steps


@pytest.mark.parametrize("part", range(4))
def test_a_crash_between_any_two_steps_loses_nothing_and_doubles_nothing(part: int) -> None:
    for step in range(part, len(lived().steps), 4):
        assert len(lived(step).steps) > step


def test_an_answer_that_gets_lost_after_any_append_loses_nothing_and_doubles_nothing() -> None:
    for append in range(sum("before" in one and "target" not in one for one in lived().steps)):
        lived(loses_at=append)
