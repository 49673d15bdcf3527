"""Who can get what: exact, and the same as asking the policy for everybody."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.identifiers import PersonId
from sojourn.domain.policy import (
    Decision,
    Duty,
    Exclusion,
    People,
    Question,
    Rule,
    Separation,
    When,
    judge,
    undecidable,
)
from sojourn.domain.policy.ways import accesses_of, who_can, who_can_do_what
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
    NOW,
    PEOPLE,
    READ,
    SHOP,
    TARGETS,
    TEST,
    catalogue,
    rule,
)


def people(*rules: Rule, separations: tuple[Separation, ...] = ()) -> list[PersonId]:
    return [one.person for one in who_can(catalogue(*rules, separations=separations).policy(), SHOP, READ)]


def test_everybody_is_named_once_with_all_their_ways() -> None:
    policy = catalogue(rule(who=People(teams=(DEVELOPERS,))), rule("two", when=When(incident=True))).policy()
    found = who_can(policy, SHOP)
    assert [one.person for one in found] == [ANN, BEN, BOT]
    assert [way.rule for way in found[0].ways] == ["one", "two"]
    assert found[0].ways[1].conditions == ("during an incident",)


def test_somebody_whom_nobody_could_approve_cannot_get_it() -> None:
    asked = rule(who=People(people=(ANN, CAT)), approvers=People(people=(DAN,)), excluded=(Exclusion.MANAGER,))
    assert people(asked) == [CAT]


def test_an_administrator_who_may_not_ask_is_not_among_them() -> None:
    apart = (Separation(name="apart", apart=(Duty.REQUEST, Duty.ADMINISTER)),)
    asked = rule(who=People(people=(ANN, EVE)))
    assert people(asked) == [ANN, EVE]
    assert people(asked, separations=apart) == [ANN]


_sets = st.sets(st.sampled_from([one.id for one in PEOPLE]), min_size=1).map(lambda some: People(people=tuple(some)))
_changes = st.fixed_dictionaries(
    {
        "who": _sets,
        "targets": st.sets(st.sampled_from([SHOP, TEST])).map(tuple),
        "roles": st.sets(st.sampled_from([READ, FIX])).map(tuple),
        "decisions": st.lists(
            st.builds(Decision, name=st.sampled_from(["a", "b", "c"]), people=_sets, needed=st.integers(1, 2)),
            min_size=1,
            max_size=2,
            unique_by=lambda one: one.name,
        ).map(tuple),
        "excluded": st.sets(st.sampled_from([Exclusion.MANAGER, Exclusion.SUBORDINATE])).map(tuple),
        "automatic": st.sampled_from(["", "", "because"]),
    }
)


@given(changes=_changes, apart=st.booleans())
def test_who_can_is_what_asking_for_everybody_gives(changes: dict[str, Any], apart: bool) -> None:
    separations = (Separation(name="x", apart=(Duty.ADMINISTER, Duty.APPROVE, Duty.REQUEST)),) if apart else ()
    policy = catalogue(rule(**changes), separations=separations).policy()
    reach = who_can_do_what(policy)
    for person in PEOPLE:
        own = set()
        for target in TARGETS:
            for role in (READ, FIX):
                asked = Question(person=person.id, target=target.name, role=role, duration=HOUR, moment=NOW)
                terms = judge(policy, asked)
                if not isinstance(terms, Refusal) and undecidable(terms) is None:
                    own.add((target.name, role))
        assert reach[person.id] == own
        assert {(one.target, one.role) for one in accesses_of(policy, person.id)} == own
        for target in TARGETS:
            there = {(one.target, one.role) for one in who_can(policy, target.name) if one.person == person.id}
            assert there == {place for place in own if place[0] == target.name}
