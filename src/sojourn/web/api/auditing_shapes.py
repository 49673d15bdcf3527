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
class FindingDisposedOf:
    """What became of a finding at a target, and who sees to what has to follow."""

    finding: str
    target: str
    disposition: str
    owner: str
    ticket: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingListed:
    """What a target and the record did not both know, or a time when nobody could look (`target_unobserved`).

    `seq` and `last_seq` are the first and the last entry that tell of it. What follows `last_at` is null until somebody
    says what becomes of it; then `remark` says why.
    """

    finding: str
    target: str
    kind: str
    subject: str
    detail: str
    since: str
    seq: int
    last_seq: int
    last_at: str
    disposition: str | None
    owner: str | None
    ticket: str | None
    remark: str | None
    disposed_by: str | None
    disposed_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Findings, newest first. `more` says that there are older ones: ask again with `before` set to `next`."""

    findings: tuple[FindingListed, ...]
    more: bool
    next: int | None


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
class ScheduleShown:
    """A report that is made by itself over each `every` (month or quarter).

    `delivered_until` is the end of the last period that was delivered, null for none; `due` is the end of the period
    that is being made, null where nothing is due; `overdue` says that it could not be delivered so far, which is on
    record.
    """

    schedule: str
    report: str
    every: str
    delivered_until: str | None
    due: str | None
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFiles:
    """The schedules, and what they made and is there to be taken away.

    `more` says that there is more of it: ask with `before`.
    """

    schedules: tuple[ScheduleShown, ...]
    files: tuple[DeliveredListed, ...]
    more: bool
    next: int | None
