"""What the record knows when something is asked: of what was declared, of the target, and of the requester."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from sojourn.domain.catalogue import Adopted
from sojourn.domain.fact import assemble
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.policy import NOTHING_DONE, Done, Duty, Facts, Policy

from .facts import about
from .moments import text
from .parts import approvers_of_access, certified_by, executors_of_access, reviewers_of_access
from .projector import Projections
from .queries import approved_by

RECIPROCAL = timedelta(days=30)
"""Whom one approved within this time may be kept from approving in return, where a rule says so."""


class Access(Protocol):
    """What somebody asks for or has: see `workflow.ports.Access`."""

    @property
    def person(self) -> PersonId:
        """Who."""

    @property
    def target(self) -> TargetName:
        """On what."""

    @property
    def role(self) -> RoleName:
        """In which role."""


def gathering(projections: Projections, in_force: Callable[[], Adopted]) -> Callable[[Facts, Access, datetime], Facts]:
    """Fits `workflow.ports.Office.gather`: what the record knows at a moment of what was declared."""

    def gather(declared: Facts, access: Access, now: datetime) -> Facts:
        person, target = access.person, access.target
        policy = in_force().policy
        accounts = policy.accounts.get(person, frozenset((person,)))
        with projections.reading() as connection:
            told = about(connection, declared, target, now)
            approved = approved_by(connection, person, since=text(now - RECIPROCAL))
            certified = certified_by(connection, person, target, access.role) if _certifying_bars(policy) else ()
        known = assemble(declared, told, accounts=accounts, target=target, now=now)
        return replace(
            known,
            approved_by_requester=tuple(map(PersonId, approved)),
            certified=tuple(map(PersonId, certified)),
        )

    return gather


def taking_part(projections: Projections, in_force: Callable[[], Adopted]) -> Callable[[Access], Done]:
    """Fits `workflow.ports.Office.took_part`: who did which duty for such accesses. Asked only where it can bar."""

    def took_part(access: Access) -> Done:
        policy = in_force().policy
        if not _certifying_bars(policy):
            return NOTHING_DONE
        own = policy.accounts.get(access.person, frozenset((access.person,)))
        with projections.reading() as connection:
            place = access.person, access.target, access.role
            found = {
                Duty.APPROVE: approvers_of_access(connection, *place),
                Duty.EXECUTE: executors_of_access(connection, *place, accounts=own),
                Duty.REVIEW: reviewers_of_access(connection, *place),
                Duty.CERTIFY: certified_by(connection, *place),
            }
        return {duty: tuple(map(PersonId, people)) for duty, people in found.items()}

    return took_part


def _certifying_bars(policy: Policy) -> bool:
    """Whether any duty but asking is kept apart from certifying: then it matters who did what in earlier accesses."""
    return not policy.apart[Duty.CERTIFY] <= {Duty.REQUEST, Duty.ADMINISTER}
