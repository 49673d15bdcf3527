"""A small world to ask policies about: people with managers and accounts, three targets, and short ways to write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName, TeamName
from sojourn.domain.people import Person, PersonKind, Team
from sojourn.domain.policy import Facts, People, Question, Rule, Separation, Terms, explain, judge
from sojourn.domain.target import Privilege, Role, Target, TargetKind, Verb
from sojourn.errors import Refusal

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""

ANN, BEN, CAT, DAN, EVE, BOT = (PersonId(one) for one in ("ann", "ben", "cat", "dan", "eve", "bot"))
SHOP, BILLING, TEST = (TargetName(one) for one in ("shop", "billing", "test"))
READ, FIX = RoleName("read"), RoleName("fix")
DEVELOPERS, LEADS = TeamName("developers"), TeamName("leads")
HOUR = timedelta(hours=1)

PEOPLE = (
    Person(id=ANN, name="Ann", manager=DAN, attributes=(("contract", "employee"),)),
    Person(id=BEN, name="Ben", manager=DAN, attributes=(("contract", "vendor"),)),
    Person(id=CAT, name="Cat", attributes=(("contract", "employee"),)),
    Person(id=DAN, name="Dan", attributes=(("contract", "employee"),)),
    Person(id=EVE, name="Eve", administrator=True),
    Person(id=BOT, name="Bot", kind=PersonKind.AGENT, owner=ANN),
)
TEAMS = (Team(name=DEVELOPERS, members=(ANN, BEN, BOT)), Team(name=LEADS, members=(CAT, DAN)))


def target(name: TargetName, *labels: tuple[str, str]) -> Target:
    roles = tuple(Role(name=one, privileges=(Privilege(schema="s", verbs=(Verb.SELECT,)),)) for one in (READ, FIX))
    return Target(
        name=name,
        kind=TargetKind.POSTGRES,
        host="db.example",
        port=5432,
        database="db",
        administrator="sojourn",
        administrator_secret="db",
        roles=roles,
        labels=labels,
    )


TARGETS = (
    target(SHOP, ("tier", "production")),
    target(BILLING, ("tier", "production"), ("data", "money")),
    target(TEST, ("tier", "test")),
)


def rule(name: str = "one", **changes: object) -> Rule:
    plain = Rule(
        name=RuleName(name),
        who=People(people=(ANN,)),
        targets=(SHOP,),
        roles=(READ,),
        longest=HOUR,
        approvers=People(people=(BEN, CAT, DAN, EVE)),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def catalogue(*rules: Rule, separations: tuple[Separation, ...] = ()) -> Catalogue:
    return Catalogue(people=PEOPLE, teams=TEAMS, targets=TARGETS, rules=rules, separations=separations)


def question(**changes: object) -> Question:
    plain = Question(person=ANN, target=SHOP, role=READ, duration=timedelta(minutes=10), moment=NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


def answer(*rules: Rule, separations: tuple[Separation, ...] = (), **asked: object) -> Terms | Refusal:
    return judge(catalogue(*rules, separations=separations).policy(), question(**asked))


def terms(*rules: Rule, separations: tuple[Separation, ...] = (), **asked: object) -> Terms:
    found = answer(*rules, separations=separations, **asked)
    assert isinstance(found, Terms), found
    return found


def refusal(*rules: Rule, separations: tuple[Separation, ...] = (), **asked: object) -> Refusal:
    found = answer(*rules, separations=separations, **asked)
    assert isinstance(found, Refusal), found
    assert found.sentence and found.next_step
    return found


def why(*rules: Rule, **asked: object) -> dict[str, tuple[str, ...]]:
    """What stands in the way of each rule."""
    return {one.rule: one.failed for one in explain(catalogue(*rules).policy(), question(**asked))}


def facts(**known: object) -> Facts:
    return Facts(**known)  # type: ignore[arg-type]
