"""Looks that go on: one entry in the record for a viewing, however often a player asks for the next part of it."""

from __future__ import annotations

from dataclasses import dataclass, field

REMEMBERED_MAX = 10_000


@dataclass(slots=True)
class Looks:
    """Which sign-in has which look on record already. Bounded; what is forgotten is recorded once more."""

    _known: dict[tuple[str, str], None] = field(default_factory=dict)

    def known(self, token: str, subject: str) -> bool:
        """Whether this look of the sign-in `token` is on record."""
        return (token, subject) in self._known

    def remember(self, token: str, subject: str) -> None:
        """It is on record now."""
        self._known[token, subject] = None
        while len(self._known) > REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
