"""Cedar says the same: an engine that others wrote, asked thousands of times who may ask for what, and for how long."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.configuration import cedar
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName
from sojourn.domain.policy import (
    BreakGlassRule,
    Duty,
    Facts,
    People,
    Question,
    ReviewRule,
    Separation,
    When,
    judge,
)
from sojourn.domain.policy.requirements import too_long
from sojourn.errors import Refusal

from .test_commands import plain, run
from .test_examples import EXAMPLES
from .world import ANN, BEN, BILLING, CAT, DEVELOPERS, FIX, HOUR, LEADS, NOW, PEOPLE, READ, SHOP, TEST, catalogue, rule

GONE = PersonId("gone")
"""Named in rules and teams, and not among the people any more."""

DURATIONS = tuple(timedelta(minutes=minutes) for minutes in (30, 60, 61, 120))
QUESTIONS = tuple(
    Question(
        person=person,
        target=target,
        role=role,
        duration=duration,
        moment=NOW,
        facts=Facts(incident="I-1" if incident else "", on_call=(ANN, CAT, GONE)),
        break_glass=glass,
    )
    for person, target, role, duration, incident, glass in product(
        (*(one.id for one in PEOPLE), GONE), (SHOP, BILLING, TEST), (READ, FIX), DURATIONS, (False, True), (False, True)
    )
)
NAMES = tuple(RuleName(name) for name in ("a", "b", "c", "d"))


def some(*values: object, least: int = 0, most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=True).map(tuple)


ATTRIBUTES = some(("contract", ("employee",)), ("contract", ("vendor", "employee")), ("level", ("1",)), most=1)
WHO = st.builds(
    People,
    people=some(ANN, BEN, CAT, GONE),
    teams=some(DEVELOPERS, LEADS),
    attributes=ATTRIBUTES,
    except_people=some(ANN, CAT, most=1),
    except_teams=some(DEVELOPERS, LEADS, most=1),
)
CHANGES = st.fixed_dictionaries(
    {
        "who": st.one_of(st.just(People(teams=(DEVELOPERS,))), WHO),
        "targets": st.one_of(st.just((SHOP,)), some(SHOP, BILLING, TEST)),
        "labels": some(("tier", ("production",)), ("data", ("money", "health")), ("tier", ("test",)), most=1),
        "roles": st.one_of(st.just((READ,)), some(READ, FIX, least=1)),
        "longest": st.sampled_from(DURATIONS),
        "when": st.builds(
            When,
            on_call=st.sampled_from([False, False, True]),
            incident=st.sampled_from([False, False, True]),
            longer_than=st.sampled_from([None, None, timedelta(minutes=45), HOUR]),
        ),
        "break_glass": st.sampled_from(
            [None, None, None, BreakGlassRule(uses=1, per=timedelta(days=1), tell=People(people=(CAT,)))]
        ),
    }
)


@st.composite
def companies(draw: st.DrawFn) -> Catalogue:
    """Up to four rules, of which later ones may be instead of earlier ones."""
    rules = []
    for place, name in enumerate(NAMES[: draw(st.integers(1, len(NAMES)))]):
        changes = draw(CHANGES)
        glass = changes["break_glass"] is not None
        changes["review"] = ReviewRule(within=HOUR, by=People(people=(CAT,))) if glass else None
        changes["instead_of"] = draw(some(*NAMES[:place])) if place else ()
        rules.append(rule(name, **changes))
    apart = (Separation(name="x", apart=(Duty.REQUEST, Duty.ADMINISTER)),) if draw(st.booleans()) else ()
    made = catalogue(*rules, separations=apart)
    return replace(made, teams=tuple(replace(team, members=(*team.members, GONE)) for team in made.teams))


def request(question: Question) -> dict[str, Any]:
    """One question as Cedar is asked it."""
    return {
        "principal": {"type": "Person", "id": question.person},
        "action": {"type": "Action", "id": "ask"},
        "resource": {"type": "Target", "id": question.target},
        "context": {
            "role": question.role,
            "seconds": int(question.duration.total_seconds()),
            "break_glass": question.break_glass,
            "incident": bool(question.facts.incident),
            "on_call": question.person in question.facts.on_call,
            "hours_open": [],
        },
    }


def by_cedar(made: Catalogue) -> list[bool]:
    answers = cedarpy.is_authorized_batch(
        [request(one) for one in QUESTIONS], cedar.policies(made), cedar.entities(made)
    )
    problems = [error for answer in answers for error in answer.diagnostics.errors]
    assert not problems, problems[0]
    return [answer.decision is cedarpy.Decision.Allow for answer in answers]


def by_us(made: Catalogue) -> list[bool]:
    policy = made.policy()
    found = []
    for question in QUESTIONS:
        terms = judge(policy, question)
        found.append(not isinstance(terms, Refusal) and too_long(terms, question.duration) is None)
    return found


@settings(max_examples=60)
@given(made=companies())
def test_cedar_permits_just_what_the_policy_lets_ask(made: Catalogue) -> None:
    assert len(QUESTIONS) == 672
    ours, theirs = by_us(made), by_cedar(made)
    different = [question for question, one, two in zip(QUESTIONS, ours, theirs, strict=True) if one is not two]
    assert not different, f"{different[0]}\n{cedar.policies(made)}"


@pytest.mark.parametrize("instead", [False, True])
def test_cedar_is_asked_questions_of_both_answers(instead: bool) -> None:
    """Where nobody may ask for anything, two engines agree easily."""
    wide = rule(
        "a", who=People(teams=(DEVELOPERS,)), targets=(), labels=(("tier", ("production",)),), roles=(READ, FIX)
    )
    narrow = rule("b", longest=2 * HOUR, instead_of=(RuleName("a"),) if instead else ())
    made = catalogue(wide, narrow)
    assert by_us(made) == by_cedar(made)
    assert Counter(by_us(made)) == ({True: 52, False: 620} if instead else {True: 48, False: 624})


@pytest.mark.parametrize(("hours_open", "allowed"), [([], False), (["schema-change"], True)])
def test_an_exported_policy_can_be_asked_without_us(hours_open: list[str], allowed: bool) -> None:
    exported = plain("export", "--files", EXAMPLES / "outsourced-dba")
    asked = request(
        Question(
            person=PersonId("dirk"),
            target=TargetName("claims"),
            role=RoleName("schema-change"),
            duration=HOUR,
            moment=NOW,
        )
    )
    asked["context"]["hours_open"] = hours_open
    answer = cedarpy.is_authorized(asked, exported["policies"], exported["entities"])
    assert not answer.diagnostics.errors
    assert answer.allowed is allowed
    assert run("export", "--files", EXAMPLES / "outsourced-dba").stdout.startswith("// principal")


def test_what_a_certification_took_is_not_permitted_by_an_export() -> None:
    made = catalogue(rule("a", who=People(people=(ANN, BEN))))
    said = cedar.policies(made, frozenset({(ANN, SHOP, READ)}))
    asked = [Question(person=who, target=SHOP, role=READ, duration=HOUR, moment=NOW) for who in (ANN, BEN)]
    answers = cedarpy.is_authorized_batch([request(one) for one in asked], said, cedar.entities(made))
    assert [answer.allowed for answer in answers] == [False, True]
