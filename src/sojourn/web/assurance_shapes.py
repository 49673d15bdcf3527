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
