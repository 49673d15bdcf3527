"""Separation of duties as people meet it: judged by what is on record at the moment when somebody acts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from sojourn.domain.campaign import Campaign
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import ReviewOpened, ReviewOutcome
from sojourn.domain.fact import Tell
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import FactKind, Person, PersonKind
from sojourn.domain.policy import Done, Duty, Facts, People, Separation
from sojourn.domain.policy.rules import ReviewRule
from sojourn.domain.request import Request
from sojourn.domain.review import CHECKLIST, Review
from sojourn.errors import Code, Refusal
from sojourn.projections.gathering import gathering, taking_part
from sojourn.projections.projector import Projections
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, ERIN, FRANK, READ, SHOP, Workplace
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.certifying import decide_item, open_campaign
from sojourn.workflow.end_early import end_early
from sojourn.workflow.ports import Access
from sojourn.workflow.reviewing import conclude, open_review
from sojourn.workflow.submit import submit
from sojourn.workflow.tell import tell

TRACKER = PersonId("tracker")
HOUR = timedelta(hours=1)
READING, AMENDING = CATALOGUE.rules
EVERYBODY = People(people=(ALICE, BOB, CAROL, DAVE, ERIN, FRANK))


def company(*apart: Duty) -> Catalogue:
    """Everybody may do everything, but for what is apart."""
    program = Person(id=TRACKER, name="Tracker", kind=PersonKind.SERVICE, owner=FRANK, tells=(FactKind.TICKET,))
    reading = replace(
        READING, who=EVERYBODY, approvers=EVERYBODY, review=ReviewRule(within=HOUR, by=EVERYBODY), reason_required=False
    )
    return replace(
        CATALOGUE,
        people=(*CATALOGUE.people, program),
        rules=(reading, AMENDING),
        separations=(Separation(name="apart", apart=apart),) if apart else (),
    )


@dataclass(slots=True)
class Firm:
    """A workplace that knows from its own record who did what."""

    place: Workplace
    models: Projections

    @classmethod
    async def open(cls, *apart: Duty) -> Firm:
        place = await Workplace.open(company(*apart))
        firm = cls(place, Projections.open(None))
        gather, parts = gathering(firm.models, place.in_force), taking_part(firm.models, place.in_force)

        def gathered(declared: Facts, access: Access, now: datetime) -> Facts:
            firm.catch_up()
            return gather(declared, access, now)

        def took_part(access: Access) -> Done:
            firm.catch_up()
            return parts(access)

        place.office = replace(place.office, gather=gathered, took_part=took_part)
        return firm

    def catch_up(self) -> None:
        """Let the read models know all that is on record."""
        self.models.apply(self.place.ledger.entries[self.models.following :])

    async def administered_by(self, *administrators: PersonId) -> None:
        """Put a configuration in force in which these administer."""
        catalogue = self.place.adopted[-1].catalogue
        people = tuple(replace(one, administrator=one.id in administrators) for one in catalogue.people)
        await self.place.reconfigure(replace(catalogue, people=people))

    async def asks(self, person: PersonId = ALICE, executing: tuple[PersonId, ...] = ()) -> Request | Refusal:
        facts = Facts()
        if executing:
            await self.names(*executing)
            facts = Facts(ticket_named="CHG-1")
        return await submit(
            self.place.office,
            person=person,
            target=SHOP,
            role=READ,
            duration=HOUR,
            reason="",
            source="test",
            facts=facts,
        )

    async def names(self, *executing: PersonId) -> None:
        """The ticket names these people to carry it out from now on."""
        command = Tell(
            fact=FactKind.TICKET,
            subject="CHG-1",
            person=TRACKER,
            until=self.place.clock.now() + HOUR,
            origin="test",
            source="test",
            state="approved",
            sort="change",
            people=executing,
        )
        assert not isinstance(await tell(self.place.office, command), Refusal)

    async def asked(self, executing: tuple[PersonId, ...] = ()) -> Request:
        request = await self.asks(executing=executing)
        assert isinstance(request, Request), request
        return request

    async def approves(self, person: PersonId, request: Request) -> Request | Refusal:
        digest = request.submitted.digest
        return await approve(self.place.office, request=request.id, person=person, digest=digest, source="test")

    async def had(self, approver: PersonId = BOB, executing: tuple[PersonId, ...] = ()) -> Grant:
        """An access of alice's that is over."""
        request = await self.asked(executing)
        assert isinstance(await self.approves(approver, request), Request)
        grant = await activate(self.place.office, request=request.id, person=ALICE, source="test")
        assert isinstance(grant, Grant), grant
        ended = await end_early(self.place.office, grant=grant.id, person=ALICE, source="test")
        assert isinstance(ended, Grant)
        return ended

    async def reviewers(self, grant: Grant) -> tuple[PersonId, ...]:
        assert await open_review(self.place.office, grant=grant.id, ended_at=self.place.clock.now(), used=True)
        (entry,) = self.place.entries(f"review/{grant.id}")
        assert isinstance(entry.event, ReviewOpened)
        return entry.event.reviewers

    async def reviews(self, person: PersonId, grant: Grant) -> Review | Refusal:
        return await conclude(
            self.place.office,
            grant=grant.id,
            person=person,
            outcome=ReviewOutcome.APPROPRIATE,
            answers=("yes",) * len(CHECKLIST),
            remark="",
            seen=(1, 1, 0),
            source="test",
        )

    async def campaign(self) -> Campaign:
        opened = await open_campaign(
            self.place.office,
            title="spring",
            person=ERIN,
            reviewers=(BOB, CAROL, DAVE, ERIN, FRANK),
            due=self.place.clock.now() + HOUR,
            source="test",
        )
        assert isinstance(opened, Campaign), opened
        return opened

    async def certifies(self, person: PersonId, campaign: Campaign) -> Campaign | Refusal:
        """Keep what alice may read."""
        number = next(one.number for one in campaign.items if (one.person, one.role) == (ALICE, READ))
        return await decide_item(
            self.place.office,
            campaign=campaign.id,
            number=number,
            person=person,
            keep=True,
            comment="",
            source="test",
        )


