"""The policy: who may ask for what, for how long, and who decides.

- Nothing is allowed that no rule allows.
- When several rules fit a request, the strictest counts: the shortest duration, the most approvals, and only
  people whom every fitting rule names as approver.
- A rule needs at least one approval. Nobody decides on their own request.
- People are counted, not groups: one person is one approval, whatever teams they are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from .identifiers import PersonId, RoleName, RuleName, TargetName, TeamName
from .people import Team


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A set of people, said by name or by team."""

    people: tuple[PersonId, ...] = ()
    teams: tuple[TeamName, ...] = ()

    def members(self, teams: tuple[Team, ...]) -> frozenset[PersonId]:
        """Every person meant, each once."""
        named = set(self.people)
        for team in teams:
            if team.name in self.teams:
                named.update(team.members)
        return frozenset(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the policy."""

    name: RuleName
    who: People
    targets: tuple[TargetName, ...]
    roles: tuple[RoleName, ...]
    longest: timedelta
    approvers: People
    approvals: int = 1
    reason_required: bool = True
    decide_within: timedelta = timedelta(hours=24)
    activate_within: timedelta = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a request has to meet: the strictest reading of all rules that fit. `approvers` excludes the requester."""

    rules: tuple[RuleName, ...]
    longest: timedelta
    approvers: tuple[PersonId, ...]
    approvals: int
    reason_required: bool
    decide_within: timedelta
    activate_within: timedelta


def terms_for(
    rules: tuple[Rule, ...],
    teams: tuple[Team, ...],
    *,
    person: PersonId,
    target: TargetName,
    role: RoleName,
) -> Terms | None:
    """The terms under which `person` may ask for `role` on `target`, or None if no rule fits."""
    fitting = [
        rule for rule in rules if target in rule.targets and role in rule.roles and person in rule.who.members(teams)
    ]
    if not fitting:
        return None
    approvers = frozenset.intersection(*(rule.approvers.members(teams) for rule in fitting)) - {person}
    return Terms(
        rules=tuple(sorted(rule.name for rule in fitting)),
        longest=min(rule.longest for rule in fitting),
        approvers=tuple(sorted(approvers)),
        approvals=max(1, *(rule.approvals for rule in fitting)),
        reason_required=any(rule.reason_required for rule in fitting),
        decide_within=min(rule.decide_within for rule in fitting),
        activate_within=min(rule.activate_within for rule in fitting),
    )
