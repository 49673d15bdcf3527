"""Key pairs of recipients: whoever holds the private half can open what was sealed to that recipient."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sojourn.errors import Code, SojournError

from .files import create_private, read_private

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""

KEY_BYTES = 32
"""The length of an X25519 private key (RFC 7748 section 5)."""


def wrapping_context(key: str) -> bytes:
    """HPKE's `info` for wrapping the sealing key of that id, so that a wrapped key cannot pass as another."""
    return b"sojourn/sealing-key/v1\x00" + key.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A recipient and its X25519 key pair."""

    recipient: str
    private: X25519PrivateKey = field(repr=False)

    @property
    def public(self) -> X25519PublicKey:
        """The half that seals."""
        return self.private.public_key()


def ensure_key_pair(directory: Path, recipient: str) -> KeyPair:
    """The recipient's key pair from `directory`, made (0600) the first time; made once, whoever asks at once.

    Raises SojournError `data.directory_open` when other users could read it, and `configuration.invalid` when the
    file is not a key: a new one would leave everything sealed to the old one closed for ever.
    """
    path = directory / f"{recipient}.key"
    if not path.exists():
        create_private(path, X25519PrivateKey.generate().private_bytes_raw())
    held = read_private(path)
    if len(held) != KEY_BYTES:
        raise SojournError(
            Code.CONFIGURATION_INVALID,
            file=str(path),
            line="1",
            column="1",
            problem=f"The key has {len(held)} bytes",
            expected=f"the {KEY_BYTES} bytes that were written there; restore them from a backup",
        )
    return KeyPair(recipient=recipient, private=X25519PrivateKey.from_private_bytes(held))
