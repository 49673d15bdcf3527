"""Legal hold: nothing that it covers is destroyed until two people released it.

- Any administrator may place a hold, alone and at once. It takes effect with its entry.
- A hold on a person covers everything about that person; on a grant or a request, everything about the people who
  took part in it, in the time that it took; on a period, everything about everybody in that time.
- A hold is released by two different administrators: one asks, another confirms. Neither can do both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn.errors import Code, Refusal

from .catalogue import Catalogue
from .confirmation import Confirmation
from .entitled import unless_administrator
from .events import HoldPlaced, HoldReleased, HoldReleaseRequested, HoldScope
from .identifiers import HoldId, PersonId
from .register import Hold, Register
from .sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a hold is to cover. No `people` means everybody; None for a moment means without that bound."""

    scope: HoldScope
    name: str
    people: tuple[PersonId, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold:
    """Keep everything in `coverage`."""

    hold: HoldId
    coverage: Coverage
    reason: Sealed
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold:
    """Ask for a release, or confirm the release that somebody else asked for."""

    hold: HoldId
    person: PersonId
    source: str
    confirmation: Confirmation | None = None


def place(catalogue: Catalogue, command: PlaceHold) -> HoldPlaced | Refusal:
    """The hold, or why it is none."""
    refusal = unless_administrator(catalogue, command.person, "place a hold") or _unusable(command.coverage)
    if refusal is not None:
        return refusal
    coverage = command.coverage
    return HoldPlaced(
        hold=command.hold,
        scope=coverage.scope,
        name=coverage.name,
        people=coverage.people,
        start=coverage.start,
        end=coverage.end,
        reason=command.reason,
        placed_by=command.person,
        source=command.source,
    )


def release(
    state: Register, command: ReleaseHold, catalogue: Catalogue
) -> HoldReleaseRequested | HoldReleased | Refusal:
    """What follows from somebody's wish to release: the first is a request, another person's is the release."""
    refusal = unless_administrator(catalogue, command.person, "release a hold")
    if refusal is not None:
        return refusal
    hold = state.holds.get(command.hold)
    if hold is None:
        return Refusal(Code.HOLD_UNKNOWN, {"hold": command.hold})
    if hold.released is not None:
        return Refusal(Code.HOLD_RELEASED, {"hold": command.hold})
    if hold.release_requested_by is None:
        return HoldReleaseRequested(
            hold=command.hold,
            requested_by=command.person,
            source=command.source,
            confirmation=command.confirmation,
        )
    if hold.release_requested_by == command.person:
        return Refusal(Code.HOLD_SELF, {"hold": command.hold, "person": command.person})
    return HoldReleased(
        hold=command.hold,
        requested_by=hold.release_requested_by,
        confirmed_by=command.person,
        source=command.source,
        confirmation=command.confirmation,
    )


def in_force(state: Register) -> tuple[Hold, ...]:
    """The holds that were not released."""
    return tuple(hold for hold in state.holds.values() if hold.released is None)


def _unusable(coverage: Coverage) -> Refusal | None:
    for moment in (coverage.start, coverage.end):
        if moment is not None and moment.utcoffset() != timedelta(0):
            return _invalid("A bound of the hold is not in UTC", "a moment such as 2026-03-01T00:00:00Z")
    if coverage.start is not None and coverage.end is not None and coverage.end <= coverage.start:
        return _invalid("The hold ends before it starts", "an end after the start")
    if coverage.scope is HoldScope.PERIOD and coverage.start is None and coverage.end is None:
        return _invalid("A hold on a period needs its bounds", "a start, an end or both")
    if coverage.scope is not HoldScope.PERIOD and not coverage.people:
        return _invalid("Nobody takes part in what is to be held", "a person, a grant or a request")
    return None


def _invalid(problem: str, expected: str) -> Refusal:
    return Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": expected})
