"""What is wrong or remarkable about a policy that can be read: rules that do nothing, and rules that do much.

- *unreachable*: no person, or no role on a target, that the rule is about; or another rule always steps in for it.
- *unapprovable*: for somebody whom it is about, never enough people may approve.
- *shadowed*: wherever the rule applies, others that always apply there are as strict: without it nothing would change.
- *unreviewable*: for somebody whom it is about, nobody may review.
- *automatic*, *break_glass*: nobody decides beforehand. Notices, for whoever reads the policy.
- *few_administrators*: fewer than two, so that no change can have a second person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, TargetName

from .compiled import Line, Policy
from .duties import NOTHING_DONE, barred
from .judging import excluded, merged, merged_groups
from .question import NO_FACTS, Question
from .separation import Duty
from .terms import approvers, missing_in_all

ADMINISTRATORS_MIN = 2
PEOPLE_SHOWN = 5


class Finding(StrEnum):
    """What was found."""

    UNREACHABLE = "unreachable"
    UNAPPROVABLE = "unapprovable"
    SHADOWED = "shadowed"
    UNREVIEWABLE = "unreviewable"
    FEW_ADMINISTRATORS = "few_administrators"
    AUTOMATIC = "automatic"
    BREAK_GLASS = "break_glass"


NOTICES = frozenset({Finding.AUTOMATIC, Finding.BREAK_GLASS, Finding.FEW_ADMINISTRATORS})
"""What is worth knowing and no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding; `rule` is empty where it is about the whole."""

    finding: Finding
    rule: str
    text: str

    @property
    def fault(self) -> bool:
        """Whether it has to be corrected."""
        return self.finding not in NOTICES


def find(catalogue: Catalogue) -> tuple[Found, ...]:
    """Everything that is remarkable, in the order of the rules."""
    policy = catalogue.policy()
    found = list(_of_the_whole(policy))
    for line in policy.lines:
        found += _of_a_rule(policy, line)
    return tuple(found)


def _of_the_whole(policy: Policy) -> Iterator[Found]:
    administrators = sorted(policy.administrators)
    if len(administrators) < ADMINISTRATORS_MIN:
        said = f"only {administrators[0]} is" if administrators else "nobody is"
        text = f"{said} an administrator; a change of the configuration takes two different ones"
        yield Found(finding=Finding.FEW_ADMINISTRATORS, rule="", text=text)


def _of_a_rule(policy: Policy, line: Line) -> Iterator[Found]:
    rule = line.rule
    places = [place for place, lines in policy.offered.items() if line in lines]
    if not places or not line.who & policy.people.keys():
        problem = "it is about no role on a target" if not places else "it is about nobody"
        yield Found(finding=Finding.UNREACHABLE, rule=rule.name, text=problem)
        return
    in_place = _always_replaced(policy, line, places)
    if in_place:
        text = f"{in_place} always applies instead of it"
        yield Found(finding=Finding.UNREACHABLE, rule=rule.name, text=text)
    elif _is_shadowed(policy, line, places):
        text = "without it nothing would change: wherever it applies, other rules that always apply are as strict"
        yield Found(finding=Finding.SHADOWED, rule=rule.name, text=text)
    stuck = [person for person in sorted(line.who) if person in policy.people and _never_approved(policy, line, person)]
    if stuck:
        text = f"never enough people may approve what {_listed(stuck)} ask{'s' if len(stuck) == 1 else ''}"
        yield Found(finding=Finding.UNAPPROVABLE, rule=rule.name, text=text)
    if rule.review is not None:
        own = [person for person in sorted(line.who) if not _reviewers(policy, line, person)]
        if own:
            text = f"nobody may review what {_listed(own)} did"
            yield Found(finding=Finding.UNREVIEWABLE, rule=rule.name, text=text)
    if rule.automatic:
        text = f"nobody decides, for {len(line.who)} people: {rule.automatic}"
        yield Found(finding=Finding.AUTOMATIC, rule=rule.name, text=text)
    if rule.break_glass is not None:
        text = f"nobody decides beforehand, for {len(line.who)} people, {rule.break_glass.uses} times each"
        yield Found(finding=Finding.BREAK_GLASS, rule=rule.name, text=text)


def _listed(people: list[PersonId]) -> str:
    shown = ", ".join(people[:PEOPLE_SHOWN])
    return shown if len(people) <= PEOPLE_SHOWN else f"{shown} and {len(people) - PEOPLE_SHOWN} more"


def _never_approved(policy: Policy, line: Line, person: PersonId) -> bool:
    groups = merged_groups((line,), excluded(policy, person, NO_FACTS, line.rule.excluded))
    return bool(missing_in_all(groups, approvers(groups)))


def _reviewers(policy: Policy, line: Line, person: PersonId) -> frozenset[PersonId]:
    out = policy.accounts.get(person, frozenset((person,))) | barred(policy, Duty.REVIEW, NOTHING_DONE)
    return frozenset(line.review) - out


def _always_replaced(policy: Policy, line: Line, places: list[tuple[TargetName, RoleName]]) -> str:
    """The rule that steps in for it wherever and for whomever it is, whatever the moment; empty if there is none."""
    glass = line.rule.break_glass is not None
    for other in policy.lines:
        always = other.unconditional and line.rule.name in other.rule.instead_of and line.who <= other.who
        same = (other.rule.break_glass is not None) is glass
        if always and same and all(other in policy.offered[place] for place in places):
            return other.rule.name
    return ""


def _is_shadowed(policy: Policy, line: Line, places: list[tuple[TargetName, RoleName]]) -> bool:
    if line.rule.instead_of or line.rule.when.windows:
        return False  # It takes others out, or makes accesses end with its hours.
    judged: dict[tuple[str, ...], bool] = {}
    for place in places:
        there = policy.offered[place]
        replaced = {name for other in there for name in other.rule.instead_of}
        beside = [other for other in there if _always_beside(other, line) and other.rule.name not in replaced]
        for person in line.who:
            others = [other for other in beside if person in other.who]
            names = tuple(other.rule.name for other in others)
            if names not in judged:
                judged[names] = bool(others) and _changes_nothing(policy, line, others)
            if not judged[names]:
                return False
    return True


def _always_beside(other: Line, line: Line) -> bool:
    same = (other.rule.break_glass is None) is (line.rule.break_glass is None)
    return other is not line and other.unconditional and same


def _changes_nothing(policy: Policy, line: Line, others: list[Line]) -> bool:
    """Whether the others come to the same with the line as without it. Asked for nobody in particular."""
    nobody = Question(
        person=PersonId(""),
        target=TargetName(""),
        role=RoleName(""),
        duration=timedelta(seconds=1),
        moment=datetime(2000, 1, 1, tzinfo=UTC),
    )
    excluding = {one for other in others for one in other.rule.excluded}
    without, with_it = merged(policy, nobody, others), merged(policy, nobody, [*others, line])
    return set(line.rule.excluded) <= excluding and replace(with_it, rules=()) == replace(without, rules=())
