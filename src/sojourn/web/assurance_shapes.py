"""What the API answers about break-glass, reviews and campaigns (see `shapes` for the rules that all shapes keep)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassShown:
    """Somebody took an access without a decision beforehand. `status` is that of the grant."""

    grant: str
    request: str
    person: str
    taken_at: str
    target: str
    role: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewListed:
    """A review in a list. `outcome` is null until it is concluded."""

    grant: str
    person: str
    target: str
    role: str
    status: str
    due: str
    break_glass: bool
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """Reviews, newest first. `more` says that there are older ones: ask again with `before` set to `next`."""

    reviews: tuple[ReviewListed, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedShown:
    """How often what was done to which objects under the access."""

    verb: str
    objects: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteShown:
    """Something said in a review. `answers` is the number of the question that it answers."""

    number: int
    person: str
    at: str
    text: str | None
    question: bool
    answers: int | None
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewShown:
    """A review: what is to be judged, and what was found.

    `sessions`, `actions` and `writes` (those that could have written) are counted now; `objects` names what was
    touched most. `answers` follow the order of `checklist`. Texts read `(shredded)` when their keys were destroyed.
    """

    grant: str
    request: str
    person: str
    target: str
    role: str
    reason: str | None
    declared: tuple[str, ...]
    status: str
    due: str
    break_glass: bool
    reviewers: tuple[str, ...]
    checklist: tuple[str, ...]
    sessions: int
    actions: int
    writes: int
    objects: tuple[TouchedShown, ...]
    notes: tuple[NoteShown, ...]
    opened_at: str
    reviewer: str | None
    outcome: str | None
    answers: tuple[str, ...]
    remark: str | None
    concluded_at: str | None
