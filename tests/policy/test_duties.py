"""Which duty bars from which: all six, in both directions, by every account, and only where a policy says so."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import pytest

from sojourn.configuration import parse_catalogue
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import PersonKind
from sojourn.domain.policy import (
    ALWAYS_APART,
    NOTHING_DONE,
    Done,
    Duty,
    Policy,
    Separation,
    apart_refusal,
    barred,
    barring,
    compile_policy,
)
from sojourn.errors import Code, SojournError

from .world import ANN, BEN, BOT, CAT, EVE, PEOPLE, TARGETS, TEAMS

DONE_DUTIES = tuple(duty for duty in Duty if duty is not Duty.ADMINISTER)
ALWAYS = {frozenset(one.apart) for one in ALWAYS_APART}


def policy(*apart: Duty) -> Policy:
    separations = (Separation(name="apart", apart=apart),) if apart else ()
    return compile_policy(people=PEOPLE, teams=TEAMS, targets=TARGETS, rules=(), separations=separations)


@pytest.mark.parametrize(("duty", "other"), tuple(permutations(DONE_DUTIES, 2)), ids=lambda one: one.value)
def test_whoever_did_one_duty_is_barred_from_the_other_where_they_are_apart(duty: Duty, other: Duty) -> None:
    done: Done = {other: (BEN,)}
    assert barring(policy(duty, other), duty, BEN, done) is other
    assert barring(policy(duty, other), duty, CAT, done) is None
    free = None if frozenset((duty, other)) not in ALWAYS else other
    assert barring(policy(), duty, BEN, done) is free
    assert barring(policy(duty, other), duty, BEN, {duty: (BEN,)}) is None


@pytest.mark.parametrize("duty", DONE_DUTIES, ids=lambda one: one.value)
def test_whoever_administers_is_barred_from_what_is_apart_from_it_without_having_done_anything(duty: Duty) -> None:
    apart = policy(duty, Duty.ADMINISTER)
    assert barring(apart, duty, EVE, NOTHING_DONE) is Duty.ADMINISTER
    assert barring(policy(), duty, EVE, NOTHING_DONE) is None
    assert barred(apart, duty, NOTHING_DONE) == {EVE}
    refusal = apart_refusal(apart, duty, EVE, NOTHING_DONE)
    assert refusal is not None and refusal.code is Code.POLICY_DUTIES_APART
    assert f"keeps apart to {duty} and to administer" in refusal.sentence


@pytest.mark.parametrize(("doer", "asked"), [(ANN, BOT), (BOT, ANN)], ids=["agent", "owner"])
def test_a_duty_done_by_one_account_bars_the_others_of_the_same_person(doer: PersonId, asked: PersonId) -> None:
    apart = policy(Duty.EXECUTE, Duty.CERTIFY)
    done: Done = {Duty.EXECUTE: (doer,)}
    assert barring(apart, Duty.CERTIFY, asked, done) is Duty.EXECUTE
    assert barred(apart, Duty.CERTIFY, done) == {ANN, BOT}


def test_an_administrator_by_one_account_administers_by_all() -> None:
    agent = replace(PEOPLE[-1], owner=EVE, kind=PersonKind.AGENT)
    made = compile_policy(
        people=(*PEOPLE[:-1], agent),
        teams=TEAMS,
        targets=TARGETS,
        rules=(),
        separations=(Separation(name="apart", apart=(Duty.EXECUTE, Duty.ADMINISTER)),),
    )
    assert barring(made, Duty.EXECUTE, BOT, NOTHING_DONE) is Duty.ADMINISTER


@pytest.mark.parametrize("apart", tuple(combinations(Duty, 2)), ids=lambda pair: "-".join(pair))
def test_every_two_duties_can_be_kept_apart_but_asking_and_executing(apart: tuple[Duty, Duty]) -> None:
    files = {
        "people.yaml": b"people: {ann: {name: Ann}, ben: {name: Ben}}\n",
        "targets.yaml": b"targets: {}\n",
        "policy.yaml": f"rules: {{}}\nseparations: {{apart: [{', '.join(apart)}]}}\n".encode(),
    }
    if set(apart) == {Duty.REQUEST, Duty.EXECUTE}:
        with pytest.raises(SojournError) as raised:
            parse_catalogue(files)
        assert "executes under it" in str(raised.value)
    else:
        assert parse_catalogue(files).separations == (Separation(name="apart", apart=apart),)
