"""What follows from what is said to a grant."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import (
    EndCause,
    Event,
    GrantEnded,
    GrantExtended,
    GrantLeased,
    GrantProlonged,
    GrantProlongingFailed,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    GrantSessionStopped,
)
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal

from .commands import (
    Command,
    ConfirmProlonged,
    ConfirmProvisioned,
    ConfirmRemoved,
    EndEarly,
    EndForLeaver,
    Expire,
    Extend,
    GiveUpProvisioning,
    ReportOverdue,
    ReportProlongingFailed,
    ReportRemovalFailed,
    Revoke,
    StopSession,
    TakeLease,
)
from .state import Grant, Status


def decide(state: Grant, command: Command, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does. Pure: the same inputs give the same answer."""
    match command:
        case ConfirmProvisioned():
            return _confirm_provisioned(state, command, now)
        case TakeLease():
            return _lease(state, command, now)
        case GiveUpProvisioning():
            if not command.torn and (state.status is Status.ACTIVE or _lost(state, command.node)):
                return ()
            return _end(state, EndCause.PROVISIONING_FAILED, problem=command.problem)
        case Revoke():
            if not _may_revoke(state, command.person, adopted.catalogue):
                return Refusal(Code.GRANT_REVOKE_NOT_ENTITLED, {"person": command.person, "grant": state.id})
            return _due(state, now) or _end(state, EndCause.REVOKED, ended_by=command.person, source=command.source)
        case StopSession():
            return _stop(state, command, adopted.catalogue)
        case EndEarly():
            if command.person != state.created.person:
                return Refusal(Code.GRANT_NOT_YOURS, {"grant": state.id, "owner": state.created.person})
            return _due(state, now) or _end(
                state, EndCause.ENDED_BY_HOLDER, ended_by=command.person, source=command.source
            )
        case Expire():
            if _is_over(state) or now < state.end:
                return ()
            return _end(state, EndCause.EXPIRED)
        case EndForLeaver():
            cause = gone(state, adopted)
            return () if _is_over(state) or cause is None else _end(state, cause)
        case ConfirmRemoved() | ReportRemovalFailed() | ReportOverdue():
            return _removal(state, command, now)
        case Extend():
            return _extend(state, command, now)
        case ConfirmProlonged() | ReportProlongingFailed():
            return _prolonging(state, command)
        case _:
            assert_never(command)


def gone(state: Grant, adopted: Adopted) -> EndCause | None:
    """Why the holder may not have this any more under what is in force, or None.

    An account whose owner has left goes with them. A target or role that is no longer offered to anybody is no reason:
    the holder has not changed; nor are conditions of time and circumstance, which were judged when it began.
    """
    created, policy = state.created, adopted.policy
    person = policy.people.get(created.person)
    if person is None or person.owner in adopted.standing.left:
        return EndCause.HOLDER_LEFT
    target = policy.targets.get(created.target)
    if target is None or target.role(created.role) is None:
        return None
    eligible = adopted.eligible(created.person, created.target, created.role)
    return None if eligible else EndCause.HOLDER_MOVED


def _lease(state: Grant, command: TakeLease, now: datetime) -> tuple[Event, ...]:
    """The lease, unless another node has one or this one has it for a good while yet."""
    held = state.lease
    enough = held is not None and held.node == command.node and held.until - now >= (command.until - now) / 2
    if state.status is Status.REMOVED or enough or state.taken(command.node, now):
        return ()
    return (GrantLeased(grant=state.id, node=command.node, until=command.until),)


def _lost(state: Grant, node: str) -> bool:
    """Whether another node has taken the lease meanwhile."""
    return state.lease is not None and bool(node) and state.lease.node != node


def _is_over(state: Grant) -> bool:
    return state.status in (Status.ENDED, Status.REMOVED)


def _due(state: Grant, now: datetime) -> Refusal | None:
    """The refusal for what comes too late because time has ended the grant, whether or not that is on record yet."""
    return None if _is_over(state) else state.over(now)


