"""Presence: when a browser was last heard of, so that a sign-in that nobody uses ends before its time.

Only this process knows it: after a start everybody is taken as just seen, and a sign-in ends at its absolute end in any
case, which is on record. What was once idle for too long is revoked on record by whoever finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sojourn.domain.events import TokenIssued
from sojourn.domain.identifiers import TokenId

SWEEP = timedelta(minutes=10)


@dataclass(slots=True)
class Presence:
    """When each was last used. Nothing is kept of one that is over; there are no more than there were sign-ins."""

    now: Callable[[], datetime]
    idle: timedelta
    _last: dict[TokenId, tuple[datetime, datetime]] = field(default_factory=dict)
    _swept: datetime | None = None

    def seen(self, issued: TokenIssued) -> bool:
        """Note that it is used now. False if nobody has used it for too long: then it is to be revoked."""
        now = self.now()
        self._sweep(now)
        last = self._last.get(issued.token)
        if last is not None and now - last[0] >= self.idle:
            return False
        self._last[issued.token] = (now, issued.expires_at)
        return True

    def _sweep(self, now: datetime) -> None:
        if self._swept is not None and now - self._swept < SWEEP:
            return
        self._swept = now
        for token in [token for token, (_, end) in self._last.items() if end <= now]:
            del self._last[token]
