"""A change of the configuration takes two people, counts for what was shown, and locks nobody out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.change import Proposal, Status
from sojourn.domain.events import ConfigurationAdopted, RequestSubmitted
from sojourn.domain.identifiers import CHANGES, CONFIGURATION, ChangeId, PersonId
from sojourn.domain.people import PersonKind
from sojourn.domain.policy import People
from sojourn.errors import Code, Refusal, SojournError
from sojourn.testing.organisation import (
    ALICE,
    BOB,
    CAROL,
    CATALOGUE,
    DAVE,
    ERIN,
    FRANK,
    READ,
    SHOP,
    Workplace,
    with_rules,
    without,
)
from sojourn.workflow.adopt import adopt, load_adopted
from sojourn.workflow.approve import approve
from sojourn.workflow.change import approve_change, load_changes, propose, withdraw_change
from sojourn.workflow.leave import leave
from sojourn.workflow.submit import submit

READING, AMENDING = CATALOGUE.rules
FILES = {"people.yaml": b"people", "policy.yaml": b"rules", "targets.yaml": b"targets"}


def administered(catalogue: Catalogue, *administrators: PersonId) -> Catalogue:
    people = tuple(replace(one, administrator=one.id in administrators) for one in catalogue.people)
    return replace(catalogue, people=people)


TWO = administered(CATALOGUE, ERIN, CAROL)
SHORTER = with_rules(TWO, replace(READING, longest=timedelta(minutes=5)), AMENDING)


async def workplace() -> Workplace:
    return await Workplace.open(TWO)


async def proposed(place: Workplace, catalogue: Catalogue = SHORTER, person: PersonId = ERIN) -> Proposal:
    made = await propose(place.office, person=person, catalogue=catalogue, files=FILES, reason="why", source="test")
    assert isinstance(made, Proposal), made
    return made


async def approved(place: Workplace, made: Proposal, person: PersonId = CAROL, digest: str = "") -> Proposal | Refusal:
    answer = await approve_change(
        place.office,
        attachment=place.ledger.attachment,
        change=made.proposed.change,
        person=person,
        digest=digest or made.proposed.digest,
        source="test",
    )
    await followed(place)
    return answer


async def followed(place: Workplace) -> None:
    """What control does by itself: take what is on record as in force."""
    now = await load_adopted(place.ledger)
    assert now is not None
    if now.version != place.adopted[-1].version:
        place.adopted.append(now)


def code(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    assert answer.sentence and answer.next_step
    return answer.code


async def test_nothing_changes_before_a_second_person_has_approved() -> None:
    place = await workplace()
    made = await proposed(place)
    assert await load_adopted(place.ledger) == place.adopted[-1]
    answer = await approved(place, made)
    assert isinstance(answer, Proposal)
    assert (answer.status, answer.decided_by, answer.version) == (Status.APPROVED, CAROL, 2)
    now = place.office.in_force()
    assert (now.version, now.catalogue) == (2, SHORTER)
    (adoption,) = [one.event for one in place.entries(CONFIGURATION)][1:]
    assert isinstance(adoption, ConfigurationAdopted)
    assert (adoption.proposed_by, adoption.approved_by, adoption.operator) == (ERIN, CAROL, "")
    assert adoption.change == made.proposed.change


async def test_every_decision_names_the_version_in_force() -> None:
    place = await workplace()
    await approved(place, await proposed(place))
    asked = await submit(
        place.office,
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=5),
        reason="r",
        source="test",
    )
    assert not isinstance(asked, Refusal)
    assert asked.submitted.configuration_version == 2
    given = await approve(place.office, request=asked.id, person=BOB, digest=asked.submitted.digest, source="test")
    assert not isinstance(given, Refusal)
    assert [one.event.configuration_version for one in place.entries(f"request/{asked.id}")] == [2, 2]  # type: ignore[union-attr]
    assert isinstance(place.entries(f"request/{asked.id}")[0].event, RequestSubmitted)


async def test_nobody_approves_what_they_proposed() -> None:
    place = await workplace()
    made = await proposed(place)
    assert code(await approved(place, made, ERIN)) is Code.CHANGE_SELF
    assert place.office.in_force().version == 1


@pytest.mark.parametrize("person", [ALICE, FRANK, PersonId("mallory"), PersonId("Carol")])
async def test_only_an_administrator_proposes_approves_or_withdraws(person: PersonId) -> None:
    place = await workplace()
    made = await proposed(place)
    asked = await propose(place.office, person=person, catalogue=TWO, files=FILES, reason="", source="test")
    assert code(asked) is Code.PERMISSION_DENIED
    assert code(await approved(place, made, person)) is Code.PERMISSION_DENIED
    off = await withdraw_change(place.office, change=made.proposed.change, person=person, source="test")
    assert code(off) is Code.PERMISSION_DENIED
    assert len(place.attempts()) == 3


async def test_an_approval_counts_for_nothing_but_what_was_shown() -> None:
    place = await workplace()
    made = await proposed(place)
    other = await proposed(place, with_rules(TWO, READING))
    assert code(await approved(place, made, digest=other.proposed.digest)) is Code.CHANGE_OTHER


async def test_a_proposal_for_a_version_that_is_no_longer_in_force_cannot_be_approved() -> None:
    place = await workplace()
    first, second = await proposed(place), await proposed(place, with_rules(TWO, READING), CAROL)
    assert isinstance(await approved(place, first), Proposal)
    assert code(await approved(place, second, ERIN)) is Code.CHANGE_OUTDATED


async def test_a_change_is_decided_once() -> None:
    place = await workplace()
    made = await proposed(place)
    off = await withdraw_change(place.office, change=made.proposed.change, person=ERIN, source="test")
    assert isinstance(off, Proposal) and off.status is Status.WITHDRAWN
    assert code(await approved(place, made)) is Code.CHANGE_NOT_PENDING
    again = await withdraw_change(place.office, change=made.proposed.change, person=CAROL, source="test")
    assert code(again) is Code.CHANGE_NOT_PENDING
    unknown = await withdraw_change(place.office, change=ChangeId("c-none"), person=CAROL, source="test")
    assert code(unknown) is Code.CHANGE_UNKNOWN


async def test_what_is_in_force_is_nothing_to_propose() -> None:
    place = await workplace()
    same = await propose(place.office, person=ERIN, catalogue=TWO, files=FILES, reason="", source="test")
    assert code(same) is Code.CHANGE_NOTHING


@pytest.mark.parametrize(
    "catalogue",
    [
        administered(CATALOGUE, CAROL, BOB),
        administered(CATALOGUE, ERIN),
        without(TWO, ERIN),
        with_rules(TWO),
    ],
    ids=["the author no administrator", "one administrator", "the author gone", "no access for anybody"],
)
async def test_a_change_that_would_lock_out_its_author_or_everybody_is_refused(catalogue: Catalogue) -> None:
    place = await workplace()
    asked = await propose(place.office, person=ERIN, catalogue=catalogue, files=FILES, reason="", source="test")
    assert code(asked) is Code.CHANGE_LOCKS_OUT
    assert place.entries(CHANGES) == ()


async def test_a_change_that_names_only_approvers_who_have_left_is_refused_though_others_keep_theirs() -> None:
    place = await Workplace.open(with_rules(TWO, READING, replace(AMENDING, approvals=1)))
    for person in (BOB, DAVE):
        await leave(place.office, person=person, by=ERIN, reason="", source="test")
    gone = replace(READING, approvers=People(people=(BOB, DAVE)))
    asked = await propose(
        place.office,
        person=ERIN,
        catalogue=with_rules(TWO, gone, replace(AMENDING, approvals=1)),
        files=FILES,
        reason="",
        source="test",
    )
    assert code(asked) is Code.CHANGE_LOCKS_OUT
    assert isinstance(asked, Refusal) and f"approve read on shop by {READING.name}" in asked.details["problem"]


async def test_nothing_can_be_asked_whose_only_approvers_have_left_though_the_rule_still_names_them() -> None:
    named = replace(READING, approvers=People(people=(BOB, CAROL)), approvals=2)
    place = await Workplace.open(with_rules(TWO, named, AMENDING))
    await leave(place.office, person=BOB, by=ERIN, reason="", source="test")
    asked = await submit(
        place.office, person=ALICE, target=SHOP, role=READ, duration=timedelta(minutes=5), reason="r", source="test"
    )
    assert code(asked) is Code.POLICY_NO_APPROVER


async def test_a_rule_may_go_whoever_could_get_something_by_it() -> None:
    place = await workplace()
    answer = await approved(place, await proposed(place, with_rules(TWO, READING)))
    assert isinstance(answer, Proposal) and answer.status is Status.APPROVED


async def test_an_administrator_who_has_left_counts_for_nothing() -> None:
    place = await Workplace.open(administered(CATALOGUE, ERIN, CAROL, BOB))
    made = await proposed(place, with_rules(administered(CATALOGUE, ERIN, CAROL), READING))
    await leave(place.office, person=CAROL, by=BOB, reason="", source="test")
    assert code(await approved(place, made, CAROL)) is Code.PERMISSION_DENIED
    assert code(await approved(place, made, BOB)) is Code.CHANGE_LOCKS_OUT


async def test_an_operator_alone_changes_nothing_once_there_are_two_administrators() -> None:
    place = await workplace()
    with pytest.raises(SojournError) as raised:
        await adopt(place.ledger, catalogue=SHORTER, files=FILES, operator="root")
    assert raised.value.code is Code.CHANGE_NEEDS_APPROVAL
    assert await load_adopted(place.ledger) == place.adopted[-1]
    same = await adopt(place.ledger, catalogue=TWO, files=FILES, operator="root")
    assert same.version == 1


async def test_the_operator_adopts_alone_as_long_as_there_is_no_second_administrator() -> None:
    place = await Workplace.open(CATALOGUE)
    asked = await propose(place.office, person=ERIN, catalogue=TWO, files=FILES, reason="", source="test")
    assert code(asked) is Code.CHANGE_NO_SECOND_PERSON
    now = await adopt(place.ledger, catalogue=TWO, files=FILES, operator="root")
    assert now.version == 2
    event = place.entries(CONFIGURATION)[-1].event
    assert isinstance(event, ConfigurationAdopted) and (event.operator, event.change) == ("root", "")


async def test_when_the_second_administrator_has_left_the_operator_can_help() -> None:
    place = await workplace()
    await leave(place.office, person=CAROL, by=ERIN, reason="", source="test")
    now = await adopt(place.ledger, catalogue=administered(CATALOGUE, ERIN, BOB), files=FILES, operator="root")
    assert now.version == 2


async def test_two_approvals_at_once_adopt_once() -> None:
    place = await Workplace.open(administered(CATALOGUE, ERIN, CAROL, BOB))
    made = await proposed(place, with_rules(administered(CATALOGUE, ERIN, CAROL, BOB), READING))
    assert isinstance(await approved(place, made, CAROL), Proposal)
    assert code(await approved(place, made, BOB)) is Code.CHANGE_NOT_PENDING
    assert len(place.entries(CONFIGURATION)) == 2


async def test_an_approval_on_what_was_in_force_a_moment_ago_is_decided_again() -> None:
    place = await workplace()
    made = await proposed(place)
    stale: list[Adopted] = [place.office.in_force()]
    other = await proposed(place, with_rules(TWO, READING), CAROL)
    assert isinstance(await approved(place, other, ERIN), Proposal)
    office = replace(place.office, in_force=lambda: stale.pop() if stale else place.in_force())
    answer = await approve_change(
        office,
        attachment=place.ledger.attachment,
        change=made.proposed.change,
        person=CAROL,
        digest=made.proposed.digest,
        source="test",
    )
    assert code(answer) is Code.CHANGE_OUTDATED
    assert len(place.entries(CONFIGURATION)) == 2


async def test_an_agent_never_stands_in_for_the_second_person() -> None:
    agent = replace(TWO.people[0], id=PersonId("bot"), kind=PersonKind.AGENT, owner=ERIN, administrator=False)
    place = await Workplace.open(replace(TWO, people=(*TWO.people, agent)))
    made = await proposed(place, with_rules(replace(TWO, people=(*TWO.people, agent)), READING))
    assert code(await approved(place, made, PersonId("bot"))) is Code.PERMISSION_DENIED


async def test_proposals_are_folded_from_the_record() -> None:
    place = await workplace()
    made = await proposed(place)
    await approved(place, made)
    state = await load_changes(place.ledger)
    assert [(one.status, one.version) for one in state.proposals.values()] == [(Status.APPROVED, 2)]
    assert place.kinds(CHANGES) == ("configuration.proposed", "configuration.approved")
