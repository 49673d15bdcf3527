"""What became of telling people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.identifiers import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFailed:
    """People were not told over `channel` of what stands at place `entry`, after so many attempts."""

    kind: ClassVar[str] = "notice.failed"
    entry: int
    about: str
    channel: str
    people: tuple[PersonId, ...]
    attempts: int
    problem: str
