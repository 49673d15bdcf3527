"""Passwords: kept as argon2id hashes (RFC 9106) with the library's own parameters, and never compared in the loop."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
DECOY = _hasher.hash("nobody has this password")
"""What a wrong name is checked against, so that it takes as long as a wrong password."""


async def hash_password(password: str) -> str:
    """The argon2id hash of `password`; takes some tens of milliseconds in a thread."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(hashed: str, password: str) -> bool:
    """Whether `password` is the one behind `hashed`."""
    return await asyncio.to_thread(_verify, hashed, password)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
