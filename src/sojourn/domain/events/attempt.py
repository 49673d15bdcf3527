"""What was tried and refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRefused:
    """Somebody tried something and the rules said no. `subject` is the stream it was about; texts are as typed."""

    kind: ClassVar[str] = "attempt.refused"
    verb: str
    actor: str
    code: str
    subject: str
    source: str
    details: tuple[tuple[str, str], ...] = ()
