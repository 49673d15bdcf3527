"""Control "decided": no access without a recorded decision by an entitled person who is not the requester."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import GrantCreated, RequestApproved
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId
from sojourn.domain.policy import People
from sojourn.domain.request import Request
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, READ, SHOP, Workplace, with_rules, without
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.submit import submit

READING, AMENDING = CATALOGUE.rules


async def ask(place: Workplace, person: PersonId = ALICE) -> Request | Refusal:
    hour = timedelta(hours=1)
    return await submit(
        place.office, person=person, target=SHOP, role=READ, duration=hour, reason="INC-1", source="test"
    )


async def asked(place: Workplace) -> Request:
    request = await ask(place)
    assert isinstance(request, Request)
    return request


async def say_yes(place: Workplace, request: Request, person: PersonId = BOB, digest: str = "") -> Request | Refusal:
    shown = digest or request.submitted.digest
    return await approve(place.office, request=request.id, person=person, digest=shown, source="test")


async def begin(place: Workplace, request: Request) -> Grant | Refusal:
    return await activate(place.office, request=request.id, person=request.submitted.person, source="test")


def granted(place: Workplace) -> int:
    return sum(isinstance(one.event, GrantCreated) for one in place.ledger.entries)


async def test_an_access_begins_only_after_its_approval_is_on_record() -> None:
    place = await Workplace.open()
    request = await asked(place)
    early = await begin(place, request)
    assert isinstance(early, Refusal) and early.code is Code.REQUEST_NOT_APPROVED
    await say_yes(place, request)
    assert isinstance(await begin(place, request), Grant)
    approval = next(one for one in place.ledger.entries if isinstance(one.event, RequestApproved))
    creation = next(one for one in place.ledger.entries if isinstance(one.event, GrantCreated))
    assert approval.seq < creation.seq


async def test_the_record_of_a_decision_names_who_what_and_under_which_configuration() -> None:
    place = await Workplace.open()
    request = await asked(place)
    await say_yes(place, request)
    event = place.entries(f"request/{request.id}")[-1].event
    assert isinstance(event, RequestApproved)
    assert (event.person, event.digest, event.configuration_version) == (BOB, request.submitted.digest, 1)


@pytest.mark.parametrize(
    "catalogue",
    [
        with_rules(CATALOGUE),
        with_rules(CATALOGUE, AMENDING),
        with_rules(CATALOGUE, replace(READING, who=People())),
    ],
    ids=["every rule deleted", "the matching rule deleted", "nobody named"],
)
async def test_without_a_matching_rule_nothing_can_even_be_asked(catalogue: Catalogue) -> None:
    place = await Workplace.open(catalogue)
    outcome = await ask(place)
    assert isinstance(outcome, Refusal) and outcome.code is Code.POLICY_NO_RULE


@pytest.mark.parametrize("approvers", [People(), People(people=(ALICE,))], ids=["an empty group", "only the requester"])
async def test_a_request_that_nobody_can_decide_is_refused_and_never_approves_itself(approvers: People) -> None:
    place = await Workplace.open(with_rules(CATALOGUE, replace(READING, approvers=approvers)))
    outcome = await ask(place)
    assert isinstance(outcome, Refusal) and outcome.code is Code.POLICY_NO_APPROVER
    assert granted(place) == 0


async def test_a_rule_with_no_approvals_is_not_a_way_round_the_decision() -> None:
    place = await Workplace.open(with_rules(CATALOGUE, replace(READING, approvals=0)))
    request = await asked(place)
    assert isinstance(await begin(place, request), Refusal)
    await say_yes(place, request)
    assert isinstance(await begin(place, request), Grant)


async def test_an_approval_of_one_request_is_worth_nothing_for_another() -> None:
    place = await Workplace.open()
    shown, swapped = await asked(place), await asked(place)
    outcome = await say_yes(place, swapped, digest=shown.submitted.digest)
    assert isinstance(outcome, Refusal) and outcome.code is Code.REQUEST_CHANGED
    assert isinstance(await begin(place, swapped), Refusal)


@pytest.mark.parametrize(
    "catalogue",
    [
        without(CATALOGUE, BOB),
        with_rules(CATALOGUE, replace(READING, approvers=People(people=(CAROL,)))),
        with_rules(CATALOGUE, replace(READING, approvals=2)),
        with_rules(CATALOGUE, replace(READING, who=People(people=(DAVE,)))),
        without(CATALOGUE, ALICE),
        with_rules(CATALOGUE),
    ],
    ids=["approver left", "approver lost the right", "two now needed", "requester lost the right", "left", "no rule"],
)
async def test_an_access_not_yet_begun_needs_a_new_decision_when_its_grounds_are_gone(catalogue: Catalogue) -> None:
    place = await Workplace.open()
    request = await asked(place)
    await say_yes(place, request)
    await place.reconfigure(catalogue)
    assert isinstance(await begin(place, request), Refusal)
    assert granted(place) == 0
    assert len(place.attempts()) == 1


async def test_one_approval_is_one_access() -> None:
    place = await Workplace.open()
    request = await asked(place)
    await say_yes(place, request)
    assert isinstance(await begin(place, request), Grant)
    again = await begin(place, request)
    assert isinstance(again, Refusal) and again.code is Code.REQUEST_ALREADY_ACTIVATED
    assert granted(place) == 1
