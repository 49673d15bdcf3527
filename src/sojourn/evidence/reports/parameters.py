"""What a report was asked for, and what it was made from, so that whoever reads it can ask again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sojourn.domain.window import Window
from sojourn.evidence.attributes import VERSION as LOGIC
from sojourn.evidence.files.sheet import Column, Row, Sheet

TEMPLATE = "1"
"""Of the sheets. Raised with every change of what a column means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`period` is `[start, end)`; the record was read up to `as_of`. `sample` rows are drawn by `seed` (0 for none).

    `targets` are those that it is about, empty for all.
    """

    report: str
    title: str
    purpose: str
    system: str
    build: str
    run_by: str
    run_at: datetime
    period: Window
    as_of: datetime
    filters: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()
    sample: int = 0
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The record that a report was made from: `size` entries, and `later` ones that are left out by `as of`.

    All of them are under the signed checkpoint `note`. `problem` says why the record is not whole; it is empty if every
    entry was read, is in its place and leads to the signed root.
    """

    origin: str
    size: int
    root: str
    note: str
    last_at: datetime | None
    later: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file that an entry names and the report does not carry."""

    file: str
    sha256: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """Entries with their proofs and attachments, as files of a pack; `subject` is the stream of one of the entries."""

    subject: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


def parameters_sheet(parameters: Parameters, base: Base, backing: Backing, counted: Iterator[Row]) -> Sheet:
    """The sheet that says what the others are. `counted` tells of each of them how many rows it has."""
    return Sheet(
        name="Parameters",
        purpose="What was asked, of what, when and by whom.",
        columns=(Column(name="parameter", meaning="What is told."), Column(name="value", meaning="What it was.")),
        rows=(*_rows(parameters, base), *_left_out(backing), *counted),
    )


def _left_out(backing: Backing) -> Iterator[Row]:
    for one in backing.left_out:
        yield f"left out: {one.file}", f"SHA-256 {one.sha256}: {one.why}"


def _rows(parameters: Parameters, base: Base) -> Iterator[Row]:
    if base.problem:
        yield "NOT COMPLETE", base.problem
    yield "report", f"{parameters.title} ({parameters.report})"
    yield "purpose", parameters.purpose
    yield "system", parameters.system
    yield "build", parameters.build
    yield "template version", TEMPLATE
    yield "logic of the attribute tests, version", LOGIC
    yield "run by", parameters.run_by
    yield "run at (UTC, offset +00:00)", parameters.run_at
    yield "period from (included)", parameters.period.start
    yield "period to (not included)", parameters.period.end
    yield "as of", parameters.as_of
    for name, value in parameters.filters:
        yield f"filter: {name}", value or "none (default)"
    yield "record: origin", base.origin
    yield "record: entries", base.size
    yield "record: entries after the moment of the report, not used", base.later
    yield "record: root (SHA-256, RFC 6962)", base.root
    yield "record: last entry", base.last_at
    yield "record: whole", base.problem or "yes: every entry is in its place and leads to the signed root"
    yield "truncation", "none"
    yield "sample", f"{parameters.sample} rows by seed {parameters.seed!r}" if parameters.sample else "none"
