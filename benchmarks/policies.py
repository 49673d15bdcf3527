"""What the policy costs at the size of a large company: judging one request, and saying exactly who can get what."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName, TeamName
from sojourn.domain.people import Person, Team
from sojourn.domain.policy import (
    CalendarWindow,
    Decision,
    Exclusion,
    Facts,
    People,
    Policy,
    Question,
    Rule,
    Ticket,
    TicketRequirement,
    When,
    judge,
)
from sojourn.domain.policy.ways import who_can, who_can_do_what
from sojourn.domain.target import Role, Target, TargetKind
from sojourn.errors import Refusal

from .figures import Figure

PEOPLE, TEAMS, ROLES, TARGETS, RULES = 200, 20, 60, 300, 400
TIERS = 25
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
OFFICE = CalendarWindow(zone="Europe/Berlin", days=(0, 1, 2, 3, 4), start=7 * 60, end=19 * 60)
FACTS = Facts(ticket=Ticket(id="C-1", kind="change", state="approved"), approved_by_requester=(PersonId("p001"),))


def costs(*, quick: bool) -> Iterator[Figure]:
    """The policy's two lines, and what it takes to get a configuration ready."""
    catalogue = large_company()
    start = time.process_time()
    policy = catalogue.policy()
    yield Figure(name="policy: 400 rules made ready", unit="ms", value=(time.process_time() - start) * 1e3)
    questions = _questions(policy)[: 500 if quick else None]
    yield Figure(
        name="policy: one request, 400 rules, 60 roles, 300 targets", unit="µs", value=_judging(policy, questions)
    )
    targets = [target.name for target in catalogue.targets]
    start = time.process_time()
    for target in targets[:: 10 if quick else 1]:
        who_can(policy, target)
    passed = (time.process_time() - start) / len(targets[:: 10 if quick else 1])
    yield Figure(name="policy: who can get something on one target", unit="ms", value=passed * 1e3)
    start = time.process_time()
    who_can_do_what(policy)
    yield Figure(name="policy: who can get what anywhere", unit="ms", value=(time.process_time() - start) * 1e3)


def large_company() -> Catalogue:
    """200 people in 20 teams, 300 targets with 60 roles, and 400 rules: plain ones, with hours, labels, exclusions."""
    names = [PersonId(f"p{number:03}") for number in range(PEOPLE)]
    people = tuple(
        Person(id=name, name=name, manager=names[number // 10 * 10] if number % 10 else None)
        for number, name in enumerate(names)
    )
    teams = tuple(Team(name=TeamName(f"team{n}"), members=tuple(names[n * 10 : n * 10 + 10])) for n in range(TEAMS))
    roles = tuple(Role(name=RoleName(f"r{number}"), privileges=()) for number in range(ROLES))
    targets = tuple(
        Target(
            name=TargetName(f"t{number}"),
            kind=TargetKind.POSTGRES,
            host="db",
            port=5432,
            database="d",
            administrator="a",
            administrator_secret="s",
            roles=roles,
            labels=(("tier", str(number % TIERS)),),
        )
        for number in range(TARGETS)
    )
    return Catalogue(people=people, teams=teams, targets=targets, rules=tuple(map(_rule, range(RULES))))


def _rule(number: int) -> Rule:
    """Every fourth rule is by label, every third has hours, every second excludes, every fifth wants a ticket."""
    by_label = number % 4 == 0
    return Rule(
        name=RuleName(f"rule{number}"),
        who=_team(number),
        targets=() if by_label else tuple(TargetName(f"t{(number * 7 + place) % TARGETS}") for place in range(6)),
        labels=(("tier", (str(number // 4 % TIERS),)),) if by_label else (),
        roles=tuple(RoleName(f"r{(number * 3 + place) % ROLES}") for place in range(4)),
        longest=timedelta(hours=4),
        decisions=(
            Decision(name="lead", people=_team(number + 1)),
            Decision(name="owner", people=_team(number + 2), needed=2),
        ),
        when=When(windows=(OFFICE,)) if number % 3 == 0 else When(),
        excluded=(Exclusion.MANAGER, Exclusion.RECIPROCAL) if number % 2 == 0 else (),
        ticket=TicketRequirement(kinds=("change",), states=("approved",)) if number % 5 == 0 else None,
    )


def _team(number: int) -> People:
    return People(teams=(TeamName(f"team{number % TEAMS}"),))


def _questions(policy: Policy) -> list[Question]:
    """One for every role on a target that a rule is about: by somebody whom the first of its rules is for."""
    return [
        Question(
            person=min(lines[0].who),
            target=target,
            role=role,
            duration=timedelta(hours=1),
            moment=MONDAY,
            facts=FACTS,
        )
        for (target, role), lines in policy.offered.items()
    ]


def _judging(policy: Policy, questions: list[Question]) -> float:
    """Microseconds for one question, over all of them."""
    start = time.process_time()
    refused = sum(isinstance(judge(policy, question), Refusal) for question in questions)
    passed = time.process_time() - start
    assert refused == 0, "every question is one that a rule allows"
    return passed / len(questions) * 1e6
