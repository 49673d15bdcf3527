"""How risky an access looks, seen from what was done: which review comes first, and why.

- The rank is a help to put a queue in order. It decides nothing: every review is concluded by a person.
- Each reason adds points, and is said in words beside the rank, so that a reviewer can disagree with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

STRUCTURAL = frozenset(("create", "alter", "drop", "grant", "revoke", "truncate", "delete"))
"""Labels of actions that change what is there, and not only what is in it."""

WRITES_MANY = 50
ROWS_MANY = 10_000
SAID_MAX = 10
HIGH, MEDIUM = 4, 2


class Level(StrEnum):
    """How risky."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is on record of an access. `verbs` counts its actions by label; `unanswered` have no outcome."""

    break_glass: bool
    automatic: bool
    declared: bool
    extended: bool
    actions: int
    writes: int
    failed: int
    unanswered: int
    rows: int
    verbs: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """The rank of a review, with every reason."""

    level: Level
    points: int
    reasons: tuple[str, ...]


def rank(seen: Seen) -> Rank:
    """The rank of what was seen."""
    found = list(_reasons(seen))
    points = sum(weight for weight, _ in found)
    level = Level.HIGH if points >= HIGH else Level.MEDIUM if points >= MEDIUM else Level.LOW
    return Rank(level=level, points=points, reasons=tuple(reason for _, reason in found))


def _reasons(seen: Seen) -> Iterator[tuple[int, str]]:
    structural = {verb: times for verb, times in seen.verbs.items() if verb in STRUCTURAL}
    if seen.break_glass:
        yield 3, "it was taken without a decision beforehand"
    if structural:
        told = ", ".join(f"{times} {verb}" for verb, times in sorted(structural.items()))
        yield 2, f"what is there was changed or removed ({told})"
    if seen.rows > ROWS_MANY:
        yield 2, f"{seen.rows} rows were read or changed"
    if seen.writes:
        yield 1, f"{seen.writes} actions could write"
    if seen.writes > WRITES_MANY:
        yield 1, f"that is more than {WRITES_MANY}"
    if seen.writes and not seen.declared:
        yield 1, "nothing was declared beforehand"
    if seen.automatic:
        yield 1, "a rule approved it, and no person"
    if seen.failed:
        yield 1, f"the target refused {seen.failed} actions"
    if seen.unanswered:
        yield 1, f"{seen.unanswered} actions have no outcome on record"
    if seen.extended:
        yield 1, "its end was moved"


def in_words(touched: tuple[tuple[str, str, int], ...], seen: Seen) -> tuple[str, ...]:
    """What was done, in plain sentences: `touched` are label, objects and how often, the most first."""
    if not seen.actions:
        return ("Nothing was done.",)
    said = []
    for reading, words in ((False, "Did more than read"), (True, "Read")):
        parts = [
            f"{objects or 'what no name was told of'} ({verb}, {times} times)"
            for verb, objects, times in touched
            if (verb == "select") is reading
        ]
        if parts:
            more = f" and {len(parts) - SAID_MAX} more" if len(parts) > SAID_MAX else ""
            said.append(f"{words}: {'; '.join(parts[:SAID_MAX])}{more}.")
    said.append(f"{seen.actions} actions in all, {seen.writes} of which could write; {seen.rows} rows.")
    return tuple(said)
