"""Rules that nobody could ever get an approval under: alone, or because several of them apply to one request.

Judged are the sets of people only. Rules whose conditions of time and circumstance may or may not hold together are
taken together with the others, and also apart from them wherever one is instead of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName
from sojourn.domain.policy import Line, Policy, missing_in_all
from sojourn.domain.policy.judging import merged_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Unapprovable:
    """Somebody, and the rules (in their order in the file) under which their request could never be approved."""

    person: PersonId
    target: TargetName
    role: RoleName
    rules: tuple[RuleName, ...]
    needed: int
    available: int

    @property
    def sentence(self) -> str:
        """The conflict in words."""
        if len(self.rules) == 1:
            return f"{self.person} could never get {self.needed} approvals: only {self.available} others may approve"
        return (
            f"{self.person} could never get {self.needed} approvals for {self.role} on {self.target}: "
            f"the rules {', '.join(self.rules)} all fit, and only {self.available} others may approve under each of "
            "them"
        )


def find_unapprovable(policy: Policy) -> Iterator[Unapprovable]:
    """Every such conflict, each person and set of rules once.

    The work grows with rules times people, not with all their combinations.
    """
    judged: set[tuple[PersonId, tuple[RuleName, ...]]] = set()
    for (target, role), lines in policy.offered.items():
        for person in sorted({one for line in lines for one in line.who}):
            for fitting in _together(lines, person):
                names = tuple(line.rule.name for line in fitting)
                if (person, names) in judged:
                    continue
                judged.add((person, names))
                own = policy.accounts.get(person, frozenset((person,)))
                groups = merged_groups(fitting, own)
                people = {one for group in groups for one in group.people}
                if missing_in_all(groups, people):
                    yield Unapprovable(
                        person=person,
                        target=target,
                        role=role,
                        rules=names,
                        needed=sum(group.needed for group in groups),
                        available=len(people),
                    )


def _together(lines: tuple[Line, ...], person: PersonId) -> Iterator[tuple[Line, ...]]:
    """The sets of rules that are judged for one person: each rule alone, and those that may apply at once."""
    own = tuple(line for line in lines if person in line.who and line.groups)
    for line in own:
        yield (line,)
    replaced = {name for line in own for name in line.rule.instead_of}
    remaining = tuple(line for line in own if line.rule.name not in replaced)
    if len(remaining) > 1:
        yield remaining
