"""How fast a witness may be asked: so many requests a second from one address, with room for a burst.

The memory is bounded: the address that was quiet longest goes first. Its bucket is then full again, which is what it
would have been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

ADDRESSES_MAX = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(slots=True)
class RateLimit:
    """One bucket of `burst` requests for each address, refilled with `per_second`; `monotonic` counts seconds."""

    per_second: float
    burst: int
    monotonic: Callable[[], float]
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def take(self, address: str) -> bool:
        """Whether one more request from there is heard now."""
        now = self.monotonic()
        bucket = self._buckets.pop(address, None) or _Bucket(float(self.burst), now)
        bucket.left = min(float(self.burst), bucket.left + (now - bucket.at) * self.per_second)
        bucket.at = now
        heard = bucket.left >= 1
        if heard:
            bucket.left -= 1
        self._buckets[address] = bucket
        while len(self._buckets) > ADDRESSES_MAX:
            del self._buckets[next(iter(self._buckets))]
        return heard
