"""Writes a report: a workbook, and CSV and JSON of the same rows, bound by one manifest.

It has the layout of a pack, so that `sojourn-verify` checks it as it checks the pack of one access.

Every row is made once and goes into all files as it comes, so that they cannot differ and a year of them needs no more
memory than a day. What the manifest counts is what was written. The same record and parameters give the same bytes.
The workbook is written by a process of its own, which costs as much as all else that happens here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from sojourn.evidence.attributes import moment_text
from sojourn.evidence.files.apart import WorkbookApart, workbook_apart
from sojourn.evidence.files.delimited import DelimitedFile
from sojourn.evidence.files.sheet import Column, Counted, Row, Sheet
from sojourn.evidence.pack import FORMAT as PACK

from .bundle import Bundle
from .context import Context
from .parameters import TEMPLATE, parameters_sheet

FORMAT = "sojourn-report/1"
WORKBOOK = "report.xlsx"
JSON = "report.json"
MANIFEST = "manifest.json"
DETAILS = "details.json"
STEP = 500
"""Rows between two words about the progress."""

Progress = Callable[[str, int], None]
"""Is told the sheet that is being written, and how many of its rows are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A sheet as it was written: `rows`, the sum of each column of numbers, and the SHA-256 over its JSON rows."""

    name: str
    rows: int
    totals: dict[str, int]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A report on disk: its sheets, its ZIP, and the SHA-256 (hex) of its manifest, which covers every file.

    It is as of `as_of`; `drawn` are the requests of its sample, out of `population` access events.
    """

    sheets: tuple[Written, ...]
    path: Path
    manifest_sha256: str
    problem: str
    as_of: datetime
    population: int
    drawn: tuple[str, ...]

    def rows(self, sheet: str) -> int:
        """How many rows a sheet has."""
        return next(one.rows for one in self.sheets if one.name == sheet)


def build(context: Context, sheets: Iterable[Sheet], directory: Path, progress: Progress) -> Built:
    """Write the report into `directory`, an empty folder, and bind it as a ZIP beside its files.

    Raises OSError if a file of it could not be written.
    """
    parameters = context.parameters
    title = f"{parameters.title}, {parameters.period.start:%Y-%m-%d} to {parameters.period.end:%Y-%m-%d}"
    with Bundle(directory / f"{parameters.report}.zip") as bundle:
        with workbook_apart(directory / WORKBOOK, title=title, created=parameters.run_at) as book:
            written = _sheets(context, sheets, directory, book, progress)
            book.end()
            # The other process has more to do: these are packed while it writes.
            for one in written:
                bundle.add(_csv_name(one.name))
            bundle.add(JSON)
        bundle.add(WORKBOOK)
        return _bind(context, written, directory, bundle)


def _sheets(
    context: Context, sheets: Iterable[Sheet], directory: Path, book: WorkbookApart, progress: Progress
) -> tuple[Written, ...]:
    """Write every sheet, with the dictionary and the parameters, into CSV and JSON, and tell them to the workbook."""
    written: list[Written] = []
    # The first worksheet that a reader sees says what the others hold, so it is opened first and filled last.
    front = parameters_sheet(context.parameters, context.base, context.backing, iter(()))
    first = book.add(front)
    with (directory / JSON).open("wb") as out:
        out.write(b'{"format":"%s","sheets":[' % FORMAT.encode())
        described: list[tuple[Sheet, Column]] = []
        for number, sheet in enumerate(sheets):
            out.write(b"," if number else b"")
            written.append(_write(sheet, directory, book, out, progress))
            described += ((sheet, column) for column in sheet.columns)
        out.write(b",")
        written.append(_write(_dictionary(described), directory, book, out, progress))
        front = parameters_sheet(context.parameters, context.base, context.backing, _counts(written))
        counted = Counted(front)
        out.write(b',{"columns":["parameter","value"],"name":"Parameters","rows":[')
        with (directory / _csv_name(front.name)).open("w", encoding="utf-8", newline="") as text:
            table = DelimitedFile(text, front)
            for number, row in enumerate(counted):
                first.write(row.values)
                table.write(row.plain)
                out.write(b"," * bool(number) + row.line)
        out.write(b"]}]}")
        written.append(_told(counted))
    return tuple(written)


def _write(sheet: Sheet, directory: Path, book: WorkbookApart, out: IO[bytes], progress: Progress) -> Written:
    counted = Counted(sheet)
    worksheet = book.add(sheet)
    names = msgspec.json.encode([column.name for column in sheet.columns])
    out.write(b'{"columns":%s,"name":%s,"rows":[' % (names, msgspec.json.encode(sheet.name)))
    with (directory / _csv_name(sheet.name)).open("w", encoding="utf-8", newline="") as text:
        table = DelimitedFile(text, sheet)
        for row in counted:
            worksheet.write(row.values)
            table.write(row.plain)
            out.write(b"," + row.line if counted.count > 1 else row.line)
            if counted.count % STEP == 0:
                progress(sheet.name, counted.count)
    out.write(b"]}")
    progress(sheet.name, counted.count)
    return _told(counted)


def _told(counted: Counted) -> Written:
    return Written(name=counted.sheet.name, rows=counted.count, totals=dict(counted.totals), sha256=counted.sha256)


def _csv_name(sheet: str) -> str:
    return f"{sheet.lower().replace(' ', '-')}.csv"


def _counts(written: list[Written]) -> Iterator[Row]:
    for one in written:
        yield f"rows of sheet {one.name}", one.rows
        for column, total in one.totals.items():
            yield f"control total of {one.name}: {column}", total
        yield f"data hash of sheet {one.name} (SHA-256)", one.sha256


def _dictionary(described: list[tuple[Sheet, Column]]) -> Sheet:
    return Sheet(
        name="Data dictionary",
        purpose="What every column means.",
        columns=(
            Column(name="sheet", meaning="Name of the sheet."),
            Column(name="column", meaning="Name of the column."),
            Column(name="meaning", meaning="What its cells hold."),
        ),
        rows=((sheet.name, column.name, column.meaning) for sheet, column in described),
    )


def _bind(context: Context, written: tuple[Written, ...], directory: Path, bundle: Bundle) -> Built:
    """What the report was made from and of, and the manifest over all files, the last in the ZIP."""
    parameters, base = context.parameters, context.base
    period = {"start": moment_text(parameters.period.start), "end": moment_text(parameters.period.end)}
    details: dict[str, Any] = {
        "format": FORMAT,
        "template": TEMPLATE,
        "parameters": asdict(parameters)
        | {"period": period, "run_at": moment_text(parameters.run_at), "as_of": moment_text(parameters.as_of)},
        "record": {
            "origin": base.origin,
            "size": base.size,
            "later": base.later,
            "root": base.root,
            "problem": base.problem,
        },
        "left_out": [asdict(one) for one in context.backing.left_out],
        "sheets": [asdict(one) for one in written],
    }
    more = {"checkpoint": base.note.encode(), DETAILS: _canonical(details), **context.backing.files}
    for name, content in more.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        bundle.add(name)
    manifest = _canonical(
        {"format": PACK, "origin": base.origin, "subject": context.backing.subject, "files": bundle.files}
    )
    (directory / MANIFEST).write_bytes(manifest)
    bundle.add(MANIFEST)
    return Built(
        sheets=written,
        path=bundle.path,
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        problem=base.problem,
        as_of=parameters.as_of,
        population=len(context.events) if context.drawn else 0,
        drawn=tuple(event.access.request for event in context.drawn),
    )


def _canonical(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")
