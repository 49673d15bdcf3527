"""What the record knows when something is asked: of what was declared, of the target, and of the requester."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sojourn.domain.catalogue import Adopted
from sojourn.domain.fact import assemble
from sojourn.domain.identifiers import PersonId, TargetName
from sojourn.domain.policy import Facts

from .facts import about
from .moments import text
from .projector import Projections
from .queries import approved_by

RECIPROCAL = timedelta(days=30)
"""Whom one approved within this time may be kept from approving in return, where a rule says so."""


def gathering(
    projections: Projections, in_force: Callable[[], Adopted]
) -> Callable[[Facts, PersonId, TargetName, datetime], Facts]:
    """Fits `workflow.ports.Office.gather`: what the record knows at a moment of what was declared."""

    def gather(declared: Facts, person: PersonId, target: TargetName, now: datetime) -> Facts:
        accounts = in_force().policy.accounts.get(person, frozenset((person,)))
        with projections.reading() as connection:
            told = about(connection, declared, target, now)
            approved = approved_by(connection, person, since=text(now - RECIPROCAL))
        known = assemble(declared, told, accounts=accounts, target=target, now=now)
        return replace(known, approved_by_requester=tuple(map(PersonId, approved)))

    return gather
