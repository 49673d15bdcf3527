"""A grant: one access, with one absolute end that never moves.

- A grant exists only because a request was approved and its requester activated it.
- It opens nothing before the privilege has been read back from the target.
- It ends once: at its end, or earlier by its holder, by somebody entitled to revoke it, because its holder left,
  or because the target would not take it. From that moment it opens nothing.
- It is finished only when its removal has been read back from the target.
- Ending needs no eligibility of the holder and no approval: what was given can always be taken back.
- A grant that is past its end can no longer become active, and nobody is credited with ending it but time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from sojourn.errors import Code, Refusal

from .catalogue import Catalogue
from .events import (
    EndCause,
    Event,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemoved,
)
from .identifiers import GrantId, PersonId
from .sealed import Sealed


class Status(StrEnum):
    """Where a grant stands."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    ENDED = "ended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmProvisioned:
    """The target took the privilege; `observed` was read back."""

    observed: tuple[str, ...]
    secret: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUpProvisioning:
    """The target would not take the privilege."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Somebody takes the access away."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEarly:
    """The holder is done."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """Time has passed: end the grant if it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndForLeaver:
    """The configuration no longer knows the holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRemoved:
    """What was read back from the target after removal."""

    role_present: bool
    sessions_present: int
    sessions_terminated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRemovalFailed:
    """The target did not let go yet."""

    problem: str


Command = (
    ConfirmProvisioned
    | GiveUpProvisioning
    | Revoke
    | EndEarly
    | Expire
    | EndForLeaver
    | ConfirmRemoved
    | ReportRemovalFailed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as its stream tells it."""

    created: GrantCreated
    status: Status = Status.PROVISIONING
    secret: Sealed | None = None
    cause: EndCause | None = None
    removal_attempts: int = 0

    @property
    def id(self) -> GrantId:
        """The grant's id."""
        return self.created.grant

    def opens(self, now: datetime) -> bool:
        """Whether a connection may be opened under it at this moment."""
        return self.status is Status.ACTIVE and self.created.window.contains(now)


def evolve(state: Grant | None, event: Event) -> Grant | None:
    """The grant after `event`. Events of other streams leave it as it is."""
    match event:
        case GrantCreated():
            return Grant(created=event)
        case _ if state is None:
            return None
        case GrantProvisioned():
            return replace(state, status=Status.ACTIVE, secret=event.secret)
        case GrantEnded():
            return replace(state, status=Status.ENDED, cause=event.cause)
        case GrantRemovalFailed():
            return replace(state, removal_attempts=event.attempt)
        case GrantRemoved():
            return replace(state, status=Status.REMOVED)
        case _:
            return state


def decide(state: Grant, command: Command, catalogue: Catalogue, now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does. Pure: the same inputs give the same answer."""
    match command:
        case ConfirmProvisioned():
            return _confirm_provisioned(state, command, now)
        case GiveUpProvisioning():
            if state.status is Status.ACTIVE:
                return ()
            return _end(state, EndCause.PROVISIONING_FAILED, problem=command.problem)
        case Revoke():
            if not _may_revoke(state, command.person, catalogue):
                return Refusal(Code.GRANT_REVOKE_NOT_ENTITLED, {"person": command.person, "grant": state.id})
            return _due(state, now) or _end(state, EndCause.REVOKED, ended_by=command.person, source=command.source)
        case EndEarly():
            if command.person != state.created.person:
                return Refusal(Code.GRANT_NOT_YOURS, {"grant": state.id, "owner": state.created.person})
            return _due(state, now) or _end(
                state, EndCause.ENDED_BY_HOLDER, ended_by=command.person, source=command.source
            )
        case Expire():
            if _is_over(state) or now < state.created.window.end:
                return ()
            return _end(state, EndCause.EXPIRED)
        case EndForLeaver():
            if _is_over(state) or catalogue.person(state.created.person) is not None:
                return ()
            return _end(state, EndCause.HOLDER_LEFT)
        case ConfirmRemoved() | ReportRemovalFailed():
            return _removal(state, command, now)
        case _:
            assert_never(command)


def _is_over(state: Grant) -> bool:
    return state.status in (Status.ENDED, Status.REMOVED)


def _over(state: Grant) -> Refusal:
    created = state.created
    return Refusal(
        Code.GRANT_ENDED,
        {
            "grant": state.id,
            "cause": state.cause or state.status,
            "target": created.target,
            "role": created.role,
        },
    )


def _due(state: Grant, now: datetime) -> Refusal | None:
    """The refusal for what comes too late because time has ended the grant, whether or not that is on record yet."""
    created = state.created
    if _is_over(state) or now < created.window.end:
        return None
    return Refusal(
        Code.GRANT_EXPIRED,
        {
            "grant": state.id,
            "end": created.window.end.isoformat(),
            "target": created.target,
            "role": created.role,
        },
    )


def _confirm_provisioned(state: Grant, command: ConfirmProvisioned, now: datetime) -> tuple[Event, ...] | Refusal:
    if state.status is Status.ACTIVE:
        return ()
    if _is_over(state):
        return _over(state)
    return _due(state, now) or (GrantProvisioned(grant=state.id, observed=command.observed, secret=command.secret),)


def _end(
    state: Grant, cause: EndCause, *, ended_by: str = "", source: str = "", problem: str = ""
) -> tuple[Event, ...] | Refusal:
    if _is_over(state):
        return _over(state)
    return (GrantEnded(grant=state.id, cause=cause, ended_by=ended_by, source=source, problem=problem),)


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


def _removal(state: Grant, command: ConfirmRemoved | ReportRemovalFailed, now: datetime) -> tuple[Event, ...] | Refusal:
    if state.status is Status.REMOVED:
        return ()
    if state.status is not Status.ENDED:
        return Refusal(Code.GRANT_NOT_READY, {"grant": state.id, "target": state.created.target})
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
        ),
    )
