"""Terms: what a request has to meet, and whether the approvals that it has are enough.

- All groups have to be satisfied, each by as many people as it needs.
- People are counted, not groups: one person fills one place, whatever groups they are in. So approvals are matched
  to places, and never counted group by group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sojourn.domain.identifiers import PersonId, RuleName


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverGroup:
    """Some people, of whom `needed` different ones have to approve. Nobody in it is excluded."""

    name: str
    people: tuple[PersonId, ...]
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRequirement:
    """A ticket of one of these kinds in one of these states; empty means any."""

    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What must be given with the request. `reason_codes` and `activities` list what may be given; None asks for none.

    Every ticket requirement has to be met by the one ticket that is given. With `deployment` the record has to say who
    deployed what runs on the target.
    """

    reason: bool = True
    reason_codes: tuple[str, ...] | None = None
    tickets: tuple[TicketRequirement, ...] = ()
    activities: tuple[str, ...] | None = None
    deployment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """After `after` without a decision, `people` are told, and may fill any place as well."""

    after: timedelta
    people: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The use of the access is reviewed by one of `people` (never the holder) within `within` of its end."""

    within: timedelta
    people: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Access without a decision beforehand: `uses` times in `per` for one person; `people` are told at once."""

    uses: int
    per: timedelta
    people: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a request has to meet: the strictest reading of all rules that apply.

    `groups` is empty when no decision is needed: `automatic` then says so in the rule's own words, or `break_glass`
    does. Exclusions (the requester above all) have been applied to every set of people.
    """

    rules: tuple[RuleName, ...]
    longest: timedelta
    groups: tuple[ApproverGroup, ...]
    requirements: Requirements
    decide_within: timedelta
    activate_within: timedelta
    automatic: str = ""
    escalation: Escalation | None = None
    review: Review | None = None
    break_glass: BreakGlass | None = None

    @property
    def approvers(self) -> tuple[PersonId, ...]:
        """Everybody whose word counts in some group, each once, in order."""
        return approvers(self.groups)

    @property
    def approvals(self) -> int:
        """How many different people have to approve."""
        return sum(group.needed for group in self.groups)

    @property
    def reason_required(self) -> bool:
        """Whether a reason has to be given."""
        return self.requirements.reason


def approvers(groups: Iterable[ApproverGroup]) -> tuple[PersonId, ...]:
    """Everybody in the groups, each once, in order."""
    return tuple(sorted({person for group in groups for person in group.people}))


def counts(groups: Iterable[ApproverGroup], person: PersonId) -> bool:
    """Whether the word of `person` counts in some group."""
    return any(person in group.people for group in groups)


def missing(groups: Sequence[ApproverGroup], approved: Iterable[PersonId]) -> tuple[tuple[str, int], ...]:
    """For each group, in order, how many approvals it still lacks when `approved` fill as many places as they can.

    One person fills one place at most. The sum is exact: the fewest further approvals that could do. Which group
    lacks them may depend on who fills which place where people are in several groups; earlier groups are filled
    first.
    """
    places = [number for number, group in enumerate(groups) for _ in range(group.needed)]
    people = sorted(set(approved))
    holds: dict[PersonId, int] = {}

    def seat(place: int, tried: set[PersonId]) -> bool:
        members = groups[places[place]].people
        for person in people:
            if person in tried or person not in members:
                continue
            tried.add(person)
            if person not in holds or seat(holds[person], tried):
                holds[person] = place
                return True
        return False

    lacking = dict.fromkeys(range(len(groups)), 0)
    for place, number in enumerate(places):
        if not seat(place, set()):
            lacking[number] += 1
    return tuple((group.name, lacking[number]) for number, group in enumerate(groups))


def missing_in_all(groups: Sequence[ApproverGroup], approved: Iterable[PersonId]) -> int:
    """How many approvals are still missing in all groups together."""
    return sum(lacks for _, lacks in missing(groups, approved))


def escalated(terms: Terms) -> Terms:
    """The terms once their escalation is due: the people it names may fill any place as well."""
    if terms.escalation is None:
        return terms
    more = terms.escalation.people
    groups = tuple(replace(group, people=tuple(sorted({*group.people, *more}))) for group in terms.groups)
    return replace(terms, groups=groups)
