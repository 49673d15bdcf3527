"""What became of reports that are due by a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDelivered:
    """The report of a schedule over a period was made and taken to `places`.

    `sha256` (hex) is that of the ZIP, `manifest_sha256` that of its manifest; `problem` says why the record was not
    whole (empty if it was), `sample` is the sample that was drawn in it ("" for none).
    """

    kind: ClassVar[str] = "report.delivered"
    schedule: str
    report: str
    period: Window
    places: tuple[str, ...]
    sha256: str
    manifest_sha256: str
    bytes: int
    problem: str
    sample: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOverdue:
    """An alarm: the report of a schedule over a period was due, and is not delivered. It is tried again for ever."""

    kind: ClassVar[str] = "report.delivery_overdue"
    schedule: str
    period: Window
    attempts: int
    problem: str
