"""The policies of examples/policies/: each is without a fault, is tested to the last rule, and means what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from sojourn.configuration import read_cases, read_catalogue
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.policy import Rule
from sojourn.domain.policy.cases import Case, try_case
from sojourn.domain.policy.findings import NOTICES, Finding

from .test_commands import plain, run

EXAMPLES = Path(__file__).parents[2] / "examples" / "policies"
NAMES = ("ai-agents", "mid-size", "outsourced-dba", "start-up")

each = pytest.mark.parametrize("name", NAMES)


def failing(name: str, catalogue: Catalogue) -> list[str]:
    """The tests beside the example that do not hold under this catalogue."""
    policy = catalogue.policy()
    return [case.name for case in cases(name) if not try_case(policy, case).holds]


@cache
def cases(name: str) -> tuple[Case, ...]:
    return read_cases(EXAMPLES / name, read(name))


@cache
def read(name: str) -> Catalogue:
    return read_catalogue(EXAMPLES / name)[0]


def test_every_example_is_looked_at() -> None:
    assert tuple(sorted(path.name for path in EXAMPLES.iterdir())) == NAMES


@each
def test_an_example_has_no_fault(name: str) -> None:
    done = run("check", EXAMPLES / name)
    assert (done.returncode, done.stderr) == (0, "")
    found = plain("check", EXAMPLES / name)["findings"]
    assert {one["finding"] for one in found} <= NOTICES - {Finding.FEW_ADMINISTRATORS}


@each
def test_the_tests_beside_an_example_hold(name: str) -> None:
    done = run("test", EXAMPLES / name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" tests, 0 failed.\n")


@each
def test_no_rule_of_an_example_can_go_without_a_test_that_fails(name: str) -> None:
    catalogue = read(name)
    for rule in catalogue.rules:
        rest = tuple(
            replace(one, instead_of=tuple(two for two in one.instead_of if two != rule.name))
            for one in catalogue.rules
            if one is not rule
        )
        assert failing(name, replace(catalogue, rules=rest)), f"nothing tests {rule.name}"


def weaker(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule without one of its groups, exclusions or conditions, and what is gone."""
    if len(rule.decisions) > 1:
        for group in rule.decisions:
            yield group.name, replace(rule, decisions=tuple(one for one in rule.decisions if one is not group))
    for exclusion in rule.excluded:
        yield exclusion, replace(rule, excluded=tuple(one for one in rule.excluded if one is not exclusion))
    if rule.ticket is not None:
        yield "ticket", replace(rule, ticket=None)
    if rule.activities is not None:
        yield "activities", replace(rule, activities=None)
    if rule.when.windows:
        yield "hours", replace(rule, when=replace(rule.when, windows=()))
    if rule.when.on_call:
        yield "on_call", replace(rule, when=replace(rule.when, on_call=False))
    if rule.when.incident:
        yield "incident", replace(rule, when=replace(rule.when, incident=False))


@each
def test_no_group_exclusion_or_condition_of_an_example_can_go_without_a_test_that_fails(name: str) -> None:
    catalogue = read(name)
    for place, rule in enumerate(catalogue.rules):
        for gone, one in weaker(rule):
            rules = (*catalogue.rules[:place], one, *catalogue.rules[place + 1 :])
            assert failing(name, replace(catalogue, rules=rules)), f"nothing tests {gone} of {rule.name}"
