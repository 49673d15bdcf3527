"""Commitments: an entry binds a sealed value without showing it, and shredding the value breaks no proof."""

from hashlib import sha256

from sojourn.ledger.errors import LedgerError

SALT_BYTES = 32
_begun = sha256(b"sojourn/sealed/v1\x00")


def commit(value: bytes, salt: bytes) -> str:
    """Return SHA-256("sojourn/sealed/v1" || 0x00 || salt || value) as 64 hex digits.

    The salt is 32 random bytes: without it, a short value could be found by trying. Any other length raises
    LedgerError.
    """
    if len(salt) != SALT_BYTES:
        raise LedgerError(f"The salt of a commitment has {SALT_BYTES} bytes, not {len(salt)}.")
    digest = _begun.copy()
    digest.update(salt + value)
    return digest.hexdigest()
