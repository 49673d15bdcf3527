"""What the API answers about how things went lately."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShown:
    """Accesses that began on a day (`2026-03-02`, UTC), and how many of them by break-glass."""

    day: str
    grants: int
    break_glass: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketShown:
    """How many took at most `up_to_us` microseconds, and longer than the bucket before; null is any longer time."""

    up_to_us: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetShown:
    """How often a person has used break-glass within the time that a rule counts, and how often it allows."""

    rule: str
    person: str
    used: int
    allowed: int
    per_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldShown:
    """An access that somebody holds now."""

    grant: str
    person: str
    target: str
    role: str
    end: str
    break_glass: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewShown:
    """The last `days` days: accesses by day, time from asking to the last decision, and from an access's end to the cut
    of its connections; and who has used break-glass, and who holds what now: `held` are the first of `holding`.
    """

    days: int
    by_day: tuple[DayShown, ...]
    decided: tuple[BucketShown, ...]
    cut: tuple[BucketShown, ...]
    slowest_cut_us: int | None
    break_glass: tuple[BudgetShown, ...]
    holding: int
    held: tuple[HeldShown, ...]
