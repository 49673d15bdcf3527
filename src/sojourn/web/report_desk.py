"""Where reports are asked for: the port that `app.report_desk` implements."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from sojourn.domain.window import Window


class RunState(StrEnum):
    """Where the making of a report stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A report that `person` wants, about `targets` (empty for all)."""

    report: str
    period: Window
    person: str
    as_of: datetime | None
    sample: int
    seed: str
    targets: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class ReportRun:
    """How far the making of a report is: `doing` has `done` (of `of`, if that is known).

    `sample` is the id of the sample that was drawn in it, which is on record; "" for none.
    """

    run: str
    report: str
    person: str
    state: RunState = RunState.WAITING
    doing: str = ""
    done: int = 0
    of: int | None = None
    manifest_sha256: str = ""
    problem: str = ""
    sample: str = ""
    rows: dict[str, int] = field(default_factory=dict)


class Desk(Protocol):
    """Where reports are asked for. Implemented by `app.report_desk`."""

    def ask(self, wish: Wish) -> ReportRun:
        """Have it made. Raises SojournError `report.queue_full`."""
        ...

    def run_of(self, run: str) -> ReportRun | None:
        """How far it is."""
        ...

    def file_of(self, run: str) -> Path | None:
        """Its ZIP, once it is done."""
        ...
