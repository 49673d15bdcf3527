"""A grant as its stream tells it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sojourn.domain.events import (
    EndCause,
    Event,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantLeased,
    GrantProlonged,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    GrantSessionStopped,
)
from sojourn.domain.identifiers import GrantId, RequestId, SessionId
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal


class Status(StrEnum):
    """Where a grant stands."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    ENDED = "ended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A control node works on it at its target, alone before `until`."""

    node: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as its stream tells it.

    `extensions` are the ends that extensions gave it, in order, `extended_by` the requests for them, and
    `prolonged_to` the end that the target has confirmed. `identity` is how the target's login is known again,
    `observed` what was last read back from the target. `provisioned_by` is the node that made it, and `lease` that of
    one that works on it. `stopped` are the sessions that somebody ended one by one.
    """

    created: GrantCreated
    status: Status = Status.PROVISIONING
    secret: Sealed | None = None
    observed: tuple[str, ...] = ()
    cause: EndCause | None = None
    removal_attempts: int = 0
    overdue: bool = False
    identity: str = ""
    extensions: tuple[datetime, ...] = ()
    prolonged_to: datetime | None = None
    extended_by: tuple[RequestId, ...] = ()
    provisioned_by: str = ""
    lease: Lease | None = None
    stopped: tuple[SessionId, ...] = ()

    @property
    def id(self) -> GrantId:
        """The grant's id."""
        return self.created.grant

    @property
    def end(self) -> datetime:
        """When it is over by itself."""
        return self.ends[-1]

    @property
    def ends(self) -> tuple[datetime, ...]:
        """All the ends that it ever had; the last is in force."""
        return (self.created.window.end, *self.extensions)

    @property
    def window(self) -> Window:
        """From its start to its end, with every extension."""
        return Window(start=self.created.window.start, end=self.end)

    @property
    def to_prolong(self) -> bool:
        """Whether the target still has to be told of a later end."""
        return self.status is Status.ACTIVE and self.end > (self.prolonged_to or self.created.window.end)

    def taken(self, node: str, now: datetime) -> bool:
        """Whether another node than this works on it at this moment."""
        return self.lease is not None and self.lease.node != node and now < self.lease.until

    def over(self, now: datetime) -> Refusal | None:
        """The refusal for what comes when the access is over, or None while it is not."""
        if self.status in (Status.ENDED, Status.REMOVED):
            return self.ended()
        if now < self.end:
            return None
        return Refusal(Code.GRANT_EXPIRED, {**self._named(), "end": self.end.isoformat()})

    def ended(self) -> Refusal:
        """The refusal for what comes after its end."""
        return Refusal(Code.GRANT_ENDED, {**self._named(), "cause": self.cause or self.status})

    def _named(self) -> dict[str, str]:
        return {"grant": self.id, "target": self.created.target, "role": self.created.role}

    def opens(self, now: datetime) -> bool:
        """Whether a connection may be opened under it at this moment."""
        return self.status is Status.ACTIVE and self.window.contains(now)


def evolve(state: Grant | None, event: Event) -> Grant | None:
    """The grant after `event`. Events of other streams leave it as it is."""
    match event:
        case GrantCreated():
            return Grant(created=event)
        case _ if state is None:
            return None
        case GrantProvisioned():
            return replace(
                state,
                status=Status.ACTIVE,
                secret=event.secret,
                identity=event.identity,
                observed=event.observed,
                provisioned_by=event.node,
                lease=None,
            )
        case GrantLeased():
            return replace(state, lease=Lease(node=event.node, until=event.until))
        case GrantExtended():
            return replace(
                state,
                extensions=(*state.extensions, event.until),
                extended_by=(*state.extended_by, event.request),
            )
        case GrantProlonged():
            return replace(state, prolonged_to=event.until, observed=event.observed, lease=None)
        case GrantEnded():
            return replace(state, status=Status.ENDED, cause=event.cause)
        case GrantRemovalFailed():
            return replace(state, removal_attempts=event.attempt)
        case GrantRemovalOverdue():
            return replace(state, overdue=True)
        case GrantRemoved():
            return replace(state, status=Status.REMOVED)
        case GrantSessionStopped():
            return replace(state, stopped=(*state.stopped, event.session))
        case _:
            return state
