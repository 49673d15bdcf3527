"""The company of the year: leads decide, engineers and a robot ask, an auditor and an administrator review."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName, TeamName
from sojourn.domain.people import Person, PersonKind, Team
from sojourn.domain.policy import People, Rule, TicketRequirement
from sojourn.domain.policy.rules import BreakGlassRule, ReviewRule
from sojourn.domain.target import Privilege, Role, Target, TargetKind, Verb

DAY = timedelta(days=1)
READ, REPAIR, BATCH = RoleName("read"), RoleName("repair"), RoleName("batch")
LEADS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large the company is and how much is done in its year."""

    people: int = 300
    targets: int = 30
    grants: int = 20_000
    actions: int = 2_000_000
    seed: int = 1


def organisation(plan: Plan) -> Catalogue:
    """The company: teams of ten under a lead each, an approver group, auditors, and a robot."""
    people = [Person(id=PersonId(f"p{number:04d}"), name=f"Person {number}") for number in range(plan.people)]
    people += [
        Person(id=PersonId("auditor"), name="Auditor", auditor=True),
        Person(id=PersonId("admin"), name="Administrator", administrator=True),
        Person(id=PersonId("robot"), name="Robot", kind=PersonKind.SERVICE, owner=PersonId(f"p{LEADS:04d}")),
    ]
    everybody = tuple(person.id for person in people[: plan.people])
    leads, engineers = everybody[:20], (*everybody[20:], PersonId("robot"))
    roles = (
        Role(name=READ, privileges=(Privilege(schema="app", verbs=(Verb.SELECT,)),)),
        Role(name=REPAIR, privileges=(Privilege(schema="app", verbs=(Verb.SELECT, Verb.UPDATE)),)),
        Role(name=BATCH, account="batch"),
    )
    names = tuple(TargetName(f"db{number:03d}") for number in range(plan.targets))
    targets = tuple(
        Target(
            name=name,
            kind=TargetKind.POSTGRES,
            host=f"{name}.example",
            port=5432,
            database="app",
            administrator="sojourn",
            administrator_secret="none",
            roles=roles,
        )
        for name in names
    )
    review = ReviewRule(within=5 * DAY, by=People(people=(PersonId("auditor"), PersonId("admin"))))
    who, by = People(teams=(TeamName("engineers"),)), People(teams=(TeamName("leads"),))

    def rule(name: str, role: RoleName) -> Rule:
        return Rule(
            name=RuleName(name), who=who, targets=names, roles=(role,), approvers=by, longest=timedelta(hours=2)
        )

    rules = (
        rule("reading", READ),
        replace(
            rule("repairing", REPAIR),
            ticket=TicketRequirement(kinds=("incident",), states=("open",)),
            activities=("repair",),
            review=review,
        ),
        rule("batches", BATCH),
        Rule(
            name=RuleName("emergency"),
            who=who,
            targets=names,
            roles=(REPAIR,),
            longest=timedelta(hours=1),
            review=review,
            break_glass=BreakGlassRule(uses=1000, per=30 * DAY, tell=People(people=(PersonId("admin"),))),
        ),
    )
    teams = (Team(name=TeamName("leads"), members=leads), Team(name=TeamName("engineers"), members=engineers))
    return Catalogue(people=tuple(people), teams=teams, targets=targets, rules=rules)
