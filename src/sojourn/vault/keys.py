"""Key pairs of recipients: whoever holds the private half can open what was sealed to that recipient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from .files import read_private, write_private

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""


def wrapping_context(key: str) -> bytes:
    """HPKE's `info` for wrapping the sealing key of that id, so that a wrapped key cannot pass as another."""
    return b"sojourn/sealing-key/v1\x00" + key.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A recipient and its X25519 key pair."""

    recipient: str
    private: X25519PrivateKey

    @property
    def public(self) -> X25519PublicKey:
        """The half that seals."""
        return self.private.public_key()


def ensure_key_pair(directory: Path, recipient: str) -> KeyPair:
    """The recipient's key pair from `directory`, made (0600) the first time.

    Raises SojournError `data.directory_open` when other users could read it.
    """
    path = directory / f"{recipient}.key"
    if not path.exists():
        write_private(path, X25519PrivateKey.generate().private_bytes_raw())
    return KeyPair(recipient=recipient, private=X25519PrivateKey.from_private_bytes(read_private(path)))
