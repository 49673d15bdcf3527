"""What became of telling people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingOverdue:
    """An alarm: `destination` (a SIEM) has taken nothing since then; the entry at `place` and all behind it wait."""

    kind: ClassVar[str] = "forwarding.overdue"
    destination: str
    since: datetime
    place: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingResumed:
    """The destination takes events again, from the entry at `place` on; none is left out."""

    kind: ClassVar[str] = "forwarding.resumed"
    destination: str
    place: int
