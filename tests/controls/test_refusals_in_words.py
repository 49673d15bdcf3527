"""Control "a refusal says why": an approver whose word does not count is told each reason there is, in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RuleName
from sojourn.domain.people import Person, PersonKind
from sojourn.domain.policy import Duty, Exclusion, Facts, People, Separation, When
from sojourn.domain.request import Request
from sojourn.errors import Code, Refusal
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
from sojourn.workflow.approve import approve
from sojourn.workflow.approve_less import approve_less
from sojourn.workflow.leave import leave
from sojourn.workflow.submit import submit

READING, AMENDING = CATALOGUE.rules
ROBOT = PersonId("alice-robot")
WITH_ROBOT = replace(
    CATALOGUE, people=(*CATALOGUE.people, Person(id=ROBOT, name="Robot", kind=PersonKind.SERVICE, owner=ALICE))
)
MANAGED = replace(
    CATALOGUE, people=tuple(replace(one, manager=BOB if one.id == ALICE else None) for one in CATALOGUE.people)
)
LEADS_AND_DAVE = People(people=(BOB, CAROL, DAVE))


@dataclass(frozen=True, kw_only=True)
class Case:
    """What holds when it is asked, what when `person` says yes, and what they are told then."""

    person: PersonId = BOB
    before: Catalogue = CATALOGUE
    after: Catalogue | None = None
    facts: Facts = field(default_factory=Facts)
    leaves: bool = False
    why: tuple[str, ...]
    decide: str = "bob, carol"


EXCLUDED = {
    Exclusion.MANAGER: ("the manager of whoever asks", Facts(), MANAGED),
    Exclusion.RECIPROCAL: ("whoever asks lately approved", Facts(approved_by_requester=(BOB,)), CATALOGUE),
    Exclusion.DEPLOYER: ("they deployed what runs there", Facts(deployed=(BOB,)), CATALOGUE),
    Exclusion.EXECUTOR: ("they are to carry it out", Facts(executing=(BOB,)), CATALOGUE),
}
CASES = {
    "nobody of that name": Case(person=PersonId("Bob"), why=("there is nobody of that name",)),
    "somebody who has left": Case(leaves=True, why=("they have left",), decide="carol"),
    "somebody the files do not know any more": Case(
        after=without(CATALOGUE, BOB), why=("there is nobody of that name",), decide="carol"
    ),
    "a program": Case(person=ROBOT, before=WITH_ROBOT, why=("a program (service) decides on nothing",)),
    "somebody whom no rule names": Case(person=ERIN, why=("rule reading does not name them", "nobody who is away")),
    "somebody whom a rule names since": Case(
        person=DAVE,
        after=with_rules(CATALOGUE, replace(READING, approvers=LEADS_AND_DAVE), AMENDING),
        why=("were not among those who might decide when it was asked",),
    ),
    "somebody whom the rule names no more": Case(
        after=with_rules(CATALOGUE, replace(READING, approvers=People(people=(CAROL, DAVE))), AMENDING),
        why=("they might decide when it was asked", "rule reading names other people by now"),
        decide="carol",
    ),
    "a rule that is gone": Case(
        after=with_rules(
            CATALOGUE, replace(READING, name=RuleName("new"), approvers=People(people=(CAROL, FRANK))), AMENDING
        ),
        why=("rule reading is gone", "rule new applies now"),
        decide="carol",
    ),
    "a rule of which a condition fails": Case(
        after=with_rules(
            CATALOGUE,
            replace(READING, when=When(incident=True)),
            replace(READING, name=RuleName("other"), approvers=People(people=(CAROL, FRANK))),
            AMENDING,
        ),
        why=("rule reading does not apply any more (no incident", "rule other applies now"),
        decide="carol",
    ),
    "nothing allows it any more": Case(
        after=with_rules(CATALOGUE, AMENDING),
        why=("could not even be asked", "no rule is about it"),
        decide="nobody at present",
    ),
    "a duty kept apart": Case(
        before=replace(CATALOGUE, separations=(Separation(name="x", apart=(Duty.APPROVE, Duty.EXECUTE)),)),
        facts=Facts(executing=(BOB,)),
        why=("the policy keeps apart to approve and to execute",),
        decide="carol",
    ),
    **{
        f"excluded: {exclusion}": Case(
            before=with_rules(people, replace(READING, excluded=(exclusion,)), AMENDING),
            facts=facts,
            why=(said,),
            decide="carol",
        )
        for exclusion, (said, facts, people) in EXCLUDED.items()
    },
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_an_approver_whose_word_does_not_count_is_told_why(case: Case) -> None:
    place = await Workplace.open(case.before)
    request = await submit(
        place.office,
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=1),
        reason="r",
        source="test",
        facts=case.facts,
    )
    assert isinstance(request, Request), request
    if case.after is not None:
        await place.reconfigure(case.after)
    if case.leaves:
        await leave(place.office, person=case.person, by=ERIN, reason="", source="test")
    digest = request.submitted.digest
    answer = await approve(place.office, request=request.id, person=case.person, digest=digest, source="test")
    assert isinstance(answer, Refusal) and answer.code is Code.APPROVAL_NOT_ENTITLED, answer
    for said in case.why:
        assert said in answer.sentence
    assert answer.next_step == f"These people can decide: {case.decide}."
    attempt = place.attempts()[-1]
    assert dict(attempt.details)["why"] == answer.details["why"], "the record says the same"


async def test_approving_less_of_what_one_may_not_decide_on_is_told_the_same() -> None:
    place = await Workplace.open()
    request = await submit(
        place.office, person=ALICE, target=SHOP, role=READ, duration=timedelta(minutes=2), reason="r", source="test"
    )
    assert isinstance(request, Request)
    answer = await approve_less(
        place.office,
        request=request.id,
        person=ERIN,
        digest=request.submitted.digest,
        role=READ,
        duration=timedelta(minutes=1),
        source="test",
    )
    assert isinstance(answer, Refusal) and "rule reading does not name them" in answer.sentence
