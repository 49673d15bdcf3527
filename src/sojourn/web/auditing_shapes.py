"""What the API answers about exceptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposed:
    """What became of exceptions: the `tests` (letters) of a request that failed, and who sees to what has to follow."""

    request: str
    tests: tuple[str, ...]
    disposition: str
    owner: str
    ticket: str
    person: str
