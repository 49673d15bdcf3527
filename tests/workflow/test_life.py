"""More of an access's life: extended, changed, given in part, decided in somebody's place, and over when one leaves."""

from __future__ import annotations

from datetime import timedelta

from sojourn.domain.events import EndCause
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId
from sojourn.domain.request import Request, Status
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, DAVE, ERIN, READ, SHOP, Workplace
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.approve_less import approve_less
from sojourn.workflow.away import declare_absence
from sojourn.workflow.expire import end_for_leaver
from sojourn.workflow.extend import extend
from sojourn.workflow.leave import leave
from sojourn.workflow.loading import load_grant
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.revise import revise
from sojourn.workflow.submit import submit

HALF = timedelta(minutes=30)


async def asked(place: Workplace, person: PersonId = ALICE, minutes: int = 30) -> Request:
    outcome = await submit(
        place.office,
        person=person,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=minutes),
        reason="x",
        source="t",
    )
    assert isinstance(outcome, Request), outcome
    return outcome


async def yes(place: Workplace, request: Request, person: PersonId = BOB) -> Request | Refusal:
    digest = request.submitted.digest
    return await approve(place.office, request=request.id, person=person, digest=digest, source="t")


async def active(place: Workplace) -> Grant:
    request = await asked(place)
    await yes(place, request)
    grant = await activate(place.office, request=request.id, person=ALICE, source="t")
    assert isinstance(grant, Grant)
    sealer = FixedSealer()
    made = await confirm_provisioned(place.office, grant=grant.id, observed=["x"], secret=b"s", sealer=sealer)
    assert isinstance(made, Grant)
    return made


async def longer(place: Workplace, grant: Grant) -> Request:
    outcome = await extend(place.office, grant=grant.id, person=ALICE, duration=HALF, reason="more", source="t")
    assert isinstance(outcome, Request), outcome
    return outcome


async def test_an_extension_moves_the_end_only_when_it_is_approved_and_from_where_it_was() -> None:
    place = await Workplace.open()
    grant = await active(place)
    place.clock.advance(timedelta(minutes=20))
    more = await longer(place, grant)
    before = await load_grant(place.ledger, grant.id)
    assert before is not None and before.end == grant.end
    assert isinstance(refused := await yes(place, more, ALICE), Refusal) and refused.code is Code.APPROVAL_SELF
    await yes(place, more)
    after = await load_grant(place.ledger, grant.id)
    assert after is not None and after.end == grant.end + HALF and after.to_prolong


async def test_an_extension_approved_after_the_end_brings_nothing_back() -> None:
    place = await Workplace.open()
    grant = await active(place)
    more = await longer(place, grant)
    place.clock.advance(HALF)
    assert isinstance(await yes(place, more), Refusal)
    after = await load_grant(place.ledger, grant.id)
    assert after is not None and after.end == grant.end


async def test_a_request_that_is_changed_after_its_approval_needs_a_new_one() -> None:
    place = await Workplace.open()
    request = await asked(place, minutes=10)
    await yes(place, request)
    changed = await revise(
        place.office, request=request.id, person=ALICE, target=SHOP, role=READ, duration=HALF, reason="y", source="t"
    )
    assert isinstance(changed, Request) and changed.status is Status.PENDING and not changed.approvals
    assert isinstance(stale := await yes(place, request), Refusal) and stale.code is Code.REQUEST_CHANGED
    spent = await activate(place.office, request=request.id, person=ALICE, source="t")
    assert isinstance(spent, Refusal) and spent.code is Code.REQUEST_NOT_APPROVED
    assert isinstance(await yes(place, changed), Request)


async def test_an_approver_gives_less_and_never_more() -> None:
    place = await Workplace.open()
    request = await asked(place)
    digest = request.submitted.digest
    for role, minutes in ((READ, 30), (READ, 40), (AMEND, 10)):
        wide = await approve_less(
            place.office,
            request=request.id,
            person=BOB,
            digest=digest,
            role=role,
            duration=timedelta(minutes=minutes),
            source="t",
        )
        assert isinstance(wide, Refusal) and wide.code is Code.APPROVAL_NOT_LESS
    less = await approve_less(
        place.office,
        request=request.id,
        person=BOB,
        digest=digest,
        role=READ,
        duration=timedelta(minutes=5),
        source="t",
    )
    assert isinstance(less, Request) and less.status is Status.APPROVED and less.submitted.digest != digest
    grant = await activate(place.office, request=request.id, person=ALICE, source="t")
    assert isinstance(grant, Grant) and grant.window.length == timedelta(minutes=5)


async def away(place: Workplace, person: PersonId, delegate: PersonId) -> None:
    now = place.clock.now()
    declared = await declare_absence(
        place.office, person=person, start=now, end=now + timedelta(days=1), delegate=delegate, source="t"
    )
    assert not isinstance(declared, Refusal), declared


async def test_a_delegate_fills_the_place_of_who_is_away_and_no_chain_does() -> None:
    place = await Workplace.open()
    await away(place, BOB, DAVE)
    await away(place, DAVE, ERIN)
    request = await asked(place)
    chained = await yes(place, request, ERIN)
    assert isinstance(chained, Refusal) and chained.code is Code.APPROVAL_NOT_ENTITLED
    given = await yes(place, request, DAVE)
    assert isinstance(given, Request) and given.approved_by == (BOB,)


async def test_nobody_decides_on_their_own_request_through_a_delegation() -> None:
    place = await Workplace.open()
    await away(place, BOB, ALICE)
    own = await yes(place, await asked(place), ALICE)
    assert isinstance(own, Refusal) and own.code is Code.APPROVAL_SELF


async def test_who_leaves_is_nobody_at_once() -> None:
    place = await Workplace.open()
    grant = await active(place)
    pending = await asked(place, DAVE)
    left = await leave(place.office, person=ALICE, by=ERIN, reason="gone", source="t")
    assert not isinstance(left, Refusal)
    assert (await end_for_leaver(place.office, grant.id)).cause is EndCause.HOLDER_LEFT
    await leave(place.office, person=BOB, by=ERIN, reason="gone", source="t")
    assert isinstance(await yes(place, pending, BOB), Refusal)
    assert isinstance(await yes(place, pending, CAROL), Request)
    last = await leave(place.office, person=ERIN, by=ERIN, reason="me too", source="t")
    assert isinstance(last, Refusal) and last.code is Code.ADMINISTRATOR_LAST
