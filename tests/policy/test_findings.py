"""What checking a policy finds: rules that do nothing, that nobody can be approved under, or that let through."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.identifiers import PersonId, RuleName
from sojourn.domain.policy import (
    BreakGlassRule,
    Exclusion,
    Facts,
    People,
    Policy,
    Question,
    ReviewRule,
    Rule,
    Terms,
    When,
    judge,
)
from sojourn.domain.policy.findings import Finding, find

from .world import ANN, BEN, CAT, DAN, HOUR, LEADS, NOW, PEOPLE, READ, SHOP, catalogue, rule

NOTICE = {Finding.FEW_ADMINISTRATORS: 1}


def found(*rules: Rule) -> dict[str, str]:
    return {one.rule: one.finding for one in find(catalogue(*rules)) if one.rule}


def test_a_plain_rule_is_nothing_to_find() -> None:
    assert found(rule()) == {}


def test_a_rule_about_no_role_is_unreachable() -> None:
    assert found(rule(roles=())) == {"one": "unreachable"}


def test_a_rule_that_another_always_replaces_is_unreachable() -> None:
    over = rule("two", instead_of=(RuleName("one"),))
    assert found(rule(), over) == {"one": "unreachable"}


@pytest.mark.parametrize(
    "over",
    [
        rule("two", instead_of=(RuleName("one"),), when=When(incident=True)),
        rule("two", instead_of=(RuleName("one"),), who=People(people=(BEN,))),
    ],
    ids=["only at times", "only for others"],
)
def test_a_rule_that_another_sometimes_replaces_is_reachable(over: Rule) -> None:
    assert found(rule(), over) == {}


def test_a_rule_that_is_no_stricter_than_one_that_always_applies_beside_it_is_shadowed() -> None:
    strict = rule("strict", longest=HOUR / 2, approvers=People(people=(CAT, DAN)))
    assert found(rule(), strict) == {"one": "shadowed"}


@pytest.mark.parametrize(
    "second",
    [
        rule("two", who=People(people=(BEN,))),
        rule("two", when=When(on_call=True)),
        rule("two", longest=2 * HOUR),
    ],
    ids=["somebody else", "only at times", "a longer one"],
)
def test_a_rule_that_still_does_something_is_not_shadowed(second: Rule) -> None:
    assert "one" not in found(rule(), second)


def test_a_rule_that_excludes_more_is_not_shadowed() -> None:
    assert found(rule(excluded=(Exclusion.MANAGER,)), rule("two")) == {"two": "shadowed"}


def test_a_rule_whose_exclusions_leave_nobody_is_unapprovable() -> None:
    assert found(rule(approvers=People(people=(DAN,)), excluded=(Exclusion.MANAGER,))) == {"one": "unapprovable"}


def test_a_rule_that_only_the_holder_could_review_is_unreviewable() -> None:
    assert found(rule(review=ReviewRule(within=HOUR, by=People(people=(ANN,))))) == {"one": "unreviewable"}


def test_what_lets_through_without_a_decision_is_always_told() -> None:
    glass = BreakGlassRule(uses=1, per=HOUR, tell=People(teams=(LEADS,)))
    review = ReviewRule(within=HOUR, by=People(teams=(LEADS,)))
    rules = (rule(automatic="test data"), rule("glass", break_glass=glass, review=review))
    assert found(*rules) == {"one": "automatic", "glass": "break_glass"}
    assert not any(one.fault for one in find(catalogue(*rules)))


def test_one_administrator_is_too_few_to_change_anything() -> None:
    kinds = Counter(one.finding for one in find(catalogue(rule())))
    assert kinds == NOTICE


_rules = st.lists(
    st.builds(
        lambda who, approvers, longest, approvals, on_call: {
            "who": People(people=who),
            "approvers": People(people=approvers),
            "longest": longest * HOUR,
            "approvals": approvals,
            "when": When(on_call=on_call),
        },
        who=st.sets(st.sampled_from([ANN, BEN]), min_size=1).map(lambda some: tuple(sorted(some))),
        approvers=st.sets(st.sampled_from([BEN, CAT, DAN]), min_size=1).map(lambda some: tuple(sorted(some))),
        longest=st.integers(1, 3),
        approvals=st.integers(1, 2),
        on_call=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@given(_rules)
def test_without_a_shadowed_rule_no_answer_changes(changes: list[dict[str, object]]) -> None:
    rules = tuple(rule(f"r{number}", **change) for number, change in enumerate(changes))
    shadowed = [one.rule for one in find(catalogue(*rules)) if one.finding is Finding.SHADOWED]
    for name in shadowed:
        before = catalogue(*rules).policy()
        after = catalogue(*(one for one in rules if one.name != name)).policy()
        for person in PEOPLE:
            for on_call in ((), (person.id,)):
                assert _answer(before, person.id, on_call) == _answer(after, person.id, on_call), name


def _answer(policy: Policy, person: PersonId, on_call: tuple[PersonId, ...]) -> object:
    asked = Question(person=person, target=SHOP, role=READ, duration=HOUR, moment=NOW, facts=Facts(on_call=on_call))
    found = judge(policy, asked)
    if not isinstance(found, Terms):
        return None
    return (found.longest, found.groups, found.requirements)
