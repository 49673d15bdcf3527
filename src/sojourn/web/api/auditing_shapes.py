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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportListed:
    """A report that can be made."""

    report: str
    title: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The reports that can be made."""

    reports: tuple[ReportListed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShown:
    """The making of a report: `state` is waiting, running, done or failed; `doing` has `done` (of `of`, if known).

    When it is done, `rows` has the rows of each sheet, and `problem` says why the record is not whole (empty if it is).
    `sample` is the id of the sample that was drawn in it; empty for none.
    """

    run: str
    report: str
    person: str
    state: str
    doing: str
    done: int
    of: int | None
    manifest_sha256: str
    problem: str
    sample: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredListed:
    """A file that a schedule made: a report, or the packs of its sample."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFiles:
    """What schedules made and is there to be taken away. `more` says that there is more of it: ask with `before`."""

    files: tuple[DeliveredListed, ...]
    more: bool
    next: int | None
