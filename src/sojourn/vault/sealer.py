"""Sealing: what is recorded can be proved without being readable, and read only by its recipient.

A value gets a salt of 32 random bytes; the salted hash (the commitment) goes into the entry. Salt and value are
encrypted with AES-256-GCM under a data key of the person they are about and the class of record that they are; the
data key is wrapped to the recipient by HPKE (RFC 9180). Who seals cannot open again. Destroying data keys destroys
every value under them and leaves every proof whole. A data key serves one calendar month at most, so that what is
old can be destroyed without what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sojourn.domain.sealed import RecordClass, Sealing, SealingKey, sealing_subject
from sojourn.domain.tuples import maker
from sojourn.ledger.commitment import SALT_BYTES, commit

from .keys import SUITE, wrapping_context

KEY_BYTES = 32
NONCE_BYTES = 12
VALUES_PER_KEY_MAX = 1 << 24
"""Far below the bound for random 96-bit nonces (NIST SP 800-38D section 8.3: 2^32)."""

SUBJECTS_MAX = 4096
RANDOM_BYTES = 100 * (SALT_BYTES + NONCE_BYTES)
"""Salts and nonces are fetched in advance, for so many values at a time; each byte is used once."""

_sealing = maker(Sealing)


@dataclass(slots=True)
class _DataKey:
    """A data key in use: the cipher, its wrapped form, its month, and how many values it has sealed.

    The month is counted from the year 0; it is 0 for a key that does not change with the months.
    """

    cipher: AESGCM
    wrapped: SealingKey
    month: int
    used: int = 0


@dataclass(slots=True)
class Sealer:
    """Seals to one recipient (implements `workflow.ports.Sealer`). `random_bytes(n)` gives n fresh random bytes.

    With a clock (`now`) data keys change with the month.
    """

    recipient: str
    public: X25519PublicKey
    random_bytes: Callable[[int], bytes]
    now: Callable[[], datetime] | None = None
    _random: bytes = field(default=b"", repr=False)
    _taken: int = 0
    _keys: dict[tuple[str, RecordClass], _DataKey] = field(default_factory=dict)

    def seal(self, subject: str, value: bytes, record_class: RecordClass = RecordClass.REASON) -> Sealing:
        """Seal `value`, a record of that class about `subject`."""
        if self.now is None:
            month = 0
        else:
            moment = self.now()
            month = moment.year * 12 + moment.month
        key = self._keys.get((subject, record_class))
        if key is None or key.used >= VALUES_PER_KEY_MAX or key.month != month:
            key = self._renew(subject, record_class, month)
        key.used += 1
        taken = self._taken
        if taken + SALT_BYTES + NONCE_BYTES > len(self._random):
            self._random, taken = self.random_bytes(RANDOM_BYTES), 0
        self._taken = end = taken + SALT_BYTES + NONCE_BYTES
        salt, nonce = self._random[taken : taken + SALT_BYTES], self._random[taken + SALT_BYTES : end]
        commitment = commit(value, salt)
        ciphertext = nonce + key.cipher.encrypt(nonce, salt + value, commitment.encode())
        return _sealing((commitment, ciphertext, key.wrapped))

    def forget(self, keys: Collection[str]) -> None:
        """Let go of data keys that were destroyed; what is sealed next is sealed under fresh ones."""
        gone = [about for about, held in self._keys.items() if held.wrapped.key in keys]
        for about in gone:
            del self._keys[about]

    def _renew(self, subject: str, record_class: RecordClass, month: int) -> _DataKey:
        name = "k-" + self.random_bytes(16).hex()
        secret = self.random_bytes(KEY_BYTES)
        wrapped = SUITE.encrypt(secret, self.public, wrapping_context(name))
        about = sealing_subject(subject, record_class)
        sealing_key = SealingKey(key=name, subject=about, recipient=self.recipient, wrapped=wrapped)
        key = self._keys[subject, record_class] = _DataKey(AESGCM(secret), sealing_key, month)
        while len(self._keys) > SUBJECTS_MAX:
            del self._keys[next(iter(self._keys))]
        return key
