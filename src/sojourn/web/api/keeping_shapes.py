"""What the API answers about holds, shredding and retention. The rules of `shapes` hold here too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldShown:
    """A hold. `people` is empty for everybody; `start` and `end` are null without that bound."""

    hold: str
    status: str
    scope: str
    name: str
    people: tuple[str, ...]
    start: str | None
    end: str | None
    reason: str | None
    placed_by: str
    placed_at: str
    release_requested_by: str | None
    release_confirmed_by: str | None
    released_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """Holds, the oldest first. `more` says that there are newer ones: ask again with `after` set to `next`."""

    holds: tuple[HoldShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShreddingShown:
    """A shredding: `pending`, `done` or `withdrawn`. `keys` and `values` count what was destroyed."""

    shredding: str
    status: str
    person: str
    classes: tuple[str, ...]
    reason: str | None
    requested_by: str
    requested_at: str
    confirmed_by: str | None
    confirmed_at: str | None
    keys: int
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shreddings:
    """Shreddings, the oldest first. `more` says that there are newer ones: ask again with `after` set to `next`."""

    shreddings: tuple[ShreddingShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionShown:
    """How long a class is kept. `disposable` says whether it can be disposed of by age at all."""

    record_class: str
    days: int
    floor_days: int
    disposable: bool
    change_days: int | None
    change_requested_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalShown:
    """A disposal that was done. `held_keys` had been kept long enough and stay under a hold."""

    disposal: str
    disposed_by: str
    disposed_at: str
    classes: tuple[str, ...]
    keys: int
    values: int
    held_keys: int
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The schedule in force, and every disposal, the oldest first."""

    classes: tuple[RetentionShown, ...]
    disposals: tuple[DisposalShown, ...]
