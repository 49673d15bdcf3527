"""Who can get what under a configuration and the standing of its people: `policy.ways`, and what else the record says.

- What a certification took from somebody, they cannot get; nor can a program whose owner has left get anything.
- Who is kept from anything new by an overdue review can get it once that is concluded. This is told as a condition, as
  hours and incidents are; break-glass does not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from .catalogue import Adopted
from .identifiers import GrantId, PersonId, RoleName, TargetName
from .policy import Line
from .policy.ways import Access, Way
from .policy.ways import accesses_of as by_policy
from .policy.ways import who_can as anybody_by_policy

GRANTS_SHOWN = 5


def who_can(adopted: Adopted, target: TargetName, role: RoleName | None = None) -> tuple[Access, ...]:
    """Everybody who can get that role (or any role) on the target, in order of role and person."""
    return tuple(_as_it_stands(adopted, anybody_by_policy(adopted.policy, target, role)))


def accesses_of(adopted: Adopted, person: PersonId) -> tuple[Access, ...]:
    """Everything that one person can get, in order of target and role."""
    found = _as_it_stands(adopted, by_policy(adopted.policy, person))
    return tuple(sorted(found, key=lambda one: (one.target, one.role)))


def losing(before: Adopted, after: Adopted) -> tuple[PersonId, ...]:
    """Who is gone by the change, or can no longer ask for something that they could ask for, in order.

    As with accesses that are live (`grant.gone`), a target or role that there is no more is nobody's loss.
    """
    found = {person for person in before.policy.people if person not in after.policy.people}
    for (target, role), lines in before.policy.offered.items():
        known = after.policy.targets.get(target)
        if known is None or known.role(role) is None:
            continue
        still = _who(after.policy.offered.get((target, role), ()))
        found.update(one for one in _who(lines) - still if before.eligible(one, target, role))
    return tuple(sorted(found))


def _who(lines: Iterable[Line]) -> frozenset[PersonId]:
    return frozenset(person for line in lines for person in line.who)


def _as_it_stands(adopted: Adopted, found: Iterable[Access]) -> Iterator[Access]:
    standing, people = adopted.standing, adopted.policy.people
    removed = {(one.person, one.target, one.role) for one in standing.removals}
    waiting: dict[PersonId, tuple[GrantId, ...]] = {}
    for one in found:
        if (one.person, one.target, one.role) in removed or people[one.person].owner in standing.left:
            continue
        if standing.blocks and one.person not in waiting:
            waiting[one.person] = standing.blocking(one.person, adopted.catalogue.teams)
        blocking = waiting.get(one.person, ())
        yield replace(one, ways=tuple(_after(way, blocking) for way in one.ways)) if blocking else one


def _after(way: Way, blocking: tuple[GrantId, ...]) -> Way:
    if way.break_glass:
        return way
    grants = ", ".join(blocking[:GRANTS_SHOWN])
    return replace(way, conditions=(*way.conditions, f"once the overdue review of {grants} is concluded"))
