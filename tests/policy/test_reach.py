"""Who can get what under the standing of people: the same as asking, for everybody, what would be answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import TeamsBlocked
from sojourn.domain.identifiers import CampaignId, GrantId, PersonId, RoleName, TargetName
from sojourn.domain.policy import BreakGlassRule, Decision, People, Question, Rule, undecidable
from sojourn.domain.reach import accesses_of, who_can
from sojourn.domain.standing import DIRECTORY, Removal, Standing
from sojourn.errors import Refusal

from .world import (
    ANN,
    BEN,
    BOT,
    CAT,
    DAN,
    DEVELOPERS,
    EVE,
    FIX,
    HOUR,
    LEADS,
    NOW,
    PEOPLE,
    READ,
    SHOP,
    TARGETS,
    TEST,
    catalogue,
    rule,
)

EVERYBODY = (ANN, BEN, CAT, DAN, EVE, BOT)


def in_force(*rules: Rule, standing: Standing) -> Adopted:
    """The rules under this standing; the leads are also whoever is in the group `staff`."""
    made = catalogue(*rules)
    teams = (*made.teams[:1], replace(made.teams[1], groups=("staff",)))
    return Adopted(catalogue=replace(made, teams=teams), version=1, digest="d").under(standing)


def people(adopted: Adopted) -> list[PersonId]:
    return [one.person for one in who_can(adopted, SHOP, READ)]


def test_who_comes_into_a_team_by_a_group_can_get_what_the_team_can() -> None:
    asked = rule(who=People(teams=(LEADS,)), approvers=People(people=(EVE, BEN)))
    assert people(in_force(asked, standing=Standing())) == [CAT, DAN]
    claimed = Standing(claims={(ANN, "provider"): frozenset({"staff"}), (BEN, DIRECTORY): frozenset({"staff"})})
    # Of ben the directory says nothing: it does not answer for him.
    assert people(in_force(asked, standing=claimed)) == [ANN, CAT, DAN]
    assert people(in_force(asked, standing=replace(claimed, provisioned={BEN: "b"}))) == [ANN, BEN, CAT, DAN]


def test_who_has_left_can_get_nothing_nor_can_a_program_of_theirs_nor_whom_only_they_could_approve() -> None:
    asked = rule(who=People(people=(ANN, BEN, BOT)), approvers=People(people=(CAT, DAN)))
    assert people(in_force(asked, standing=Standing())) == [ANN, BEN, BOT]
    assert people(in_force(asked, standing=Standing(left=frozenset({ANN})))) == [BEN]
    assert people(in_force(asked, standing=Standing(left=frozenset({CAT})))) == [ANN, BEN, BOT]
    assert people(in_force(asked, standing=Standing(left=frozenset({CAT, DAN})))) == []


def test_what_a_certification_took_cannot_be_got() -> None:
    taken = Removal(campaign=CampaignId("c"), person=ANN, target=SHOP, role=READ)
    adopted = in_force(rule(roles=(READ, FIX)), standing=Standing(removals=frozenset({taken})))
    assert [(one.person, one.role) for one in who_can(adopted, SHOP)] == [(ANN, FIX)]
    assert [(one.target, one.role) for one in accesses_of(adopted, ANN)] == [(SHOP, FIX)]


def test_an_overdue_review_is_told_as_a_condition_of_all_but_break_glass() -> None:
    block = TeamsBlocked(grant=GrantId("g-1"), person=CAT, teams=(DEVELOPERS,))
    glass = BreakGlassRule(uses=1, per=HOUR, tell=People(people=(EVE,)))
    adopted = in_force(
        rule(who=People(people=(ANN, CAT, DAN)), approvers=People(people=(BEN, EVE))),
        rule("glass", approvers=People(), break_glass=glass),
        standing=Standing(blocks=(block,)),
    )
    found = {one.person: {way.rule: way.conditions for way in one.ways} for one in who_can(adopted, SHOP, READ)}
    waits = ("once the overdue review of g-1 is concluded",)
    assert found == {ANN: {"one": waits, "glass": ()}, CAT: {"one": waits}, DAN: {"one": ()}}


def test_of_many_overdue_reviews_the_first_few_are_named() -> None:
    blocks = tuple(TeamsBlocked(grant=GrantId(f"g-{number}"), person=ANN, teams=()) for number in range(6))
    ((found,),) = [one.ways for one in who_can(in_force(rule(), standing=Standing(blocks=blocks)), SHOP)]
    assert found.conditions == ("once the overdue review of g-0, g-1, g-2, g-3, g-4 is concluded",)


def test_everything_of_one_person_is_in_order_of_target_and_role() -> None:
    adopted = in_force(rule(targets=(TEST, SHOP), roles=(READ, FIX)), standing=Standing())
    found = [(one.target, one.role) for one in accesses_of(adopted, ANN)]
    assert found == [(SHOP, FIX), (SHOP, READ), (TEST, FIX), (TEST, READ)]
    assert accesses_of(adopted, PersonId("nobody")) == ()


_sets = st.sets(st.sampled_from(EVERYBODY), min_size=1).map(lambda some: People(people=tuple(some)))
_rules = st.fixed_dictionaries(
    {
        "who": st.one_of(_sets, st.just(People(teams=(LEADS,)))),
        "targets": st.sets(st.sampled_from([SHOP, TEST]), min_size=1).map(tuple),
        "roles": st.sets(st.sampled_from([READ, FIX]), min_size=1).map(tuple),
        "decisions": st.lists(
            st.builds(Decision, name=st.sampled_from(["a", "b"]), people=_sets, needed=st.integers(1, 2)),
            min_size=1,
            max_size=2,
            unique_by=lambda one: one.name,
        ).map(tuple),
    }
)
_removals = st.builds(
    Removal,
    campaign=st.just(CampaignId("c")),
    person=st.sampled_from(EVERYBODY),
    target=st.sampled_from([SHOP, TEST]),
    role=st.sampled_from([READ, FIX]),
)
_standings = st.builds(
    Standing,
    left=st.frozensets(st.sampled_from(EVERYBODY), max_size=3),
    claims=st.dictionaries(
        st.tuples(st.sampled_from(EVERYBODY), st.sampled_from([DIRECTORY, "provider"])),
        st.just(frozenset({"staff"})),
        max_size=3,
    ),
    provisioned=st.dictionaries(st.sampled_from(EVERYBODY), st.just("x"), max_size=3),
    removals=st.frozensets(_removals, max_size=4),
)


@given(changes=_rules, standing=_standings)
def test_who_can_is_what_asking_for_everybody_gives_under_any_standing(
    changes: dict[str, Any], standing: Standing
) -> None:
    adopted = in_force(rule(**changes), standing=standing)
    for person in PEOPLE:
        own: set[tuple[TargetName, RoleName]] = set()
        for target in TARGETS:
            for role in (READ, FIX):
                asked = Question(person=person.id, target=target.name, role=role, duration=HOUR, moment=NOW)
                terms = adopted.judge(asked)
                if not isinstance(terms, Refusal) and undecidable(terms) is None:
                    own.add((target.name, role))
        assert {(one.target, one.role) for one in accesses_of(adopted, person.id)} == own
        for target in TARGETS:
            there = {(one.target, one.role) for one in who_can(adopted, target.name) if one.person == person.id}
            assert there == {place for place in own if place[0] == target.name}
