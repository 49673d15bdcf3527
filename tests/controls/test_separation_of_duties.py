"""Control "separation of duties": nobody decides on their own request, and one person never fills two places."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.identifiers import PersonId, RoleName, TeamName
from sojourn.domain.people import Person, Team
from sojourn.domain.policy import People
from sojourn.domain.request import Request, Status
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, CATALOGUE, READ, SHOP, Workplace, with_rules
from sojourn.workflow.approve import approve
from sojourn.workflow.deny import deny
from sojourn.workflow.submit import submit

READING, AMENDING = CATALOGUE.rules
EVERYBODY = People(people=tuple(one.id for one in CATALOGUE.people))


async def asked(place: Workplace, person: PersonId = ALICE, role: RoleName = READ) -> Request:
    minute = timedelta(minutes=1)
    request = await submit(
        place.office, person=person, target=SHOP, role=role, duration=minute, reason="INC-1", source="test"
    )
    assert isinstance(request, Request)
    return request


@pytest.mark.parametrize("source", ["web", "api token", "mail link", "chat button", "command line", "worker"])
@pytest.mark.parametrize("verb", [approve, deny])
async def test_the_requester_decides_by_no_path_and_every_try_is_on_record(verb: type, source: str) -> None:
    place = await Workplace.open(with_rules(CATALOGUE, replace(READING, approvers=EVERYBODY)))
    request = await asked(place)
    outcome = await verb(place.office, request=request.id, person=ALICE, digest=request.submitted.digest, source=source)
    assert isinstance(outcome, Refusal) and outcome.code is Code.APPROVAL_SELF
    assert "alice" not in outcome.details["approvers"]
    (attempt,) = place.attempts()
    assert (attempt.actor, attempt.code, attempt.source) == (ALICE, "approval.self", source)
    assert place.kinds(f"request/{request.id}") == ("request.submitted",)


@pytest.mark.parametrize("alias", ["Alice", "ALICE", "alice ", "alice.", "alice+work", "\uff41lice"])
async def test_another_spelling_of_the_requester_is_nobody_who_may_decide(alias: str) -> None:
    place = await Workplace.open(with_rules(CATALOGUE, replace(READING, approvers=EVERYBODY)))
    request = await asked(place)
    outcome = await approve(
        place.office, request=request.id, person=PersonId(alias), digest=request.submitted.digest, source="test"
    )
    assert isinstance(outcome, Refusal) and outcome.code is Code.APPROVAL_NOT_ENTITLED


async def test_identity_is_the_account_and_not_the_mail_address() -> None:
    namesake = PersonId("alice2")
    people = (
        *(replace(one, mail="alice@shop.example") if one.id == ALICE else one for one in CATALOGUE.people),
        Person(id=namesake, name="Alice", mail="alice@shop.example"),
    )
    rules = (replace(READING, approvers=People(people=(namesake,))),)
    place = await Workplace.open(replace(CATALOGUE, people=people, rules=rules))
    request = await asked(place)
    digest = request.submitted.digest
    own = await approve(place.office, request=request.id, person=ALICE, digest=digest, source="test")
    assert isinstance(own, Refusal) and own.code is Code.APPROVAL_SELF
    other = await approve(place.office, request=request.id, person=namesake, digest=digest, source="test")
    assert isinstance(other, Request) and other.status is Status.APPROVED


async def test_a_person_in_several_approving_teams_is_one_approval() -> None:
    teams = (*CATALOGUE.teams, Team(name=TeamName("security"), members=(BOB,)))
    approvers = People(people=(BOB,), teams=(TeamName("leads"), TeamName("security")))
    place = await Workplace.open(replace(CATALOGUE, teams=teams, rules=(replace(AMENDING, approvers=approvers),)))
    request = await asked(place, role=AMEND)
    digest = request.submitted.digest
    first = await approve(place.office, request=request.id, person=BOB, digest=digest, source="test")
    assert isinstance(first, Request) and first.status is Status.PENDING
    for _ in range(3):
        again = await approve(place.office, request=request.id, person=BOB, digest=digest, source="test")
        assert isinstance(again, Refusal) and again.code is Code.APPROVAL_REPEATED
    second = await approve(place.office, request=request.id, person=CAROL, digest=digest, source="test")
    assert isinstance(second, Request) and second.status is Status.APPROVED


async def test_a_change_of_approvers_does_not_reach_requests_that_stand_already() -> None:
    place = await Workplace.open()
    request = await asked(place)
    accomplice = PersonId("dave")
    await place.reconfigure(with_rules(CATALOGUE, replace(READING, approvers=People(people=(accomplice,)))))
    outcome = await approve(
        place.office, request=request.id, person=accomplice, digest=request.submitted.digest, source="test"
    )
    assert isinstance(outcome, Refusal) and outcome.code is Code.APPROVAL_NOT_ENTITLED


async def test_where_rules_overlap_an_approver_of_one_of_them_is_not_enough() -> None:
    overlapping = (READING, replace(READING, approvers=People(people=(CAROL,))))
    place = await Workplace.open(with_rules(CATALOGUE, *overlapping))
    request = await asked(place)
    digest = request.submitted.digest
    outcome = await approve(place.office, request=request.id, person=BOB, digest=digest, source="test")
    assert isinstance(outcome, Refusal) and outcome.code is Code.APPROVAL_NOT_ENTITLED
    both = await approve(place.office, request=request.id, person=CAROL, digest=digest, source="test")
    assert isinstance(both, Request)
