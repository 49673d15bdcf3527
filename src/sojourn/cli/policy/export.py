"""sojourn policy export: the policy in the language of another engine."""

from __future__ import annotations

import sys

from sojourn.cli.common import Common
from sojourn.cli.output import print_json
from sojourn.configuration import cedar
from sojourn.domain.catalogue import Adopted

from .source import Source


def export(*, source: Source | None = None, common: Common | None = None) -> None:
    """Write in Cedar who may ask for what, and for how long, for other engines to answer. Decisions are not in it.

    With --json the people, teams and targets are there as well, as Cedar's entities.

    Example: sojourn policy export --files ./config > policy.cedar
    """
    source, common = source or Source(), common or Common()
    read = source.read(common)
    policies = cedar.policies(read.catalogue, _taken(read.adopted))
    if common.json:
        print_json({"policies": policies, "entities": cedar.entities(read.catalogue)})
        return
    sys.stdout.write(policies + "\n")


def _taken(adopted: Adopted) -> frozenset[tuple[str, str, str]]:
    """What the files give and the record does not: by certifications, or because a program's owner has left."""
    offered, people = adopted.policy.offered, adopted.policy.people.values()
    orphans = [one.id for one in people if one.owner in adopted.standing.left]
    return frozenset(
        {(one.person, one.target, one.role) for one in adopted.standing.removals}
        | {(person, target, role) for person in orphans for target, role in offered}
    )
