"""Opening what was sealed, and checking that it is what the entry commits to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sojourn.domain.sealed import SealedMatter, SealingKey
from sojourn.errors import Code, SojournError
from sojourn.ledger.commitment import SALT_BYTES, commit

from .keys import SUITE, KeyPair, wrapping_context
from .sealer import NONCE_BYTES

KEYS_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A value and the salt that it was committed to with; both are needed to show it to somebody else."""

    value: bytes
    salt: bytes


@dataclass(slots=True)
class Opener:
    """Opens what was sealed to its key pair's recipient."""

    pair: KeyPair
    _ciphers: dict[str, AESGCM] = field(default_factory=dict)

    def open(self, matter: SealedMatter, key: SealingKey) -> Opened:
        """The value behind a commitment.

        Raises SojournError `record.damaged` when it was sealed to somebody else, or is not what was committed to.
        """
        try:
            cipher = self._ciphers.get(key.key) or self._unwrap(key)
            ciphertext = matter.ciphertext
            salted = cipher.decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], matter.commitment.encode())
        except (InvalidTag, ValueError) as error:
            raise _damaged(f"sealed value {matter.commitment} cannot be opened") from error
        salt, value = salted[:SALT_BYTES], salted[SALT_BYTES:]
        if len(salt) != SALT_BYTES or commit(value, salt) != matter.commitment:
            raise _damaged(f"sealed value {matter.commitment} is not what was committed to")
        return Opened(value=value, salt=salt)

    def open_value(self, matter: SealedMatter, key: SealingKey) -> bytes:
        """As `open`, without the salt."""
        return self.open(matter, key).value

    def forget(self, keys: Collection[str]) -> None:
        """Let go of data keys that were destroyed."""
        for key in keys:
            self._ciphers.pop(key, None)

    def _unwrap(self, key: SealingKey) -> AESGCM:
        secret = SUITE.decrypt(key.wrapped, self.pair.private, wrapping_context(key.key))
        cipher = self._ciphers[key.key] = AESGCM(secret)
        while len(self._ciphers) > KEYS_MAX:
            del self._ciphers[next(iter(self._ciphers))]
        return cipher


def _damaged(problem: str) -> SojournError:
    return SojournError(Code.RECORD_DAMAGED, problem=problem, path="ledger.db")
