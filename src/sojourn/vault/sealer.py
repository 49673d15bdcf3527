"""Sealing: what is recorded can be proved without being readable, and read only by its recipient.

A value gets a salt of 32 random bytes; the salted hash (the commitment) goes into the entry. Salt and value are
encrypted with AES-256-GCM under a data key of the person they are about; the data key is wrapped to the recipient
by HPKE (RFC 9180). Who seals cannot open again. Destroying a person's data keys destroys every value about them
and leaves every proof whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sojourn.domain.sealed import Sealed, SealedMatter, Sealing, SealingKey
from sojourn.ledger.commitment import SALT_BYTES, commit

from .keys import SUITE, wrapping_context

KEY_BYTES = 32
NONCE_BYTES = 12
VALUES_PER_KEY_MAX = 1 << 24
"""Far below the bound for random 96-bit nonces (NIST SP 800-38D section 8.3: 2^32)."""

SUBJECTS_MAX = 4096


@dataclass(slots=True)
class _DataKey:
    """A data key in use: the cipher, its wrapped form, and how many values it has sealed."""

    cipher: AESGCM
    wrapped: SealingKey
    used: int = 0


@dataclass(slots=True)
class Sealer:
    """Seals to one recipient (implements `workflow.ports.Sealer`). `random_bytes(n)` gives n fresh random bytes."""

    recipient: str
    public: X25519PublicKey
    random_bytes: Callable[[int], bytes]
    _keys: dict[str, _DataKey] = field(default_factory=dict)

    def seal(self, subject: str, value: bytes) -> Sealing:
        """Seal `value` about `subject`."""
        key = self._keys.get(subject)
        if key is None or key.used >= VALUES_PER_KEY_MAX:
            key = self._renew(subject)
        key.used += 1
        random = self.random_bytes(SALT_BYTES + NONCE_BYTES)
        salt, nonce = random[:SALT_BYTES], random[SALT_BYTES:]
        commitment = commit(value, salt)
        ciphertext = nonce + key.cipher.encrypt(nonce, salt + value, commitment.encode())
        name = key.wrapped.key
        return Sealing(
            sealed=Sealed(commitment=commitment, key=name),
            matter=SealedMatter(commitment=commitment, key=name, ciphertext=ciphertext),
            key=key.wrapped,
        )

    def _renew(self, subject: str) -> _DataKey:
        name = "k-" + self.random_bytes(16).hex()
        secret = self.random_bytes(KEY_BYTES)
        wrapped = SUITE.encrypt(secret, self.public, wrapping_context(name))
        key = _DataKey(AESGCM(secret), SealingKey(key=name, subject=subject, recipient=self.recipient, wrapped=wrapped))
        self._keys[subject] = key
        while len(self._keys) > SUBJECTS_MAX:
            del self._keys[next(iter(self._keys))]
        return key
