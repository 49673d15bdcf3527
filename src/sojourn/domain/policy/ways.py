"""Who can get what, and by which rules: set arithmetic over the whole policy, without asking about any moment.

A *way* is one rule that is about a person, a role and a target. Somebody can get the role when at least one of
their ways can be decided: enough people are there who may approve. Conditions of time and circumstance are told and
not judged; when several ways are open at once, all of them count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sojourn.domain.duration import format_duration
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName

from .compiled import Line, Policy
from .duties import NOTHING_DONE, barred, barring
from .judging import excluded, merged_groups
from .question import NO_FACTS
from .requirements import say_requirements
from .rules import ACTIVATE_WITHIN, DECIDE_WITHIN
from .separation import Duty
from .terms import ApproverGroup, approvers, missing_in_all
from .when import say_when

_ASKING = (Duty.REQUEST, Duty.EXECUTE)
"""What somebody does who asks for an access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One rule by which a person can get a role on a target. `decidable` says that enough people may approve.

    `terms` are what the rule says besides, in words; times that are as usual are left out.
    """

    rule: RuleName
    conditions: tuple[str, ...]
    longest: timedelta
    groups: tuple[ApproverGroup, ...]
    given: tuple[str, ...]
    automatic: str
    break_glass: bool
    reviewers: tuple[PersonId, ...]
    terms: tuple[str, ...]
    decidable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one person can get: a role on a target, and every way to it."""

    person: PersonId
    target: TargetName
    role: RoleName
    ways: tuple[Way, ...]


def who_can(policy: Policy, target: TargetName, role: RoleName | None = None) -> tuple[Access, ...]:
    """Everybody who can get that role (or any role) on the target, in order of role and person."""
    found = []
    for (offered_on, offered), lines in policy.offered.items():
        if offered_on == target and role in (None, offered):
            people = sorted({person for line in lines for person in line.who if _may_ask(policy, person)})
            for person in people:
                ways = tuple(way for way in _ways(policy, lines, person) if way.decidable)
                if ways:
                    found.append(Access(person=person, target=target, role=offered, ways=ways))
    return tuple(sorted(found, key=lambda one: (one.role, one.person)))


def who_can_do_what(policy: Policy) -> dict[PersonId, frozenset[tuple[TargetName, RoleName]]]:
    """For everybody, all the roles on all the targets that they can get."""
    reach = {line.rule.name: _reached(policy, line) for line in policy.lines}
    found: dict[PersonId, set[tuple[TargetName, RoleName]]] = {person: set() for person in policy.people}
    for place, lines in policy.offered.items():
        for person in frozenset().union(*(reach[line.rule.name] for line in lines)):
            found[person].add(place)
    return {person: frozenset(places) for person, places in found.items()}


def accesses_of(policy: Policy, person: PersonId) -> Iterator[Access]:
    """Everything that one person can get."""
    if not _may_ask(policy, person):
        return
    for (target, role), lines in policy.offered.items():
        ways = tuple(way for way in _ways(policy, lines, person) if way.decidable)
        if ways:
            yield Access(person=person, target=target, role=role, ways=ways)


def _may_ask(policy: Policy, person: PersonId) -> bool:
    if person not in policy.people:
        return False
    return not (policy.separated and any(barring(policy, duty, person, NOTHING_DONE) for duty in _ASKING))


def _reached(policy: Policy, line: Line) -> frozenset[PersonId]:
    return frozenset(person for person in line.who if _may_ask(policy, person) and _decidable(policy, line, person))


def _decidable(policy: Policy, line: Line, person: PersonId) -> bool:
    """Whether enough people may approve what `person` asks under this rule alone."""
    out = excluded(policy, person, NO_FACTS, line.rule.excluded)
    needed = sum(group.needed for group in line.groups)
    if all(len(group.people) - len(out) >= needed for group in line.groups):
        return True  # Whoever fills one place, enough are left for the next (Hall's theorem).
    return _enough(merged_groups((line,), out))


def _enough(groups: tuple[ApproverGroup, ...]) -> bool:
    return not missing_in_all(groups, approvers(groups))


def _ways(policy: Policy, lines: tuple[Line, ...], person: PersonId) -> Iterator[Way]:
    out = barred(policy, Duty.REVIEW, NOTHING_DONE) if policy.separated else frozenset()
    for line in lines:
        if person in line.who:
            groups = merged_groups((line,), excluded(policy, person, NO_FACTS, line.rule.excluded))
            yield Way(
                rule=line.rule.name,
                conditions=say_when(line.rule.when),
                longest=line.rule.longest,
                groups=groups,
                given=say_requirements(line.requirements),
                automatic=line.rule.automatic,
                break_glass=line.rule.break_glass is not None,
                reviewers=tuple(one for one in line.review if one != person and one not in out),
                terms=say_terms(line),
                decidable=_enough(groups),
            )


def say_terms(line: Line) -> tuple[str, ...]:
    """What a rule says of deciding, of emergencies and of what follows, in words; times that are as usual left out."""
    rule = line.rule
    said = [f"never decided by {', '.join(rule.excluded)}"] if rule.excluded else []
    if rule.escalation is not None:
        said.append(f"after {format_duration(rule.escalation.after)} also by {', '.join(line.escalation)}")
    if rule.decide_within != DECIDE_WITHIN:
        said.append(f"decided within {format_duration(rule.decide_within)}")
    if rule.activate_within != ACTIVATE_WITHIN:
        said.append(f"begun within {format_duration(rule.activate_within)}")
    if rule.break_glass is not None:
        glass = rule.break_glass
        said.append(f"{glass.uses} times in {format_duration(glass.per)}, told at once to {', '.join(line.tell)}")
    if rule.review is not None:
        said.append(f"reviewed within {format_duration(rule.review.within)}")
    said += [f"in the place of {', '.join(rule.instead_of)}"] if rule.instead_of else []
    return tuple(said)
