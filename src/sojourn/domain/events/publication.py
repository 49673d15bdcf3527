"""What happens to the published copies of the ledger. Stream `publication`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRefused:
    """A place holds something other than this ledger; nothing is published there until somebody has looked.

    `place` is `folder:PATH` or `bucket:NAME/PREFIX`; `published` is the size that is published there, as far as known.
    """

    kind: ClassVar[str] = "publication.refused"
    place: str
    published: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationOverdue:
    """Entries have been waiting to be published since `behind_since`, longer than the settings allow."""

    kind: ClassVar[str] = "publication.overdue"
    place: str
    published: int
    size: int
    behind_since: datetime
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationResumed:
    """A place that was refused or overdue has everything again, up to `published` entries."""

    kind: ClassVar[str] = "publication.resumed"
    place: str
    published: int
