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
    GrantProlonged,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
)
from sojourn.domain.identifiers import GrantId
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window


class Status(StrEnum):
    """Where a grant stands."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    ENDED = "ended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as its stream tells it.

    `extended_to` is the end that the last extension gave it, `prolonged_to` the one that the target has confirmed.
    """

    created: GrantCreated
    status: Status = Status.PROVISIONING
    secret: Sealed | None = None
    cause: EndCause | None = None
    removal_attempts: int = 0
    overdue: bool = False
    extended_to: datetime | None = None
    prolonged_to: datetime | None = None

    @property
    def id(self) -> GrantId:
        """The grant's id."""
        return self.created.grant

    @property
    def end(self) -> datetime:
        """When it is over by itself."""
        return self.extended_to or self.created.window.end

    @property
    def window(self) -> Window:
        """From its start to its end, with every extension."""
        return Window(start=self.created.window.start, end=self.end)

    @property
    def to_prolong(self) -> bool:
        """Whether the target still has to be told of a later end."""
        return self.status is Status.ACTIVE and self.end > (self.prolonged_to or self.created.window.end)

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
            return replace(state, status=Status.ACTIVE, secret=event.secret)
        case GrantExtended():
            return replace(state, extended_to=event.until)
        case GrantProlonged():
            return replace(state, prolonged_to=event.until)
        case GrantEnded():
            return replace(state, status=Status.ENDED, cause=event.cause)
        case GrantRemovalFailed():
            return replace(state, removal_attempts=event.attempt)
        case GrantRemovalOverdue():
            return replace(state, overdue=True)
        case GrantRemoved():
            return replace(state, status=Status.REMOVED)
        case _:
            return state
