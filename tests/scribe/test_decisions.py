"""Many nodes decide at once over one real scribe process: one wins, and the others decide on what is there then.

Each person works through a node of their own, with a connection of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import AttemptRefused
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import ATTEMPTS, PersonId, RequestId, RoleName, StreamName
from sojourn.domain.request import Request, Status
from sojourn.errors import Code, Refusal
from sojourn.scribe.client import ScribeClient
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, CATALOGUE, ERIN, READ, SHOP, without
from sojourn.testing.scribe import ScribeProcess
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.adopt import adopt
from sojourn.workflow.approve import approve
from sojourn.workflow.deny import deny
from sojourn.workflow.in_force import InForce
from sojourn.workflow.leave import leave
from sojourn.workflow.loading import load_request
from sojourn.workflow.ports import Office
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw

ROUNDS = int(os.environ.get("SOJOURN_RACE_ROUNDS", "20"))
TERMINAL = {"request.denied", "request.withdrawn", "request.expired", "request.activated"}


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class Nodes:
    """One node for each person, all on the same scribe."""

    offices: dict[PersonId, Office]
    clients: dict[PersonId, ScribeClient]

    @property
    def ledger(self) -> ScribeClient:
        return self.clients[ALICE]

    async def asked(self, role: RoleName = READ) -> Request:
        request = await submit(
            self.offices[ALICE],
            person=ALICE,
            target=SHOP,
            role=role,
            duration=timedelta(minutes=5),
            reason="x",
            source="t",
        )
        assert isinstance(request, Request)
        return request

    async def kinds(self, request: RequestId) -> list[str]:
        return [one.event.kind for one in await self.ledger.stream(StreamName(f"request/{request}"))]

    async def refused(self) -> Counter[str]:
        told = [one.event for one in await self.ledger.stream(ATTEMPTS)]
        return Counter(one.code for one in told if isinstance(one, AttemptRefused))


@asynccontextmanager
async def nodes(scribe: ScribeProcess, catalogue: Catalogue = CATALOGUE) -> AsyncIterator[Nodes]:
    """alice, bob, carol and erin, each at a node that follows the record by itself."""
    clients: dict[PersonId, ScribeClient] = {}
    offices: dict[PersonId, Office] = {}
    ids = count()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        following = []
        for person in (ALICE, BOB, CAROL, ERIN):
            client = await stack.enter_async_context(ScribeClient(scribe.layout.scribe_socket))
            await client.connected(20)
            files = await adopt(client, catalogue=catalogue, files={}, operator="operator")
            in_force = await InForce.open(client, files)
            following.append(tasks.create_task(in_force.run(client.follow, client.attachment)))
            clients[person] = client
            offices[person] = Office(
                ledger=client,
                sealer=FixedSealer(key=f"k-{person}"),
                clock=WallClock(),
                new_id=lambda prefix: f"{prefix}-{next(ids):010d}",
                in_force=in_force,
            )
        yield Nodes(offices, clients)
        for task in following:
            task.cancel()


async def test_of_two_who_decide_on_the_same_version_one_wins_and_the_other_decides_again(
    scribe: ScribeProcess,
) -> None:
    async with nodes(scribe) as these:
        for _ in range(ROUNDS):
            request = await these.asked()
            digest = request.submitted.digest
            outcomes = await asyncio.gather(
                *(
                    verb(these.offices[person], request=request.id, person=person, digest=digest, source="t")
                    for person, verb in ((BOB, approve), (CAROL, deny))
                )
            )
            won = [one for one in outcomes if isinstance(one, Request)]
            lost = [one for one in outcomes if isinstance(one, Refusal)]
            assert len(won) == len(lost) == 1 and lost[0].code is Code.REQUEST_NOT_PENDING
            assert await these.kinds(request.id) == [
                "request.submitted",
                "request.approved" if won[0].status is Status.APPROVED else "request.denied",
            ]
        assert await these.refused() == {"request.not_pending": ROUNDS}


async def test_two_approvers_at_once_are_both_counted_where_two_are_needed(scribe: ScribeProcess) -> None:
    async with nodes(scribe) as these:
        for _ in range(ROUNDS):
            request = await these.asked(AMEND)
            digest = request.submitted.digest
            outcomes = await asyncio.gather(
                *(
                    approve(these.offices[person], request=request.id, person=person, digest=digest, source="t")
                    for person in (BOB, CAROL)
                )
            )
            assert all(isinstance(one, Request) for one in outcomes)
            state = await load_request(these.ledger, request.id)
            assert state is not None and state.status is Status.APPROVED
            assert sorted(state.approved_by) == [BOB, CAROL]
        assert not await these.refused()


async def test_a_double_click_through_two_nodes_is_one_approval_and_one_grant(scribe: ScribeProcess) -> None:
    async with nodes(scribe) as these:
        for _ in range(ROUNDS):
            request = await these.asked()
            digest = request.submitted.digest
            through = (BOB, CAROL, ERIN, BOB)
            await asyncio.gather(
                *(
                    approve(these.offices[node], request=request.id, person=BOB, digest=digest, source="t")
                    for node in through
                )
            )
            outcomes = await asyncio.gather(
                *(activate(these.offices[node], request=request.id, person=ALICE, source="t") for node in through)
            )
            assert sum(isinstance(one, Grant) for one in outcomes) == 1
            assert await these.kinds(request.id) == ["request.submitted", "request.approved", "request.activated"]
        assert await these.refused() == {"request.not_pending": 3 * ROUNDS, "request.already_activated": 3 * ROUNDS}


async def test_approve_against_withdraw_leaves_a_withdrawn_request_or_an_approved_one_that_nobody_withdrew(
    scribe: ScribeProcess,
) -> None:
    async with nodes(scribe) as these:
        ends: Counter[str] = Counter()
        for turn in range(ROUNDS):
            request = await these.asked()
            digest = request.submitted.digest
            verbs: list[Callable[[], Awaitable[object]]] = [
                lambda: approve(these.offices[BOB], request=request.id, person=BOB, digest=digest, source="t"),  # noqa: B023
                lambda: withdraw(these.offices[ALICE], request=request.id, person=ALICE, source="t"),  # noqa: B023
            ]
            await asyncio.gather(*(verb() for verb in (verbs if turn % 2 else verbs[::-1])))
            activated = await activate(these.offices[CAROL], request=request.id, person=ALICE, source="t")
            assert isinstance(activated, Refusal)
            kinds = await these.kinds(request.id)
            assert kinds in (
                ["request.submitted", "request.withdrawn"],
                ["request.submitted", "request.approved", "request.withdrawn"],
            )
            ends[" ".join(kinds)] += 1
        assert sum(ends.values()) == ROUNDS


@pytest.mark.parametrize("how", ["left", "removed by the files"])
async def test_an_approver_who_lost_the_authority_between_load_and_click_decides_nothing(
    scribe: ScribeProcess, how: str
) -> None:
    """The node that the approver works through has not heard of it when the click arrives."""
    async with nodes(scribe) as these:
        request = await these.asked()
        office = these.offices[BOB]
        before: Adopted = office.in_force()
        looks = count()

        def behind() -> Adopted:
            return before if next(looks) == 0 else office.in_force()

        slow = Office(
            ledger=office.ledger, sealer=office.sealer, clock=office.clock, new_id=office.new_id, in_force=behind
        )
        if how == "left":
            await leave(these.offices[ERIN], person=BOB, by=ERIN, reason="left", source="t")
        else:
            await adopt(these.clients[ERIN], catalogue=without(CATALOGUE, BOB), files={}, operator="operator")
        outcome = await approve(slow, request=request.id, person=BOB, digest=request.submitted.digest, source="t")
        assert isinstance(outcome, Refusal) and outcome.code is Code.APPROVAL_NOT_ENTITLED
        assert await these.kinds(request.id) == ["request.submitted"]
        assert next(looks) > 1, "it was decided once, on what was no longer in force"
