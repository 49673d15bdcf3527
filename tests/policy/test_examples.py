"""The policies of examples/policies/: each is without a fault, is tested to the last rule, and means what it says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from sojourn.configuration import CASES_FILE, read_cases, read_catalogue
from sojourn.configuration.cases import ASK, EXPECT
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.policy import Rule
from sojourn.domain.policy.cases import Case, try_case
from sojourn.domain.policy.findings import NOTICES, Finding

from .test_commands import plain, run

EXAMPLES = Path(__file__).parents[2] / "examples" / "policies"
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-policy.md"
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


def test_hours_are_known_on_a_system_without_a_zone_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONTZPATH", "")
    done = run("test", EXAMPLES / "outsourced-dba")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_test_in_the_how_to_holds_for_the_example_that_it_is_about(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(tests:\n.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert block is not None
    shutil.copytree(EXAMPLES / "mid-size", tmp_path / "files")
    (tmp_path / "files" / CASES_FILE).write_text(block[1])
    assert run("test", tmp_path / "files").stdout == "2 tests, 0 failed.\n"


def test_the_how_to_describes_every_word_of_a_test() -> None:
    told = {
        word for row in re.findall(r"^\| (`.*?) \|", HOW_TO.read_text(), re.M) for word in re.findall(r"`(.*?)`", row)
    }
    assert told - set(NAMES) == {*ASK, *EXPECT}
