"""Rules that are fine alone and leave somebody without enough approvers together.

When several rules fit one request, only people whom every one of them names may approve, and the most approvals
count (see `domain.policy`). So two rules can make a request that nobody could ever approve.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName
from sojourn.domain.people import Team
from sojourn.domain.policy import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Unapprovable:
    """Somebody, and the rules (in their order in the file) that fit their request and cannot be met together."""

    person: PersonId
    target: TargetName
    role: RoleName
    rules: tuple[RuleName, ...]
    needed: int
    available: int

    @property
    def sentence(self) -> str:
        """The conflict in words."""
        names = ", ".join(self.rules)
        return (
            f"{self.person} could never get {self.needed} approvals for {self.role} on {self.target}: "
            f"the rules {names} all fit, and only {self.available} others may approve under each of them"
        )


def find_unapprovable(rules: tuple[Rule, ...], teams: tuple[Team, ...]) -> Unapprovable | None:
    """The first such conflict, or None. The work grows with rules times people, not with all their combinations."""
    who = {rule.name: rule.who.members(teams) for rule in rules}
    approvers = {rule.name: rule.approvers.members(teams) for rule in rules}
    offered: dict[tuple[TargetName, RoleName], list[Rule]] = defaultdict(list)
    for rule in rules:
        for target in rule.targets:
            for role in rule.roles:
                offered[target, role].append(rule)
    judged: set[tuple[PersonId, tuple[RuleName, ...]]] = set()
    common: dict[tuple[RuleName, ...], frozenset[PersonId]] = {}
    for (target, role), covering in offered.items():
        fitting: dict[PersonId, list[Rule]] = defaultdict(list)
        for rule in covering:
            for person in who[rule.name]:
                fitting[person].append(rule)
        for person, chosen in sorted(fitting.items()):
            names = tuple(rule.name for rule in chosen)
            if len(chosen) < 2 or (person, names) in judged:
                continue
            judged.add((person, names))
            if names not in common:
                common[names] = frozenset.intersection(*(approvers[name] for name in names))
            available = len(common[names]) - (person in common[names])
            needed = max(rule.approvals for rule in chosen)
            if available < needed:
                return Unapprovable(
                    person=person, target=target, role=role, rules=names, needed=needed, available=available
                )
    return None
