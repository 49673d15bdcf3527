"""Many at once: the record lets one win, and the others decide again on what is there then."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from sojourn.domain.events import GrantCreated
from sojourn.domain.grant import Grant
from sojourn.domain.grant import Status as GrantStatus
from sojourn.domain.identifiers import RequestId, RoleName
from sojourn.domain.request import Request, Status
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, ERIN, READ, SHOP, Workplace
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.deny import deny
from sojourn.workflow.end_early import end_early
from sojourn.workflow.expire import expire_grant, lapse_request
from sojourn.workflow.loading import load_grant, load_request
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw, withdraw_approval

TERMINAL = {"request.denied", "request.withdrawn", "request.expired", "request.activated"}


async def asked(place: Workplace, role: RoleName = READ) -> Request:
    request = await submit(
        place.office, person=ALICE, target=SHOP, role=role, duration=timedelta(minutes=5), reason="x", source="t"
    )
    assert isinstance(request, Request)
    return request


async def approved(place: Workplace) -> RequestId:
    request = await asked(place)
    await approve(place.office, request=request.id, person=BOB, digest=request.submitted.digest, source="t")
    return request.id


async def test_fifty_activations_at_once_make_one_grant() -> None:
    place = await Workplace.open()
    request = await approved(place)
    outcomes = await asyncio.gather(
        *(activate(place.office, request=request, person=ALICE, source="t") for _ in range(50))
    )
    assert sum(isinstance(outcome, Grant) for outcome in outcomes) == 1
    refusals = Counter(outcome.code for outcome in outcomes if isinstance(outcome, Refusal))
    assert refusals == {Code.REQUEST_ALREADY_ACTIVATED: 49}
    assert sum(isinstance(one.event, GrantCreated) for one in place.ledger.entries) == 1
    assert len(place.attempts()) == 49


async def test_the_same_click_a_hundred_times_is_one_approval() -> None:
    place = await Workplace.open()
    request = await asked(place)
    digest = request.submitted.digest
    outcomes = await asyncio.gather(
        *(approve(place.office, request=request.id, person=BOB, digest=digest, source="t") for _ in range(100))
    )
    assert sum(isinstance(outcome, Request) for outcome in outcomes) == 1
    assert place.kinds(f"request/{request.id}") == ("request.submitted", "request.approved")
    assert Counter(attempt.code for attempt in place.attempts()) == {"request.not_pending": 99}


@pytest.mark.parametrize("role", [READ, AMEND])
async def test_two_approvers_at_once_are_counted_one_after_the_other(role: RoleName) -> None:
    place = await Workplace.open()
    for _ in range(20):
        request = await asked(place, role)
        digest = request.submitted.digest
        outcomes = await asyncio.gather(
            *(approve(place.office, request=request.id, person=who, digest=digest, source="t") for who in (BOB, CAROL))
        )
        state = await load_request(place.ledger, request.id)
        assert state is not None and state.status is Status.APPROVED
        needed = 1 if role == READ else 2
        assert len(state.approved_by) == len(set(state.approved_by)) == needed
        assert sum(isinstance(outcome, Refusal) for outcome in outcomes) == 2 - needed


@pytest.mark.parametrize("turn", range(100))
async def test_approve_deny_withdraw_and_lapse_at_once_leave_one_end(turn: int) -> None:
    place = await Workplace.open()
    request = await asked(place)
    digest = request.submitted.digest
    due = timedelta(hours=24) if turn % 2 else timedelta(hours=24) - timedelta(microseconds=1)
    place.clock.advance(due)
    verbs: list[Awaitable[object]] = [
        approve(place.office, request=request.id, person=BOB, digest=digest, source="t"),
        deny(place.office, request=request.id, person=CAROL, digest=digest, source="t"),
        withdraw(place.office, request=request.id, person=ALICE, source="t"),
        lapse_request(place.office, request.id),
        activate(place.office, request=request.id, person=ALICE, source="t"),
    ]
    turned = verbs[turn % 5 :] + verbs[: turn % 5]
    outcomes = await asyncio.gather(*(turned if turn % 3 else turned[::-1]))
    kinds = place.kinds(f"request/{request.id}")
    assert sum(kind in TERMINAL for kind in kinds) <= 1
    assert kinds[-1] in TERMINAL | {"request.approved"}
    if turn % 2:
        assert kinds == ("request.submitted", "request.expired")
    granted = [one.event for one in place.ledger.entries if isinstance(one.event, GrantCreated)]
    assert len(granted) == kinds.count("request.activated")
    if granted:
        assert "request.denied" not in kinds
    assert len(place.attempts()) == sum(isinstance(outcome, Refusal) for outcome in outcomes)


async def test_everything_that_ends_a_grant_at_once_ends_it_once() -> None:
    place = await Workplace.open()
    for turn in range(20):
        created = await activate(place.office, request=await approved(place), person=ALICE, source="t")
        assert isinstance(created, Grant)
        grant = created.id
        if turn % 2:
            place.clock.advance(timedelta(minutes=5))
        await asyncio.gather(
            revoke(place.office, grant=grant, person=ERIN, source="t"),
            end_early(place.office, grant=grant, person=ALICE, source="t"),
            expire_grant(place.office, grant),
            confirm_provisioned(place.office, grant=grant, observed=[], secret=b"x", sealer=FixedSealer()),
            expire_grant(place.office, grant),
        )
        kinds = place.kinds(f"grant/{grant}")
        assert kinds.count("grant.ended") == 1
        assert kinds[-1] == "grant.ended"
        state = await load_grant(place.ledger, grant)
        assert state is not None and state.status is GrantStatus.ENDED
        assert not state.opens(place.clock.now())


async def test_two_workers_that_provision_at_once_leave_one_secret() -> None:
    place = await Workplace.open()
    created = await activate(place.office, request=await approved(place), person=ALICE, source="t")
    assert isinstance(created, Grant)
    sealer = FixedSealer()
    await asyncio.gather(
        *(
            confirm_provisioned(place.office, grant=created.id, observed=[], secret=secret, sealer=sealer)
            for secret in (b"one", b"two")
        )
    )
    assert place.kinds(f"grant/{created.id}") == ("grant.created", "grant.provisioned")


async def test_taking_an_approval_back_and_spending_it_never_both_win() -> None:
    for first in range(2):
        place = await Workplace.open()
        request = await approved(place)
        verbs: list[Awaitable[object]] = [
            activate(place.office, request=request, person=ALICE, source="t"),
            withdraw_approval(place.office, request=request, person=BOB, source="t"),
        ]
        outcomes = await asyncio.gather(*(verbs if first else verbs[::-1]))
        assert sum(not isinstance(outcome, Refusal) for outcome in outcomes) == 1
        kinds = place.kinds(f"request/{request}")
        assert ("request.activated" in kinds) is not ("request.approval_withdrawn" in kinds)