def _confirm_provisioned(state: Grant, command: ConfirmProvisioned, now: datetime) -> tuple[Event, ...] | Refusal:
    if state.status is Status.ACTIVE:
        return ()
    if _is_over(state):
        return state.ended()
    if _lost(state, command.node):
        assert state.lease is not None, "it was lost to somebody"
        return Refusal(Code.GRANT_LEASED, {"grant": state.id, "node": state.lease.node})
    event = GrantProvisioned(
        grant=state.id,
        observed=command.observed,
        secret=command.secret,
        identity=command.identity,
        node=command.node,
    )
    return _due(state, now) or (event,)


def _end(
    state: Grant, cause: EndCause, *, ended_by: str = "", source: str = "", problem: str = ""
) -> tuple[Event, ...] | Refusal:
    if _is_over(state):
        return state.ended()
    return (GrantEnded(grant=state.id, cause=cause, ended_by=ended_by, source=source, problem=problem),)


def _stop(state: Grant, command: StopSession, catalogue: Catalogue) -> tuple[Event, ...] | Refusal:
    if not _may_revoke(state, command.person, catalogue):
        return Refusal(Code.GRANT_REVOKE_NOT_ENTITLED, {"person": command.person, "grant": state.id})
    if _is_over(state):
        return state.ended()
    if command.session in state.stopped:
        return ()
    return (
        GrantSessionStopped(grant=state.id, session=command.session, stopped_by=command.person, source=command.source),
    )


def _may_revoke(state: Grant, person: PersonId, catalogue: Catalogue) -> bool:
    """The holder, an administrator, or an approver of a rule that covers this access."""
    created = state.created
    known = catalogue.person(person)
    if known is None:
        return False
    if known.administrator or person == created.person:
        return True
    target = catalogue.target(created.target)
    return target is not None and any(
        rule.covers(target)
        and created.role in rule.roles
        and any(person in group.people.members(catalogue.teams, catalogue.people) for group in rule.groups)
        for rule in catalogue.rules
    )


def _extend(state: Grant, command: Extend, now: datetime) -> tuple[Event, ...] | Refusal:
    refusal = state.over(now)
    if refusal is not None:
        return refusal
    if command.since != state.end or command.until <= command.since:
        return Refusal(Code.GRANT_END_MOVED, {"grant": state.id, "end": state.end.isoformat()})
    return (
        GrantExtended(
            grant=state.id,
            request=command.request,
            since=command.since,
            until=command.until,
            configuration_version=command.configuration_version,
        ),
    )


def _prolonging(state: Grant, command: ConfirmProlonged | ReportProlongingFailed) -> tuple[Event, ...]:
    """What the target said about an end that may have moved on, or come, meanwhile; then it changes nothing."""
    if not state.to_prolong or command.until != state.end:
        return ()
    if isinstance(command, ReportProlongingFailed):
        return (GrantProlongingFailed(grant=state.id, until=command.until, problem=command.problem),)
    return (GrantProlonged(grant=state.id, until=command.until, observed=command.observed),)


def _removal(
    state: Grant, command: ConfirmRemoved | ReportRemovalFailed | ReportOverdue, now: datetime
) -> tuple[Event, ...] | Refusal:
    if state.status is Status.REMOVED:
        return ()
    if state.status is not Status.ENDED:
        return Refusal(Code.GRANT_NOT_READY, {"grant": state.id, "target": state.created.target})
    if isinstance(command, ReportOverdue):
        if state.overdue:
            return ()
        attempts, problem = state.removal_attempts, command.problem
        return (GrantRemovalOverdue(grant=state.id, since=command.since, attempts=attempts, problem=problem),)
    if isinstance(command, ReportRemovalFailed):
        return (GrantRemovalFailed(grant=state.id, attempt=state.removal_attempts + 1, problem=command.problem),)
    if command.role_present or command.sessions_present:
        problem = f"read back: role present {command.role_present}, sessions {command.sessions_present}"
        return (GrantRemovalFailed(grant=state.id, attempt=state.removal_attempts + 1, problem=problem),)
    return (
        GrantRemoved(
            grant=state.id,
            role_present=False,
            sessions_present=0,
            sessions_terminated=command.sessions_terminated,
            read_back_at=now,
            left=command.left,
        ),
    )
