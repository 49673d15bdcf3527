"""When a published copy is late or wrong: what goes on record, and how often.

- A place is *behind* from the moment an entry is signed that it does not hold.
- Behind for longer than allowed, it is *overdue*: recorded once, not again until it has caught up.
- A place that contradicts the ledger is *refused*: recorded once for each different problem.
- A place that was either and now holds everything has *resumed*: recorded once.

Where the settings say so, an access begins only while every place holds all entries that are older than allowed. That
is judged by the age of the first entry that a place lacks, not by what a publisher says of itself, so a publisher that
is dead counts like a place that is away. The beginning and the end of such a time are on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .events import (
    AccessReadmitted,
    AccessSuspended,
    Event,
    LedgerKeyRotated,
    PublicationOverdue,
    PublicationRefused,
    PublicationResumed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is on record about one place: whether it is overdue, and the problem it is refused for ("" if it is not)."""

    place: str
    overdue: bool = False
    refused_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the publisher sees at one place.

    `published` of `size` signed entries are there; `behind_since` is None when that is all. `problem` says what
    stands in the way, `contradicts` that the place holds something else than the ledger.
    """

    published: int
    size: int
    behind_since: datetime | None
    problem: str = ""
    contradicts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is known of a place that counts: the first `published` entries are there.

    `missing_since` is the time of the first entry that is not, None when all are.
    """

    place: str
    published: int
    missing_since: datetime | None


def first_late(held: Sequence[Held], now: datetime, refuse_after: timedelta) -> Held | None:
    """The place that keeps accesses from beginning, if there is one; the one that has lacked something longest."""
    late = [one for one in held if one.missing_since is not None and now - one.missing_since >= refuse_after]
    return min(late, key=lambda one: (one.missing_since or now, one.place), default=None)


def statements(events: Iterable[Event]) -> str:
    """The changes of the signing key among these events, one behind the other, as the file `rotations` has them."""
    return "".join(event.statement for event in events if isinstance(event, LedgerKeyRotated))


def is_suspended(events: Iterable[Event]) -> bool:
    """Whether, by what is on record, no access begins at the moment."""
    suspended = False
    for event in events:
        if isinstance(event, AccessSuspended | AccessReadmitted):
            suspended = isinstance(event, AccessSuspended)
    return suspended


def suspend_or_readmit(suspended: bool, late: Held | None) -> Event | None:
    """What goes on record: the beginning of a time without new accesses, or its end, or nothing."""
    if late is not None and not suspended:
        assert late.missing_since is not None, "only a place that lacks something is late"
        return AccessSuspended(place=late.place, published=late.published, missing_since=late.missing_since)
    return AccessReadmitted() if suspended and late is None else None


def evolve(standing: Standing, event: Event) -> Standing:
    """The standing after `event`. Events of other places and streams leave it as it is."""
    match event:
        case PublicationOverdue(place=standing.place):
            return replace(standing, overdue=True)
        case PublicationRefused(place=standing.place, problem=problem):
            return replace(standing, refused_for=problem)
        case PublicationResumed(place=standing.place):
            return Standing(place=standing.place)
        case _:
            return standing


def decide(standing: Standing, seen: Observed, now: datetime, overdue_after: timedelta) -> tuple[Event, ...]:
    """What goes on record now that `seen` was observed. Pure: the same inputs give the same answer."""
    if seen.contradicts:
        if standing.refused_for == seen.problem:
            return ()
        return (PublicationRefused(place=standing.place, published=seen.published, problem=seen.problem),)
    if seen.behind_since is None:
        if not (standing.overdue or standing.refused_for):
            return ()
        return (PublicationResumed(place=standing.place, published=seen.published),)
    if standing.overdue or now - seen.behind_since < overdue_after:
        return ()
    return (
        PublicationOverdue(
            place=standing.place,
            published=seen.published,
            size=seen.size,
            behind_since=seen.behind_since,
            problem=seen.problem,
        ),
    )
