"""Control "over on time": one absolute end per grant; what is late is refused at the click, not by a sweeper."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sojourn.domain.grant import Grant, Status
from sojourn.domain.identifiers import GrantId
from sojourn.domain.request import Request
from sojourn.domain.session import admit
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, BOB, CATALOGUE, ERIN, READ, SHOP, Workplace, with_rules
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.expire import expire_grant
from sojourn.workflow.loading import load_grant
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.remove import report_removal_failed
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit

TICK = timedelta(microseconds=1)
MINUTES = timedelta(minutes=10)


async def approved(place: Workplace) -> Request:
    request = await submit(
        place.office, person=ALICE, target=SHOP, role=READ, duration=MINUTES, reason="INC-1", source="test"
    )
    assert isinstance(request, Request)
    outcome = await approve(
        place.office, request=request.id, person=BOB, digest=request.submitted.digest, source="test"
    )
    assert isinstance(outcome, Request)
    return outcome


async def working(place: Workplace) -> Grant:
    request = await approved(place)
    grant = await activate(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(grant, Grant)
    outcome = await confirm_provisioned(place.office, grant=grant.id, observed=["x"], secret=b"s", sealer=FixedSealer())
    assert isinstance(outcome, Grant)
    return outcome


async def loaded(place: Workplace, grant: GrantId) -> Grant:
    state = await load_grant(place.ledger, grant)
    assert state is not None
    return state


async def test_a_grant_opens_until_its_end_and_not_at_it_though_no_sweeper_runs() -> None:
    place = await Workplace.open()
    grant = await working(place)
    for span, let_in in ((MINUTES - TICK, True), (TICK, False), (TICK, False)):
        place.clock.advance(span)
        outcome = admit([await loaded(place, grant.id)], person=ALICE, target=SHOP, role=READ, now=place.clock.now())
        assert isinstance(outcome, Grant) is let_in


async def test_the_window_begins_with_the_access_and_not_with_the_approval() -> None:
    place = await Workplace.open()
    request = await approved(place)
    place.clock.advance(timedelta(hours=7))
    grant = await activate(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(grant, Grant)
    assert grant.created.window.start == place.clock.now()
    assert grant.created.window.length == MINUTES


async def test_an_old_approval_cannot_be_used_though_no_sweeper_has_ended_it() -> None:
    place = await Workplace.open()
    request = await approved(place)
    place.clock.advance(timedelta(hours=8))
    outcome = await activate(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(outcome, Refusal) and outcome.code is Code.REQUEST_EXPIRED


async def test_a_target_that_is_slow_does_not_open_an_access_that_is_over() -> None:
    place = await Workplace.open()
    request = await approved(place)
    grant = await activate(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(grant, Grant)
    place.clock.advance(MINUTES)
    outcome = await confirm_provisioned(place.office, grant=grant.id, observed=[], secret=b"s", sealer=FixedSealer())
    assert isinstance(outcome, Refusal) and outcome.code is Code.GRANT_EXPIRED
    assert (await expire_grant(place.office, grant.id)).cause == "expired"


@pytest.mark.parametrize("early", [True, False])
async def test_setting_the_clock_back_does_not_give_an_ended_access_back(early: bool) -> None:
    place = await Workplace.open()
    grant = await working(place)
    if early:
        await revoke(place.office, grant=grant.id, person=ERIN, source="test")
    else:
        place.clock.advance(MINUTES)
        await expire_grant(place.office, grant.id)
    place.clock.advance(-MINUTES)
    assert not (await loaded(place, grant.id)).opens(place.clock.now())


async def test_revoking_works_when_the_policy_that_gave_the_access_is_gone() -> None:
    place = await Workplace.open()
    grant = await working(place)
    await place.reconfigure(with_rules(CATALOGUE))
    outcome = await revoke(place.office, grant=grant.id, person=ALICE, source="test")
    assert isinstance(outcome, Grant) and outcome.status is Status.ENDED


async def test_a_grant_whose_removal_fails_for_hours_stays_ended_and_unfinished() -> None:
    place = await Workplace.open()
    grant = await working(place)
    place.clock.advance(MINUTES)
    await expire_grant(place.office, grant.id)
    for _ in range(120):
        place.clock.advance(timedelta(minutes=1))
        state = await report_removal_failed(place.office, grant=grant.id, problem="unreachable")
        assert state.status is Status.ENDED
        assert not state.opens(grant.created.window.start)
    assert state.removal_attempts == 120


async def test_the_end_of_one_access_takes_nothing_from_another() -> None:
    place = await Workplace.open()
    first = await working(place)
    place.clock.advance(MINUTES / 2)
    second = await working(place)
    place.clock.advance(MINUTES / 2)
    await expire_grant(place.office, first.id)
    both = [await loaded(place, first.id), await loaded(place, second.id)]
    outcome = admit(both, person=ALICE, target=SHOP, role=None, now=place.clock.now())
    assert isinstance(outcome, Grant) and outcome.id == second.id
