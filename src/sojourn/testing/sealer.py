"""A sealer with one fixed key, for tests and simulations: honest about what it does, and no protection at all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count

from sojourn.domain.sealed import RecordClass, SealedMatter, Sealing, SealingKey, sealing_subject


@dataclass(slots=True)
class FixedSealer:
    """Implements `workflow.ports.Sealer`. The commitment binds a counted salt and the value, as a real one does.

    The "ciphertext" is the salt and the value in the clear.
    """

    key: str = "k-fixed"
    recipient: str = "tests"
    _salts: count[int] = field(default_factory=count)

    def seal(self, subject: str, value: bytes, record_class: RecordClass = RecordClass.REASON) -> Sealing:
        """See `workflow.ports.Sealer.seal`."""
        # A name of its own is a salt of its own: no two sealers make the same commitment.
        salt = hashlib.sha256(self.key.encode()).digest()[:8] + next(self._salts).to_bytes(8, "big")
        salted = salt + value
        commitment = hashlib.sha256(salted).hexdigest()
        return Sealing(
            commitment=commitment,
            ciphertext=salted,
            key=SealingKey(
                key=self.key, subject=sealing_subject(subject, record_class), recipient=self.recipient, wrapped=b""
            ),
        )

    def forget(self, keys: Collection[str]) -> None:
        """See `workflow.ports.Sealer.forget`. The next key has a name of its own."""
        if self.key in keys:
            self.key += "x"

    def open(self, matter: SealedMatter) -> bytes:
        """The value that was sealed."""
        return matter.ciphertext[16:]
