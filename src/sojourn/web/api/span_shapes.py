"""What the API answers about the time that grants add up to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanShown:
    """Time in which somebody had, has or will have a role: [start, end). `grants` are those that make it up."""

    person: str
    target: str
    role: str
    start: str
    end: str
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Spans by person, target and role, in order; no two of one kind meet. `more` says that there are older grants."""

    spans: tuple[SpanShown, ...]
    more: bool
    next: int | None
