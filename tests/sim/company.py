"""The company of the simulations: every kind of rule, and people with second accounts, agents and delegates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TeamName
from sojourn.domain.people import Person, PersonKind, Team
from sojourn.domain.policy import Decision, People, Rule
from sojourn.domain.policy.rules import BreakGlassRule, EscalationRule, ReviewRule
from sojourn.testing.organisation import AMEND, CATALOGUE, ENGINEERS, ERIN, FRANK, LEADS, READ, SHOP

GINA, HENRY, EDGAR = PersonId("gina"), PersonId("henry"), PersonId("edgar")
ROBOT, AGENT = PersonId("alice-robot"), PersonId("dave-agent")
SECURITY, MACHINES = TeamName("security"), TeamName("machines")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_leads, _security = People(teams=(LEADS,)), People(teams=(SECURITY,))

READING = Rule(
    name=RuleName("reading"),
    who=People(teams=(ENGINEERS, MACHINES)),
    targets=(SHOP,),
    roles=(READ,),
    longest=HOUR,
    approvers=_leads,
    escalation=EscalationRule(after=2 * HOUR, to=_security),
    review=ReviewRule(within=DAY, by=People(people=(FRANK,), teams=(LEADS,))),
)
AMENDING = Rule(
    name=RuleName("amending"),
    who=People(teams=(ENGINEERS,)),
    targets=(SHOP,),
    roles=(AMEND,),
    longest=HOUR / 2,
    decisions=(Decision(name="leads", people=_leads), Decision(name="security", people=_security)),
)
IN_NEED = Rule(
    name=RuleName("in-need"),
    who=People(teams=(ENGINEERS,)),
    targets=(SHOP,),
    roles=(AMEND,),
    longest=HOUR / 4,
    break_glass=BreakGlassRule(uses=2, per=DAY, tell=People(people=(ERIN, FRANK))),
)
COMPANY = Catalogue(
    people=(
        *CATALOGUE.people,
        Person(id=GINA, name="Gina"),
        Person(id=HENRY, name="Henry"),
        Person(id=EDGAR, name="Edgar", administrator=True),
        Person(id=ROBOT, name="Robot", kind=PersonKind.SERVICE, owner=PersonId("alice")),
        Person(id=AGENT, name="Agent", kind=PersonKind.AGENT, owner=PersonId("dave")),
    ),
    teams=(
        *CATALOGUE.teams,
        # carol leads and is of security as well: she fills one place of an amendment, never both.
        Team(name=SECURITY, members=(GINA, HENRY, PersonId("carol"))),
        Team(name=MACHINES, members=(ROBOT, AGENT)),
    ),
    targets=CATALOGUE.targets,
    rules=(READING, AMENDING, IN_NEED),
)


def with_members(catalogue: Catalogue, team: TeamName, *members: PersonId) -> Catalogue:
    """The catalogue in which the team has just these members."""
    teams = tuple(replace(one, members=members) if one.name == team else one for one in catalogue.teams)
    return replace(catalogue, teams=teams)


def with_role(catalogue: Catalogue, role: RoleName, **changes: object) -> Catalogue:
    """The catalogue in which the ordinary rules about this role say something else."""
    rules = tuple(
        replace(one, **changes) if role in one.roles and one.break_glass is None else one  # type: ignore[arg-type]
        for one in catalogue.rules
    )
    return replace(catalogue, rules=rules)
