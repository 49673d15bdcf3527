"""Challenges: what a passkey has to sign, once and soon, for the one purpose that it was asked for.

Nothing is kept of a challenge, so that no stranger can fill the memory or push out somebody else's. Its ticket, which
comes back with the answer, says what it is for and until when, under a key that every node of an installation has. That
an answer counts once is for whoever takes it to see to, with the record.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

CHALLENGE_BYTES = 32
LIFE = timedelta(minutes=5)
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Issued:
    """A challenge, and the ticket that has to come back with the answer to it."""

    challenge: bytes
    ticket: str


@dataclass(frozen=True, slots=True)
class Challenges:
    """The challenges of an installation. `random_bytes(n)` are fresh; `key` is secret, and the same on every node."""

    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    key: bytes = field(repr=False)

    def issue(self, purpose: str, about: str = "", challenge: bytes = b"") -> Issued:
        """A fresh challenge of 32 bytes, or the given one, for `purpose` and `about` whom or what it is."""
        chosen = challenge or self.random_bytes(CHALLENGE_BYTES)
        assert len(chosen) == CHALLENGE_BYTES, "a challenge has 32 bytes"
        until = int((self.now() + LIFE).timestamp() * 1000).to_bytes(_TIME_BYTES, "big")
        sealed = chosen + until
        return Issued(chosen, _text(sealed + self._mark(sealed, purpose, about)))

    def read(self, ticket: str, purpose: str, about: str = "") -> bytes | None:
        """The challenge of a ticket that is ours, for just that, and not over; else None."""
        data = _bytes(ticket)
        sealed, mark = data[: CHALLENGE_BYTES + _TIME_BYTES], data[CHALLENGE_BYTES + _TIME_BYTES :]
        if not hmac.compare_digest(mark, self._mark(sealed, purpose, about)):
            return None
        return sealed[:CHALLENGE_BYTES] if self.now() < _until(sealed) else None

    def _mark(self, sealed: bytes, purpose: str, about: str) -> bytes:
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in (purpose.encode(), about.encode(), sealed))
        return hmac.digest(self.key, framed, "sha256")


def _until(sealed: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(sealed[CHALLENGE_BYTES:][:_TIME_BYTES], "big") / 1000, UTC)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """The bytes of a ticket; none of what is no base64, or of a second spelling of the same."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
    return data if _text(data) == text else b""
