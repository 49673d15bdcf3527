"""What the API answers about facts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftShown:
    """Somebody is on call from `start` to `end`, the end not included."""

    person: str
    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactShown:
    """A fact as it was told. It counts until `until`; `holds` says whether it does now. `entry` is where it stands."""

    fact: str
    subject: str
    told_by: str
    origin: str
    until: str
    holds: bool
    state: str
    sort: str
    people: tuple[str, ...]
    shifts: tuple[ShiftShown, ...]
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts, the last told first. `more` says that there are older ones: ask again with `before` set to `next`."""

    facts: tuple[FactShown, ...]
    more: bool
    next: int | None
