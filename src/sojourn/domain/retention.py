"""Retention: how long each class of record is kept, and what is destroyed when that time has passed.

- A schedule never goes below the floor of its class.
- Keeping a class for longer or for less long takes two administrators: one asks, another confirms.
- A disposal destroys what the schedule in force says and nothing else: the keys of a class whose last value was
  sealed longer ago than the class is kept. What a hold covers stays, and is counted.
- Entries themselves are never disposed of: access evidence and configuration stay as long as the ledger does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn.errors import Code, Refusal

from .catalogue import Catalogue
from .entitled import unless_administrator
from .events import (
    DisposedClass,
    KeysDestroyed,
    RecordsDisposed,
    RetentionChanged,
    RetentionChangeRequested,
    RetentionChangeWithdrawn,
)
from .identifiers import DisposalId, HoldId, PersonId
from .register import DISPOSABLE, FLOOR_DAYS, KeyUse, Register
from .sealed import RecordClass
from .shredding import tombstones

DAYS_MAX = 36_525
"""A hundred years."""

KEYS_MAX = 4000
"""So many keys go in one disposal, the oldest first; the next disposal takes the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRetention:
    """Ask that records of a class are kept for so many days."""

    record_class: RecordClass
    days: int
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRetention:
    """Agree to the `days` that somebody else asked for."""

    record_class: RecordClass
    days: int
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRetention:
    """Keep the retention as it is."""

    record_class: RecordClass
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispose:
    """Destroy what has been kept long enough."""

    disposal: DisposalId
    person: PersonId
    source: str


def set_retention(
    state: Register, command: SetRetention, catalogue: Catalogue
) -> tuple[RetentionChangeRequested, ...] | Refusal:
    """The request for the change; nothing if it is so already."""
    refusal = unless_administrator(catalogue, command.person, "change a retention")
    if refusal is not None:
        return refusal
    floor, before = FLOOR_DAYS[command.record_class], state.schedule[command.record_class]
    if command.days < floor:
        details = {"record_class": command.record_class, "days": str(command.days), "floor": str(floor)}
        return Refusal(Code.RETENTION_BELOW_FLOOR, details)
    if command.days > DAYS_MAX:
        problem = f"{command.days} days is too long"
        return Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": f"at most {DAYS_MAX} days"})
    if command.days == before:
        return ()
    return (
        RetentionChangeRequested(
            record_class=command.record_class,
            days=command.days,
            days_before=before,
            requested_by=command.person,
            source=command.source,
        ),
    )


def confirm(state: Register, command: ConfirmRetention, catalogue: Catalogue) -> RetentionChanged | Refusal:
    """The change, once a second person agrees to exactly what was asked."""
    refusal = unless_administrator(catalogue, command.person, "confirm a retention")
    if refusal is not None:
        return refusal
    asked = state.changes.get(command.record_class)
    if asked is None or asked.days != command.days:
        return Refusal(Code.RETENTION_NOT_PENDING, {"record_class": command.record_class, "days": str(command.days)})
    if asked.requested_by == command.person:
        return Refusal(Code.RETENTION_SELF, {"record_class": command.record_class, "person": command.person})
    return RetentionChanged(
        record_class=command.record_class,
        days=asked.days,
        days_before=state.schedule[command.record_class],
        requested_by=asked.requested_by,
        confirmed_by=command.person,
        source=command.source,
    )


def withdraw(state: Register, command: WithdrawRetention, catalogue: Catalogue) -> RetentionChangeWithdrawn | Refusal:
    """The withdrawal, which any administrator may make."""
    refusal = unless_administrator(catalogue, command.person, "withdraw a change of retention")
    if refusal is not None:
        return refusal
    asked = state.changes.get(command.record_class)
    if asked is None:
        return Refusal(Code.RETENTION_NOT_PENDING, {"record_class": command.record_class, "days": "other"})
    return RetentionChangeWithdrawn(
        record_class=command.record_class, withdrawn_by=command.person, source=command.source
    )


def due(state: Register, uses: Sequence[KeyUse], now: datetime) -> tuple[KeyUse, ...]:
    """The keys of which everything has been kept long enough, held or not; the oldest first."""
    ripe = [
        (use.last_at, use)
        for use in uses
        if use.record_class in DISPOSABLE
        and use.last_at is not None
        and use.last_at < now - timedelta(days=state.schedule[use.record_class])
    ]
    return tuple(use for _, use in sorted(ripe, key=lambda pair: (pair[0], pair[1].key)))


def dispose(
    state: Register, version: int, command: Dispose, uses: Sequence[KeyUse], catalogue: Catalogue, now: datetime
) -> tuple[RecordsDisposed | KeysDestroyed, ...] | Refusal:
    """The disposal and its tombstones, or why nothing is destroyed. `version` is that of the register's stream."""
    refusal = unless_administrator(catalogue, command.person, "dispose of records")
    if refusal is not None:
        return refusal
    ripe = due(state, uses, now)
    holding = {use.key: state.holding(use) for use in ripe}
    free = [use for use in ripe if not holding[use.key]][:KEYS_MAX]
    holds = sorted({hold for found in holding.values() for hold in found})
    if not free:
        if holds:
            return Refusal(Code.HOLD_IN_FORCE, {"holds": ", ".join(holds)})
        return Refusal(Code.RETENTION_NOTHING_DUE)
    classes = []
    for record_class in DISPOSABLE:
        mine = [use for use in free if use.record_class is record_class]
        held = sum(1 for use in ripe if use.record_class is record_class and holding[use.key])
        if mine or held:
            classes.append(
                DisposedClass(
                    record_class=record_class,
                    days=state.schedule[record_class],
                    sealed_before=now - timedelta(days=state.schedule[record_class]),
                    keys=len(mine),
                    values=sum(use.values for use in mine),
                    held_keys=held,
                )
            )
    disposed = RecordsDisposed(
        disposal=command.disposal,
        disposed_by=command.person,
        classes=tuple(classes),
        holds=tuple(HoldId(hold) for hold in holds),
        register_version=version,
        source=command.source,
    )
    return (disposed, *tombstones(command.disposal, free))
