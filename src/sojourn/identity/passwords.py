"""Passwords: kept as argon2id hashes (RFC 9106) with the library's own parameters, and never compared in the loop.

What is too easily guessed is not taken: one of those that everybody knows, a word that belongs to the person or to
this place, a row of keys, a date, and whatever is made of such by the usual changes. No kind of letters is asked for.

A hash takes tens of milliseconds and 64 MiB. Two threads of their own do that work, so that a flood of sign-ins takes
neither the memory nor the threads that others need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

THREADS = 2
GUESSES_MIN = 10**10
"""So many guesses an attacker needs at least who knows lists, habits and context (zxcvbn's highest class)."""

JUDGED_LENGTH = 40
"""So many letters are judged: the work grows with the cube, and a beginning that nobody guesses is enough."""

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The argon2id hash of `password`; takes some tens of milliseconds."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def easily_guessed(password: str, context: Sequence[str]) -> bool:
    """Whether somebody who tries known passwords, words, names and those of `context` soon comes to this one."""
    judged = partial(zxcvbn, password[:JUDGED_LENGTH], user_inputs=list(context))
    found = await asyncio.get_running_loop().run_in_executor(_threads, judged)
    return bool(found["guesses"] < GUESSES_MIN)


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
