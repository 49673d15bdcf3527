"""The policy made ready for questions: which rules are about a role on a target, and which people each one means.

Made once for each configuration. It holds nothing that the configuration does not say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName
from sojourn.domain.people import Person, PersonKind, Team
from sojourn.domain.target import Target

from .rules import Exclusion, People, Rule
from .separation import Duty, Separation, apart_from
from .terms import Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group that has to approve: its people in order, all of them human."""

    name: str
    people: tuple[PersonId, ...]
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A rule, with its sets of people worked out."""

    rule: Rule
    who: frozenset[PersonId]
    groups: tuple[Group, ...]
    escalation: tuple[PersonId, ...]
    review: tuple[PersonId, ...]
    tell: tuple[PersonId, ...]
    requirements: Requirements
    unconditional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that questions are judged by.

    `reports` are a manager's people, `accounts` all accounts behind which the same human stands (only where there
    are several), `apart` the duties that bar from a duty, and `separated` whether this policy keeps any apart besides
    those that every policy does.
    """

    people: Mapping[PersonId, Person]
    targets: Mapping[TargetName, Target]
    lines: tuple[Line, ...]
    offered: Mapping[tuple[TargetName, RoleName], tuple[Line, ...]]
    reports: Mapping[PersonId, frozenset[PersonId]]
    accounts: Mapping[PersonId, frozenset[PersonId]]
    administrators: frozenset[PersonId]
    apart: Mapping[Duty, frozenset[Duty]]
    separated: bool = False

    def line(self, rule: RuleName) -> Line | None:
        """The rule of that name, or None."""
        return next((line for line in self.lines if line.rule.name == rule), None)


def compile_policy(
    *,
    people: tuple[Person, ...],
    teams: tuple[Team, ...],
    targets: tuple[Target, ...],
    rules: tuple[Rule, ...],
    separations: tuple[Separation, ...] = (),
) -> Policy:
    """Make a policy ready. The work grows with what is written: rules times targets, roles and people."""
    by_id = {person.id: person for person in people}
    known: dict[People, frozenset[PersonId]] = {}

    def members(chosen: People) -> frozenset[PersonId]:
        """Those of them who are there: a rule may name somebody who has left, and that one is nobody."""
        if chosen not in known:
            known[chosen] = chosen.members(teams, people) & by_id.keys()
        return known[chosen]

    lines = tuple(_line(rule, by_id, members) for rule in rules)
    offered: dict[tuple[TargetName, RoleName], list[Line]] = defaultdict(list)
    by_name = {target.name: target for target in targets}
    for line in lines:
        named = (by_name[name] for name in line.rule.targets if name in by_name)
        for target in filter(line.rule.covers, targets) if line.rule.labels else named:
            for role in line.rule.roles:
                if target.role(role) is not None:
                    offered[target.name, role].append(line)
    reports: dict[PersonId, set[PersonId]] = defaultdict(set)
    for person in people:
        if person.manager:
            reports[person.manager].add(person.id)
    return Policy(
        people=by_id,
        targets=by_name,
        lines=lines,
        offered={place: tuple(found) for place, found in offered.items()},
        reports={manager: frozenset(found) for manager, found in reports.items()},
        accounts=_accounts(people),
        administrators=frozenset(person.id for person in people if person.administrator),
        apart={duty: apart_from(separations, duty) for duty in Duty},
        separated=bool(separations),
    )


def _line(rule: Rule, people: Mapping[PersonId, Person], members: Callable[[People], frozenset[PersonId]]) -> Line:
    def human(chosen: People) -> tuple[PersonId, ...]:
        """Only human beings decide, and review."""
        return tuple(sorted(one for one in members(chosen) if people[one].kind is PersonKind.HUMAN))

    return Line(
        rule=rule,
        who=members(rule.who),
        groups=tuple(
            Group(name=group.name, people=human(group.people), needed=max(1, group.needed)) for group in rule.groups
        ),
        escalation=human(rule.escalation.to) if rule.escalation is not None else (),
        review=human(rule.review.by) if rule.review is not None else (),
        tell=tuple(sorted(members(rule.break_glass.tell))) if rule.break_glass is not None else (),
        requirements=Requirements(
            reason=rule.reason_required,
            reason_codes=rule.reason_codes,
            tickets=(rule.ticket,) if rule.ticket is not None else (),
            activities=rule.activities,
            deployment=Exclusion.DEPLOYER in rule.excluded,
        ),
        unconditional=not (
            rule.when.windows or rule.when.on_call or rule.when.incident or rule.when.longer_than is not None
        ),
    )


def _accounts(people: tuple[Person, ...]) -> Mapping[PersonId, frozenset[PersonId]]:
    """For whoever answers for other accounts, or is answered for: all accounts behind which the same human stands."""
    behind: dict[PersonId, set[PersonId]] = defaultdict(set)
    for person in people:
        if person.owner:
            behind[person.owner] |= {person.owner, person.id}
    return {one: frozenset(accounts) for accounts in behind.values() for one in accounts}
