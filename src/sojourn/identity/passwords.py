"""Passwords: kept as argon2id hashes (RFC 9106) with the library's own parameters, and never compared in the loop.

A hash takes tens of milliseconds and 64 MiB. Two threads of their own do that work, so that a flood of sign-ins takes
neither the memory nor the threads that others need.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS = 2

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The argon2id hash of `password`; takes some tens of milliseconds."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(hashed: str | None, password: str) -> bool:
    """Whether `password` is the one behind `hashed`.

    Nobody's (None) takes as long, so that a name that nobody has does not show.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, hashed, password)


def _verify(hashed: str | None, password: str) -> bool:
    if hashed is None:
        _hasher.hash(password)
        return False
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
