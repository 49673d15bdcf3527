"""What can happen to evidence: it is given to somebody, exceptions are disposed of, and controls are proven."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import FindingId, PersonId, RequestId, TargetName
from sojourn.domain.sealed import Sealed


class EvidenceForm(StrEnum):
    """What was given."""

    PACK = "pack"
    REPORT = "report"
    CERTIFICATE = "certificate"
    PACKS = "packs"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingDisposed:
    """Somebody decided what becomes of a finding: what a target and the record did not both know, or nobody could see.

    `owner` sees to what has to follow, under `ticket`; `remark` says why.
    """

    kind: ClassVar[str] = "finding.disposed"
    finding: FindingId
    target: TargetName
    disposition: Disposition
    owner: PersonId
    ticket: str
    remark: Sealed
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTried:
    """One negative test of a control: something that must not work, or must be seen, was tried.

    `found` says in words what came of it; `entries` are the places on record that show it.
    """

    name: str
    passed: bool
    found: str
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlsProved:
    """Somebody tried to break the controls, on the running system, at a target that is there for it.

    `requester` and `approver` are the accounts that it was tried as. `result_sha256` (hex) names the attachment with
    all that was found (JSON). `untried` are tests for which there was no occasion.
    """

    kind: ClassVar[str] = "controls.proved"
    target: TargetName
    requester: PersonId
    approver: PersonId
    passed: bool
    probes: tuple[ProbeTried, ...]
    untried: tuple[str, ...]
    result_sha256: str
    operator: str
