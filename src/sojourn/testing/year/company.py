"""A company at work for a year: real decisions by the real workflow, on a clock that leaps, into a real store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import cycle
from random import Random
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sojourn.domain.events import (
    Event,
    ReviewOutcome,
    TargetReconciled,
)
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import (
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    SessionId,
    TargetName,
    session_stream,
    target_stream,
)
from sojourn.domain.policy import Facts, Ticket
from sojourn.domain.request import Request
from sojourn.domain.review import CHECKLIST
from sojourn.errors import Refusal
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.identifiers import CountedIds
from sojourn.testing.session import session_of
from sojourn.testing.stored_ledger import Forgery, StoredLedger
from sojourn.vault.keys import KeyPair
from sojourn.vault.sealer import Sealer
from sojourn.workflow.activate import activate
from sojourn.workflow.adopt import adopt
from sojourn.workflow.approve import approve
from sojourn.workflow.break_glass import break_glass
from sojourn.workflow.deny import deny
from sojourn.workflow.end_early import end_early
from sojourn.workflow.expire import expire_grant
from sojourn.workflow.ports import Office
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.remove import confirm_removed
from sojourn.workflow.reviewing import conclude, open_review
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw

from .organisation import BATCH, DAY, LEADS, READ, REPAIR, Plan, organisation

MINUTE = timedelta(minutes=1)
FACTS = Facts(ticket=Ticket(id="INC-1", kind="incident", state="open"), activities=("repair",))
KEYS = KeyPair(recipient="evidence", private=X25519PrivateKey.from_private_bytes(b"\x09" * 32))
PLANTED_EACH = 3
"""About so often each thing is planted, if there are enough grants."""

USED = 22 / 25
"""So many of the requests become an access that is used (see `Year._ordinary`)."""

Planting = Sequence[Callable[["Year"], Awaitable[None]]]
"""What is planted, in turns."""

Forgeries = Mapping[type[Any], Forgery]
NONE: Forgeries = MappingProxyType({})


@dataclass(slots=True, kw_only=True)
class Story:
    """What happened. `planted` are the letters of the tests that have to fail, by request; J fails with any other."""

    planted: dict[RequestId, str] = field(default_factory=dict)
    requests: int = 0
    grants: int = 0
    actions: int = 0


@dataclass(slots=True, kw_only=True)
class Year:
    """The company at work. `run` tells its year to the ledger."""

    plan: Plan
    ledger: StoredLedger
    clock: SimulatedClock
    office: Office
    random: Random
    planted: Planting
    story: Story = field(default_factory=Story)
    _sessions: int = 0
    _later: list[tuple[datetime, int, Coroutine[None, None, None]]] = field(default_factory=list)

    @classmethod
    async def over(
        cls,
        plan: Plan,
        ledger: StoredLedger,
        clock: SimulatedClock,
        planted: Sequence[Callable[[Year], Awaitable[None]]],
    ) -> Year:
        """The year of `plan` over a ledger that is empty."""
        adopted = await adopt(ledger, catalogue=organisation(plan), files={}, operator="sample")
        sealer = Sealer("evidence", KEYS.public, Random(plan.seed).randbytes)  # noqa: S311 - a story, and no secret
        office = Office(ledger=ledger, sealer=sealer, clock=clock, new_id=CountedIds(), in_force=lambda: adopted)
        random = Random(plan.seed)  # noqa: S311 - a story, and no secret
        return cls(plan=plan, ledger=ledger, clock=clock, office=office, random=random, planted=planted)

    async def run(self, progress: Callable[[int, int], None] = lambda *_: None) -> Story:
        """Tell it all."""
        self._look_at_targets()
        planted, total = cycle(self.planted), self.plan.grants
        every = max(3, total // (PLANTED_EACH * len(self.planted)))
        start, pause = self.clock.now(), 365 * DAY / total
        for number in range(total):
            await self._until(start + number * pause)
            if number % every == every - 1:
                await next(planted)(self)
            else:
                await self._ordinary(number)
            progress(number + 1, total)
        await self._until(start + 380 * DAY)
        return self.story

    def _look_at_targets(self) -> None:
        """Each target shows what is on record and nothing else."""
        for target in organisation(self.plan).targets:
            look = TargetReconciled(
                target=target.name,
                looks=1,
                sessions=0,
                sessions_matched=0,
                logins=0,
                findings=(),
                accounts=("postgres (superuser)",),
                accounts_changed=(),
            )
            self.ledger.write([Change(stream=target_stream(target.name), event=look, seen=None)])

    async def _until(self, moment: datetime) -> None:
        """Let time pass, and do what was put off until then."""
        while self._later and self._later[0][0] <= moment:
            due, _, work = heappop(self._later)
            self.clock.moment = max(self.clock.moment, due)
            await work
        self.clock.moment = max(self.clock.moment, moment)

    def _put_off(self, by: timedelta, work: Coroutine[None, None, None]) -> None:
        heappush(self._later, (self.clock.now() + by, self.story.requests, work))

    async def _ordinary(self, number: int) -> None:
        """What happens most of the time, and what happens now and then."""
        match number % 25:
            case 3:
                await self._denied()
            case 7:
                await self._withdrawn()
            case 11:
                await self.asked(READ)
            case 13:
                await self.reviewed(await self.emergency())
            case 2 | 9 | 17 | 21:
                await self.reviewed(await self.worked(REPAIR))
            case 5:
                await self.worked(BATCH)
            case _:
                await self.worked(READ)

    def _engineer(self) -> PersonId:
        number = self.random.randrange(LEADS, self.plan.people)
        return PersonId("robot") if number == LEADS else PersonId(f"p{number:04d}")

    def _lead(self) -> PersonId:
        return PersonId(f"p{self.random.randrange(LEADS):04d}")

    async def asked(self, role: RoleName, person: PersonId | None = None) -> Request:
        """A request."""
        made = await submit(
            self.office,
            person=person or self._engineer(),
            target=TargetName(f"db{self.random.randrange(self.plan.targets):03d}"),
            role=role,
            duration=self.random.randrange(10, 120) * MINUTE,
            reason="sample",
            source="sample",
            facts=FACTS if role == REPAIR else Facts(),
        )
        assert isinstance(made, Request), made
        self.story.requests += 1
        return made

    async def _denied(self) -> None:
        request = await self.asked(READ)
        await deny(
            self.office, request=request.id, person=self._lead(), digest=request.submitted.digest, source="sample"
        )

    async def _withdrawn(self) -> None:
        request = await self.asked(READ)
        await withdraw(self.office, request=request.id, person=request.submitted.person, source="sample")

    async def active(self, role: RoleName, forgeries: Forgeries = NONE) -> Grant:
        """An access that has begun. `forgeries` alter what goes on record of its events."""
        with self.ledger.forging(_by_kind(forgeries)):
            request = await self.asked(role)
            self.clock.advance(MINUTE)
            digest = request.submitted.digest
            await approve(self.office, request=request.id, person=self._lead(), digest=digest, source="sample")
            self.clock.advance(MINUTE)
            person = request.submitted.person
            grant = await activate(self.office, request=request.id, person=person, source="sample")
            assert isinstance(grant, Grant), grant
            return await self._provisioned(grant)

    async def emergency(self, forgeries: Forgeries = NONE, lateness: timedelta = timedelta()) -> Grant:
        """An access without a decision, used and over."""
        with self.ledger.forging(_by_kind(forgeries)):
            grant = await break_glass(
                self.office,
                person=self._engineer(),
                target=TargetName("db000"),
                role=REPAIR,
                duration=30 * MINUTE,
                reason="sample",
                confirmed_at=self.clock.now(),
                source="sample",
            )
            assert isinstance(grant, Grant), grant
            self.story.requests += 1
            grant = await self._provisioned(grant)
            await self.used(grant)
            return await self.over_with(grant, lateness)

    async def _provisioned(self, grant: Grant) -> Grant:
        made = await confirm_provisioned(
            self.office, grant=grant.id, observed=["CONNECT on app"], secret=b"", sealer=self.office.sealer
        )
        assert isinstance(made, Grant), made
        self.story.grants += 1
        return made

    async def worked(
        self,
        role: RoleName,
        forgeries: Forgeries = NONE,
        lateness: timedelta = timedelta(),
    ) -> Grant:
        """An access from request to removal, used in between."""
        grant = await self.active(role, forgeries)
        with self.ledger.forging(_by_kind(forgeries)):
            await self.used(grant)
            return await self.over_with(grant, lateness)

    async def used(self, grant: Grant) -> None:
        """A session in it, with its share of the year's actions."""
        self.clock.advance(MINUTE)
        self._sessions += 1
        session = SessionId(f"s-{self._sessions:010d}")
        share = self.plan.actions / (self.plan.grants * USED)
        count = self.random.randrange(1, max(2, round(2 * share)))
        told, stream = session_of(grant, session, actions=count), session_stream(session)
        self.ledger.write([Change(stream=stream, event=event, seen=None) for event in told])
        self.story.actions += count

    async def over_with(self, grant: Grant, lateness: timedelta = timedelta()) -> Grant:
        """Its holder ends it, or time does, and its absence is read back."""
        self.clock.advance(MINUTE)
        ended = await end_early(self.office, grant=grant.id, person=grant.created.person, source="sample")
        if isinstance(ended, Refusal):
            await expire_grant(self.office, grant.id)
        self.clock.advance(timedelta(seconds=1) + lateness)
        return await confirm_removed(
            self.office, grant=grant.id, role_present=False, sessions_present=0, sessions_terminated=0
        )

    async def reviewed(
        self,
        grant: Grant,
        *,
        after: timedelta = DAY,
        outcome: ReviewOutcome = ReviewOutcome.APPROPRIATE,
        answers: tuple[str, ...] = ("yes",) * len(CHECKLIST),
    ) -> None:
        """Somebody without a part in it looks at it, some days later."""
        assert await open_review(self.office, grant=grant.id, ended_at=self.clock.now(), used=True)
        self._put_off(after, self._conclude(grant.id, outcome, answers))

    async def _conclude(self, grant: GrantId, outcome: ReviewOutcome, answers: tuple[str, ...]) -> None:
        made = await conclude(
            self.office,
            grant=grant,
            person=PersonId("auditor"),
            outcome=outcome,
            answers=answers,
            remark="" if outcome is ReviewOutcome.APPROPRIATE else "sample",
            seen=(1, 1, 0),
            source="sample",
        )
        assert not isinstance(made, Refusal), made

    def plant(self, grant: Grant, letters: str) -> None:
        """Remember what has to be found."""
        self.story.planted[grant.created.request] = letters


def _by_kind(forgeries: Forgeries) -> Forgery:
    def forge(event: Event) -> Event | None:
        forgery = forgeries.get(type(event))
        return event if forgery is None else forgery(event)

    return forge
