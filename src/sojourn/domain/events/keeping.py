"""What can happen to what is kept: it is held, its time is set, or the keys to it are destroyed.

All of it stands in one stream, so that a hold and a destruction can never pass each other unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.confirmation import Confirmation
from sojourn.domain.identifiers import DisposalId, HoldId, PersonId, ShreddingId
from sojourn.domain.sealed import RecordClass, Sealed


class HoldScope(StrEnum):
    """What a hold was placed on."""

    PERSON = "person"
    GRANT = "grant"
    REQUEST = "request"
    PERIOD = "period"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced:
    """Nothing about `people` (everybody, if empty) from `start` until `end` is destroyed until the hold is released.

    `name` is what the hold was placed on: a person, a grant, a request, or empty for a period. None in place of
    a moment means without that bound.
    """

    kind: ClassVar[str] = "hold.placed"
    hold: HoldId
    scope: HoldScope
    name: str
    people: tuple[PersonId, ...]
    reason: Sealed
    placed_by: PersonId
    source: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleaseRequested:
    """Somebody wants the hold released; somebody else has to confirm it."""

    kind: ClassVar[str] = "hold.release_requested"
    hold: HoldId
    requested_by: PersonId
    source: str
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleased:
    """Two people released the hold."""

    kind: ClassVar[str] = "hold.released"
    hold: HoldId
    requested_by: PersonId
    confirmed_by: PersonId
    source: str
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShreddingRequested:
    """Somebody wants everything of these classes about `person` made unreadable; somebody else has to confirm it."""

    kind: ClassVar[str] = "shredding.requested"
    shredding: ShreddingId
    person: PersonId
    classes: tuple[RecordClass, ...]
    reason: Sealed
    requested_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShreddingWithdrawn:
    """It is not to be done after all."""

    kind: ClassVar[str] = "shredding.withdrawn"
    shredding: ShreddingId
    withdrawn_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShreddingConfirmed:
    """A second person confirmed it; what was destroyed stands in the entries that follow in the same append."""

    kind: ClassVar[str] = "shredding.confirmed"
    shredding: ShreddingId
    requested_by: PersonId
    confirmed_by: PersonId
    keys: int
    values: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysDestroyed:
    """A tombstone: these sealing keys are overwritten in the transaction that writes this entry, and never come back.

    `cause` is the shredding or disposal; `values` counts the values that no longer open.
    """

    kind: ClassVar[str] = "keys.destroyed"
    cause: str
    person: PersonId
    record_class: RecordClass
    keys: tuple[str, ...]
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChangeRequested:
    """Somebody wants records of that class kept for so many days; somebody else has to confirm it."""

    kind: ClassVar[str] = "retention.change_requested"
    record_class: RecordClass
    days: int
    days_before: int
    requested_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChangeWithdrawn:
    """The retention of that class stays as it is."""

    kind: ClassVar[str] = "retention.change_withdrawn"
    record_class: RecordClass
    withdrawn_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChanged:
    """Two people agreed that records of that class are kept for so many days from here on."""

    kind: ClassVar[str] = "retention.changed"
    record_class: RecordClass
    days: int
    days_before: int
    requested_by: PersonId
    confirmed_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposedClass:
    """What a disposal destroyed of one class: all keys whose last value was sealed before `sealed_before`."""

    record_class: RecordClass
    days: int
    sealed_before: datetime
    keys: int
    values: int
    held_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsDisposed:
    """What had been kept long enough was destroyed, under the schedule of register version `register_version`."""

    kind: ClassVar[str] = "records.disposed"
    disposal: DisposalId
    disposed_by: PersonId
    classes: tuple[DisposedClass, ...]
    holds: tuple[HoldId, ...]
    register_version: int
    source: str
