"""sojourn policy who-can: everybody who can get a role on a target, exactly."""

from __future__ import annotations

from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_table
from sojourn.domain.duration import format_duration
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.policy.difference import say_way
from sojourn.domain.policy.ways import Access
from sojourn.domain.reach import accesses_of
from sojourn.domain.reach import who_can as reach
from sojourn.errors import Code, SojournError

from .source import Source


def who_can(
    target: str = "", role: str = "", *, person: str = "", source: Source | None = None, common: Common | None = None
) -> None:
    """List everybody who can get a role on a target, and every rule by which they can.

    It is exact: worked out from all rules at once, now or as of any moment on record. Who could never be approved is
    not listed. With --person and no target: all that one person can get.

    Example: sojourn policy who-can shop read --as-of 2026-03-31T23:59:59Z

    Example: sojourn policy who-can --person alice --files ./config

    Parameters
    ----------
    target
        The target.
    role
        The role (default: every role of the target).
    person
        Only this person.
    """
    source, common = source or Source(), common or Common()
    if not target and not person:
        raise SojournError(Code.INPUT_INVALID, problem="Neither a target nor a person is given", expected="one of them")
    read = source.read(common)
    catalogue, said = read.catalogue, read.said
    if target and catalogue.target(TargetName(target)) is None:
        raise SojournError(Code.TARGET_UNKNOWN, target=target)
    if person and catalogue.person(PersonId(person)) is None:
        raise SojournError(Code.PERSON_UNKNOWN, person=person)
    if target:
        found = reach(read.adopted, TargetName(target), RoleName(role) if role else None)
        found = tuple(one for one in found if person in ("", one.person))
    else:
        found = accesses_of(read.adopted, PersonId(person))
    if common.json:
        print_json({"configuration": said, "accesses": [_plain(one) for one in found]})
        return
    rows = [
        {"person": one.person, "role": one.role, "target": one.target, "rule": way.rule, "how": say_way(way)}
        for one in found
        for way in one.ways
    ]
    print_table(rows, ("person", "role", "target", "rule", "how"), empty=f"Nobody, by {said}.")


def _plain(access: Access) -> dict[str, object]:
    return {
        "person": access.person,
        "target": access.target,
        "role": access.role,
        "ways": [
            {
                "rule": way.rule,
                "conditions": way.conditions,
                "longest": format_duration(way.longest),
                "groups": [{"name": one.name, "people": one.people, "needed": one.needed} for one in way.groups],
                "given": way.given,
                "automatic": way.automatic,
                "break_glass": way.break_glass,
                "reviewers": way.reviewers,
            }
            for way in access.ways
        ],
    }
