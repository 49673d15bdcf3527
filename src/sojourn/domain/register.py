"""The register of what is kept: which holds are in force, how long each class is kept, what is to be destroyed.

- A hold keeps everything that it covers, whatever a schedule or a request says, until two people released it.
- Each class of record has a floor: it is never kept for less. Two people change the schedule.
- What was asked for by one person and needs another stays open until it is confirmed or withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from .events import (
    Event,
    HoldPlaced,
    HoldReleased,
    HoldReleaseRequested,
    RetentionChanged,
    RetentionChangeRequested,
    RetentionChangeWithdrawn,
    ShreddingConfirmed,
    ShreddingRequested,
    ShreddingWithdrawn,
)
from .identifiers import HoldId, PersonId, ShreddingId
from .sealed import RecordClass

SEVEN_YEARS = 2557
"""Days: seven years with two leap days."""

FLOOR_DAYS: Mapping[RecordClass, int] = MappingProxyType(
    {
        RecordClass.ACCESS_EVIDENCE: SEVEN_YEARS,
        RecordClass.CONFIGURATION: SEVEN_YEARS,
        RecordClass.STATEMENT: 90,
        RecordClass.RECORDING: 90,
        RecordClass.REASON: 365,
        RecordClass.CREDENTIAL: 365,
    }
)
"""No schedule goes below these."""

DEFAULT_DAYS: Mapping[RecordClass, int] = MappingProxyType(dict.fromkeys(RecordClass, SEVEN_YEARS))
"""The schedule before anybody changed it."""

DISPOSABLE = (RecordClass.STATEMENT, RecordClass.RECORDING, RecordClass.REASON)
"""Classes that are sealed by month and can be disposed of by age. Entries, configurations and credentials stay."""

SHREDDABLE = (*DISPOSABLE, RecordClass.CREDENTIAL)
"""Classes that are sealed, so that destroying keys destroys them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """A sealing key that still opens, and what it was used for; without moments if nothing on record names it."""

    key: str
    person: PersonId
    record_class: RecordClass
    values: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold as the register tells it."""

    placed: HoldPlaced
    release_requested_by: PersonId | None = None
    released: HoldReleased | None = None

    def covers(self, use: KeyUse) -> bool:
        """Whether anything that was sealed under the key falls under this hold. In doubt it does."""
        placed = self.placed
        if self.released is not None or (placed.people and use.person not in placed.people):
            return False
        after = placed.end is not None and use.first_at is not None and use.first_at >= placed.end
        before = placed.start is not None and use.last_at is not None and use.last_at < placed.start
        return not (after or before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shredding:
    """A shredding as the register tells it: open, confirmed or withdrawn."""

    requested: ShreddingRequested
    confirmed: ShreddingConfirmed | None = None
    withdrawn: ShreddingWithdrawn | None = None

    @property
    def open(self) -> bool:
        """Whether it still waits for a second person."""
        return self.confirmed is None and self.withdrawn is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Everything in the stream `keeping`, folded. `schedule` is in days."""

    holds: Mapping[HoldId, Hold] = field(default_factory=dict)
    shreddings: Mapping[ShreddingId, Shredding] = field(default_factory=dict)
    schedule: Mapping[RecordClass, int] = field(default_factory=lambda: DEFAULT_DAYS)
    changes: Mapping[RecordClass, RetentionChangeRequested] = field(default_factory=dict)

    def holding(self, use: KeyUse) -> tuple[HoldId, ...]:
        """The holds in force that cover what was sealed under a key."""
        return tuple(name for name, hold in self.holds.items() if hold.covers(use))


def evolve(state: Register | None, event: Event) -> Register:
    """The register after `event`. Events of other streams leave it as it is."""
    state = state or Register()
    match event:
        case HoldPlaced() | HoldReleaseRequested() | HoldReleased():
            return _evolve_hold(state, event)
        case ShreddingRequested():
            return _with_shredding(state, Shredding(requested=event))
        case ShreddingConfirmed():
            return _with_shredding(state, replace(state.shreddings[event.shredding], confirmed=event))
        case ShreddingWithdrawn():
            return _with_shredding(state, replace(state.shreddings[event.shredding], withdrawn=event))
        case RetentionChangeRequested():
            return replace(state, changes={**state.changes, event.record_class: event})
        case RetentionChanged():
            schedule = {**state.schedule, event.record_class: event.days}
            return replace(_without_change(state, event.record_class), schedule=schedule)
        case RetentionChangeWithdrawn():
            return _without_change(state, event.record_class)
        case _:
            return state


def _evolve_hold(state: Register, event: HoldPlaced | HoldReleaseRequested | HoldReleased) -> Register:
    match event:
        case HoldPlaced():
            hold = Hold(placed=event)
        case HoldReleaseRequested():
            hold = replace(state.holds[event.hold], release_requested_by=event.requested_by)
        case HoldReleased():
            hold = replace(state.holds[event.hold], released=event)
    return replace(state, holds={**state.holds, event.hold: hold})


def _with_shredding(state: Register, shredding: Shredding) -> Register:
    return replace(state, shreddings={**state.shreddings, shredding.requested.shredding: shredding})


def _without_change(state: Register, record_class: RecordClass) -> Register:
    return replace(state, changes={name: one for name, one in state.changes.items() if name is not record_class})
