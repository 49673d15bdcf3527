"""Prolong: what the target says about an end that an approved extension has moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sojourn.domain.grant import ConfirmProlonged, Grant, ReportProlongingFailed
from sojourn.domain.identifiers import GrantId

from .deciding import SYSTEM_ACTOR, Attempt, must, on_grant, plainly, shown
from .ports import Office


async def confirm_prolonged(office: Office, *, grant: GrantId, until: datetime, observed: Sequence[str]) -> Grant:
    """Say that the target took `until` as the end, as `observed` there.

    If the end has moved on, or the grant is over, nothing is recorded. Raises SojournError `grant.unknown`, or the
    ledger's.
    """
    command = ConfirmProlonged(until=until, observed=tuple(observed))
    attempt = Attempt(verb="confirm_prolonged", actor=SYSTEM_ACTOR, source="")
    return must(await on_grant(office, attempt, grant, plainly(command), guarded=False))


async def report_prolonging_failed(office: Office, *, grant: GrantId, until: datetime, problem: str) -> Grant:
    """Say that the target keeps its old end for now. Raises as `confirm_prolonged` does."""
    command = ReportProlongingFailed(until=until, problem=shown(problem))
    attempt = Attempt(verb="report_prolonging_failed", actor=SYSTEM_ACTOR, source="")
    return must(await on_grant(office, attempt, grant, plainly(command), guarded=False))
