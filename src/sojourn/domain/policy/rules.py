"""The policy as it is written: rules, each a closed set of words and no free expression.

- Nothing is allowed that no rule allows.
- A rule applies when all its conditions hold: who asks, for which role on which target, how, when, and for how long.
- When several rules apply to a request, the strictest counts: the shortest duration, everything that any of them
  asks for, and the approvals of all of them. Groups of the same name are the same places: only people whom every
  rule names for that group, and the largest number. Only a rule that says `instead_of` takes others out.
- Nobody decides on their own request. People are counted, not groups: one person never fills two places.
- A decision is left out only where a rule says `automatic`, with the reason why, or `break_glass`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName, TeamName
from sojourn.domain.people import Person, Team
from sojourn.domain.target import Target

from .calendar import CalendarWindow
from .terms import TicketRequirement

SINGLE_GROUP = "approvers"
"""The name of the one group of a rule that says `approvers`."""

DECIDE_WITHIN, ACTIVATE_WITHIN = timedelta(hours=24), timedelta(hours=8)
"""How long a request waits, and an approval, where a rule says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A set of people, said by name, by team and by attribute.

    The named and the teams' members together; of these, only who has every one of `attributes` (name, values: one
    of them); without names and teams, of everybody. The `except_` ones are taken out last.
    """

    people: tuple[PersonId, ...] = ()
    teams: tuple[TeamName, ...] = ()
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    except_people: tuple[PersonId, ...] = ()
    except_teams: tuple[TeamName, ...] = ()

    def members(self, teams: tuple[Team, ...], everybody: tuple[Person, ...] = ()) -> frozenset[PersonId]:
        """Every person meant, each once."""
        found = set(self.people)
        for team in teams:
            if team.name in self.teams:
                found.update(team.members)
        if self.attributes:
            having = {person.id for person in everybody if self._has_all(person)}
            found = found & having if self.people or self.teams else having
        found.difference_update(self.except_people)
        for team in teams:
            if team.name in self.except_teams:
                found.difference_update(team.members)
        return frozenset(found)

    def _has_all(self, person: Person) -> bool:
        held = dict(person.attributes)
        return all(held.get(name) in values for name, values in self.attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A group that has to approve: `needed` different people of it."""

    name: str
    people: People
    needed: int = 1


class Exclusion(StrEnum):
    """Who may not decide, besides the requester, seen from the requester."""

    MANAGER = "manager"
    SUBORDINATE = "subordinate"
    RECIPROCAL = "reciprocal"
    DEPLOYER = "deployer"
    EXECUTOR = "executor"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Conditions of time and circumstance; what is left out always holds.

    `windows`: one of them is open. `on_call`: the requester is. `incident`: one is named. `longer_than`: for more
    than this is asked.
    """

    windows: tuple[CalendarWindow, ...] = ()
    on_call: bool = False
    incident: bool = False
    longer_than: timedelta | None = None


ALWAYS = When()
"""The condition that always holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRule:
    """After `after` without a decision, these people may decide as well."""

    after: timedelta
    to: People


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRule:
    """Somebody of `by` looks at what was done, within `within` of the end."""

    within: timedelta
    by: People


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassRule:
    """Access without a decision beforehand, `uses` times in `per` for one person; `tell` hear of it at once."""

    uses: int
    per: timedelta
    tell: People


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the policy.

    `targets` by name, or all those that have every one of `labels` (name, values: one of them). Who decides is said
    in one of four ways: `approvers` and `approvals` (one group), `decisions` (several), `automatic` (why nobody
    decides), or `break_glass` (only for requests that ask for it).
    """

    name: RuleName
    who: People
    targets: tuple[TargetName, ...]
    roles: tuple[RoleName, ...]
    longest: timedelta
    approvers: People = People()
    approvals: int = 1
    reason_required: bool = True
    decide_within: timedelta = DECIDE_WITHIN
    activate_within: timedelta = ACTIVATE_WITHIN
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    decisions: tuple[Decision, ...] = ()
    automatic: str = ""
    when: When = ALWAYS
    reason_codes: tuple[str, ...] | None = None
    ticket: TicketRequirement | None = None
    activities: tuple[str, ...] | None = None
    excluded: tuple[Exclusion, ...] = ()
    escalation: EscalationRule | None = None
    review: ReviewRule | None = None
    break_glass: BreakGlassRule | None = None
    instead_of: tuple[RuleName, ...] = ()

    @property
    def groups(self) -> tuple[Decision, ...]:
        """The groups that have to approve, whichever way they were written; none where nobody decides beforehand."""
        if self.automatic or self.break_glass is not None:
            return ()
        single = Decision(name=SINGLE_GROUP, people=self.approvers, needed=max(1, self.approvals))
        return self.decisions or (single,)

    def covers(self, target: Target) -> bool:
        """Whether it is about that target at all."""
        if target.name in self.targets:
            return True
        held = dict(target.labels)
        return bool(self.labels) and all(held.get(name) in values for name, values in self.labels)
