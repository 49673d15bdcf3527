"""What can happen to a sample: an auditor draws it, asks about its items, and is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sojourn.domain.identifiers import PersonId, RequestId, SampleId
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDrawn:
    """An auditor drew `requests` out of the `population` access events of a period, by `seed`.

    The record was read up to `as_of`. `manifest_sha256` (hex) is that of the report that it was drawn in: whoever has
    the record and these values draws the same again.
    """

    kind: ClassVar[str] = "sample.drawn"
    sample: SampleId
    person: PersonId
    period: Window
    as_of: datetime
    seed: str
    population: int
    requests: tuple[RequestId, ...]
    manifest_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequested:
    """An auditor asks `of` somebody something about one item of a sample."""

    kind: ClassVar[str] = "sample.information_requested"
    sample: SampleId
    number: int
    request: RequestId
    person: PersonId
    of: PersonId
    text: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationGiven:
    """Somebody answered what was asked under that number."""

    kind: ClassVar[str] = "sample.information_given"
    sample: SampleId
    number: int
    person: PersonId
    text: Sealed
    source: str