def apart(answer: object, duty: Duty, other: Duty) -> bool:
    """Whether that is the refusal that names these duties."""
    assert isinstance(answer, Refusal), answer
    return answer.code is Code.POLICY_DUTIES_APART and (answer.details["duty"], answer.details["other"]) == (
        duty,
        other,
    )


async def test_where_nothing_is_apart_one_person_may_do_all_that_is_not_about_themselves() -> None:
    firm = await Firm.open()
    grant = await firm.had(approver=ERIN, executing=(ERIN,))
    assert ERIN not in await firm.reviewers(grant)  # Who decided on it never reviews it.
    assert isinstance(await firm.reviews(CAROL, grant), Review)
    assert isinstance(await firm.certifies(CAROL, await firm.campaign()), Campaign)
    assert isinstance(await firm.asks(ERIN), Request)


@pytest.mark.parametrize("duty", [Duty.REQUEST, Duty.EXECUTE], ids=lambda one: one.value)
async def test_an_administrator_gets_no_access_where_asking_or_executing_is_apart_from_it(duty: Duty) -> None:
    firm = await Firm.open(duty, Duty.ADMINISTER)
    assert apart(await firm.asks(ERIN), duty, Duty.ADMINISTER)
    assert isinstance(await firm.asks(ALICE), Request)


async def test_nobody_is_named_to_execute_who_administers_where_that_is_apart() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.ADMINISTER)
    refusal = await firm.asks(ALICE, executing=(DAVE, ERIN))
    assert apart(refusal, Duty.EXECUTE, Duty.ADMINISTER)
    assert isinstance(refusal, Refusal) and refusal.details["person"] == ERIN


