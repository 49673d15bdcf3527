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
class RiskShown:
    """How risky an access looks (`high`, `medium` or `low`), with every reason. It puts reviews in order, no more."""

    level: str
    points: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewListed:
    """A review in a list. `outcome` is null until it is concluded.

    `waits_for` is `holder` while a question waits for a reply, else `reviewer`; null when it is concluded.
    """

    grant: str
    person: str
    target: str
    role: str
    status: str
    due: str
    break_glass: bool
    outcome: str | None
    waits_for: str | None
    risk: RiskShown


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """Reviews, newest first, or by risk. `more` says that there are older ones: ask again, `before` set to `next`."""

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
    touched most, and `summary` says in plain words what was done. `answers` follow the order of `checklist`. Texts read
    `(shredded)` when their keys were destroyed.
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
    summary: tuple[str, ...]
    risk: RiskShown
    waits_for: str | None
    notes: tuple[NoteShown, ...]
    opened_at: str
    reviewer: str | None
    outcome: str | None
    answers: tuple[str, ...]
    remark: str | None
    concluded_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignShown:
    """A certification campaign, and how far it is; of what was `removed`, so much is `proven` to be gone."""

    campaign: str
    title: str
    status: str
    opened_by: str
    opened_at: str
    due: str
    closed_at: str | None
    items: int
    undecided: int
    kept: int
    removed: int
    proven: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """Campaigns, newest first. `more` says that there are older ones: ask again with `before` set to `next`."""

    campaigns: tuple[CampaignShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignItemShown:
    """What somebody may ask for, by which rules, who decides on it, and what was decided.

    `decided_by` is empty for what was removed because nobody decided. `proven_at` says since when it is gone from the
    configuration too, with no access under it left.
    """

    number: int
    person: str
    target: str
    role: str
    rules: tuple[str, ...]
    reviewers: tuple[str, ...]
    decision: str | None
    decided_by: str | None
    decided_at: str | None
    comment: str | None
    proven_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignItems:
    """A campaign with its items in order; a reviewer sees those of theirs. `more`: ask again with `after`: `next`."""

    campaign: CampaignShown
    items: tuple[CampaignItemShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassWay:
    """An access that the caller may take by break-glass: the rule, and in words on which terms."""

    target: str
    role: str
    rule: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassOffered:
    """All that the caller may take by break-glass."""

    accesses: tuple[GlassWay, ...]
