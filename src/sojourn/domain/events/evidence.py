"""What can happen to evidence: it is given to somebody, and exceptions are disposed of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import PersonId, RequestId
from sojourn.domain.sealed import Sealed


class EvidenceForm(StrEnum):
    """What was given."""

    PACK = "pack"
    REPORT = "report"
    CERTIFICATE = "certificate"
    STATEMENT = "statement"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceGiven:
    """Somebody was given evidence. `subject` is the stream or report it is about.

    `sha256` (hex) is that of the bytes of a pack or a certificate, and that of the manifest of a report, which covers
    every file in it: so the record vouches for what was given. Of a statement it is that of what was opened, and of a
    recording that of the commitments of the parts that there were, one a line.
    """

    kind: ClassVar[str] = "evidence.given"
    form: EvidenceForm
    subject: str
    person: PersonId
    sha256: str
    bytes: int
    source: str


class Disposition(StrEnum):
    """What became of an exception."""

    CORRECTED = "corrected"
    ACCEPTED = "accepted"
    NOT_AN_EXCEPTION = "not_an_exception"
    DEFICIENCY = "deficiency"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionDisposed:
    """Somebody decided what becomes of the exceptions of one access event: the tests in `letters`.

    `owner` sees to what has to follow, under `ticket`; `remark` says why.
    """

    kind: ClassVar[str] = "exception.disposed"
    request: RequestId
    letters: tuple[str, ...]
    disposition: Disposition
    owner: PersonId
    ticket: str
    remark: Sealed
    person: PersonId
    source: str