async def test_somebody_who_becomes_administrator_after_the_approval_does_not_begin_the_access() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.ADMINISTER)
    request = await firm.asked()
    assert isinstance(await firm.approves(BOB, request), Request)
    people = (
        replace(one, administrator=one.administrator or one.id == ALICE)
        for one in firm.place.adopted[-1].catalogue.people
    )
    await firm.place.reconfigure(replace(firm.place.adopted[-1].catalogue, people=tuple(people)))
    assert apart(
        await activate(firm.place.office, request=request.id, person=ALICE, source="test"),
        Duty.EXECUTE,
        Duty.ADMINISTER,
    )


async def test_who_is_to_execute_does_not_approve_where_that_is_apart() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.APPROVE)
    request = await firm.asked(executing=(BOB,))
    answer = await firm.approves(BOB, request)
    assert isinstance(answer, Refusal) and answer.code is Code.APPROVAL_NOT_ENTITLED
    assert isinstance(await firm.approves(CAROL, request), Request)


async def test_who_is_named_to_execute_after_the_request_does_not_approve_any_more() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.APPROVE)
    request = await firm.asked(executing=(DAVE,))
    await firm.asks(ALICE, executing=(DAVE, BOB))  # The ticket names bob from now on.
    answer = await firm.approves(BOB, request)
    assert isinstance(answer, Refusal) and answer.code is Code.APPROVAL_NOT_ENTITLED


async def test_who_was_to_execute_does_not_review_where_that_is_apart() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.REVIEW)
    grant = await firm.had(executing=(CAROL,))
    assert await firm.reviewers(grant) == (DAVE, ERIN, FRANK)
    assert isinstance(await firm.reviews(CAROL, grant), Refusal)


async def test_whom_the_ticket_named_after_the_request_does_not_review_though_it_names_somebody_else_by_then() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.REVIEW)
    grant = await firm.had(executing=(CAROL,))
    await firm.names(DAVE)
    await firm.names()
    assert await firm.reviewers(grant) == (ERIN, FRANK)
    await firm.names(ERIN)
    assert apart(await firm.reviews(ERIN, grant), Duty.REVIEW, Duty.EXECUTE)
    assert isinstance(await firm.reviews(FRANK, grant), Review)


async def test_whom_the_ticket_named_after_the_request_does_not_certify_though_it_names_somebody_else_by_then() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.CERTIFY)
    await firm.had(executing=(CAROL,))
    await firm.names(DAVE)
    await firm.names()
    campaign = await firm.campaign()
    for person in (CAROL, DAVE):
        assert apart(await firm.certifies(person, campaign), Duty.CERTIFY, Duty.EXECUTE)
    assert isinstance(await firm.certifies(ERIN, campaign), Campaign)


async def test_nobody_keeps_a_reviewer_away_by_what_they_tell_themselves() -> None:
    firm = await Firm.open(Duty.EXECUTE, Duty.REVIEW)
    people = (
        replace(one, owner=ALICE) if one.id == TRACKER else one for one in firm.place.adopted[-1].catalogue.people
    )
    await firm.place.reconfigure(replace(firm.place.adopted[-1].catalogue, people=tuple(people)))
    grant = await firm.had(executing=(CAROL,))
    assert CAROL in await firm.reviewers(grant)
    assert isinstance(await firm.reviews(CAROL, grant), Review)


async def test_every_conclusion_and_confirmation_names_the_version_that_it_was_made_under() -> None:
    firm = await Firm.open()
    await firm.administered_by(ERIN, CAROL)
    grant, campaign = await firm.had(), await firm.campaign()
    await firm.reviewers(grant)
    assert isinstance(await firm.reviews(CAROL, grant), Review)
    assert isinstance(await firm.certifies(CAROL, campaign), Campaign)
    version = firm.place.adopted[-1].version
    assert version > 1
    for stream in (f"review/{grant.id}", f"campaign/{campaign.id}"):
        assert firm.place.entries(stream)[-1].event.configuration_version == version  # type: ignore[union-attr]


