"""Remove: what was read back from the target after the access was taken out of it."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain.grant import ConfirmRemoved, Grant, ReportOverdue, ReportRemovalFailed
from sojourn.domain.identifiers import GrantId

from .deciding import SYSTEM_ACTOR, Attempt, must, on_grant, plainly, shown
from .ports import Office


async def confirm_removed(
    office: Office,
    *,
    grant: GrantId,
    role_present: bool,
    sessions_present: int,
    sessions_terminated: int,
    left: tuple[str, ...] = (),
) -> Grant:
    """Say what was read back. Only "no role and no session" finishes the grant; anything else counts as a failure.

    A grant that is removed already stays as it is. Raises SojournError `grant.unknown`, `grant.not_ready` for a
    grant that has not ended, or the ledger's.
    """
    command = ConfirmRemoved(
        role_present=role_present,
        sessions_present=sessions_present,
        sessions_terminated=sessions_terminated,
        left=tuple(map(shown, left)),
    )
    attempt = Attempt(verb="confirm_removed", actor=SYSTEM_ACTOR, source="")
    return must(await on_grant(office, attempt, grant, plainly(command), guarded=False))


async def report_removal_failed(office: Office, *, grant: GrantId, problem: str) -> Grant:
    """Say that the target did not let go yet. Raises as `confirm_removed` does."""
    attempt = Attempt(verb="report_removal_failed", actor=SYSTEM_ACTOR, source="")
    return must(
        await on_grant(office, attempt, grant, plainly(ReportRemovalFailed(problem=shown(problem))), guarded=False)
    )


async def report_overdue(office: Office, *, grant: GrantId, since: datetime, problem: str) -> Grant:
    """Raise the alarm, once: it has been over since `since`. Raises as `confirm_removed` does."""
    command = ReportOverdue(since=since, problem=shown(problem))
    attempt = Attempt(verb="report_overdue", actor=SYSTEM_ACTOR, source="")
    return must(await on_grant(office, attempt, grant, plainly(command), guarded=False))