async def test_an_administrator_reviews_nothing_where_that_is_apart_not_even_when_it_is_overdue() -> None:
    firm = await Firm.open(Duty.REVIEW, Duty.ADMINISTER)
    grant = await firm.had()
    assert ERIN not in await firm.reviewers(grant)
    await firm.administered_by(CAROL)
    assert apart(await firm.reviews(CAROL, grant), Duty.REVIEW, Duty.ADMINISTER)
    assert isinstance(await firm.reviews(DAVE, grant), Review)


async def test_who_certified_an_access_does_not_approve_it_where_that_is_apart() -> None:
    firm = await Firm.open(Duty.CERTIFY, Duty.APPROVE)
    before = await firm.asked()
    assert isinstance(await firm.certifies(CAROL, await firm.campaign()), Campaign)
    for request in (before, await firm.asked()):
        answer = await firm.approves(CAROL, request)
        assert isinstance(answer, Refusal) and answer.code is Code.APPROVAL_NOT_ENTITLED
        assert isinstance(await firm.approves(BOB, request), Request)


@pytest.mark.parametrize("duty", [Duty.APPROVE, Duty.EXECUTE, Duty.REVIEW], ids=lambda one: one.value)
async def test_who_had_a_part_in_such_an_access_does_not_certify_it_where_that_is_apart(duty: Duty) -> None:
    firm = await Firm.open(Duty.CERTIFY, duty)
    grant = await firm.had(approver=BOB, executing=(DAVE,))
    await firm.reviewers(grant)
    assert isinstance(await firm.reviews(CAROL, grant), Review)
    campaign = await firm.campaign()
    did = {Duty.APPROVE: BOB, Duty.EXECUTE: DAVE, Duty.REVIEW: CAROL}
    assert apart(await firm.certifies(did[duty], campaign), Duty.CERTIFY, duty)
    free = next(one for other, one in did.items() if other is not duty)
    assert isinstance(await firm.certifies(free, campaign), Campaign)


async def test_who_certified_an_access_is_not_named_to_execute_where_that_is_apart() -> None:
    firm = await Firm.open(Duty.CERTIFY, Duty.EXECUTE)
    assert isinstance(await firm.certifies(CAROL, await firm.campaign()), Campaign)
    assert apart(await firm.asks(executing=(CAROL,)), Duty.EXECUTE, Duty.CERTIFY)
    assert isinstance(await firm.asks(executing=(DAVE,)), Request)


async def test_who_certified_an_access_does_not_review_it_even_if_they_did_so_after_it_was_opened() -> None:
    firm = await Firm.open(Duty.CERTIFY, Duty.REVIEW)
    first, campaign = await firm.had(), await firm.campaign()
    assert CAROL in await firm.reviewers(first)
    assert isinstance(await firm.certifies(CAROL, campaign), Campaign)
    assert apart(await firm.reviews(CAROL, first), Duty.REVIEW, Duty.CERTIFY)
    assert CAROL not in await firm.reviewers(await firm.had())


async def test_an_administrator_certifies_nothing_where_that_is_apart() -> None:
    firm = await Firm.open(Duty.CERTIFY, Duty.ADMINISTER)
    campaign = await firm.campaign()
    assert not any(ERIN in one.reviewers for one in campaign.items)
    assert isinstance(await firm.certifies(ERIN, campaign), Refusal)
    await firm.administered_by(CAROL)
    assert apart(await firm.certifies(CAROL, campaign), Duty.CERTIFY, Duty.ADMINISTER)
    assert isinstance(await firm.certifies(FRANK, campaign), Campaign)


async def test_every_refusal_by_a_separation_is_on_record_with_both_duties() -> None:
    firm = await Firm.open(Duty.CERTIFY, Duty.APPROVE)
    await firm.had(approver=BOB)
    await firm.certifies(BOB, await firm.campaign())
    attempt = firm.place.attempts()[-1]
    assert (attempt.verb, attempt.actor, attempt.code) == ("certify", BOB, Code.POLICY_DUTIES_APART)
    assert dict(attempt.details) == {"person": BOB, "duty": "certify", "other": "approve"}
