"""XLSX: values only, never a formula, never cut.

- Every text is written as a text cell; no text becomes a formula, a number or a link, whatever it begins with.
- A sheet of more rows than a worksheet holds goes on in another (`Population (2)`).
- A text longer than a cell holds goes on in the sheet `Long texts`, which the cell points to.
- The same rows and the same time give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from sojourn.evidence.escape import visible

from .sheet import Row, Sheet, Value

ROWS_MAX = 1_048_575
"""Rows below the header that one worksheet holds (ECMA-376 as Excel implements it: 1,048,576 in all)."""

TEXT_MAX = 32_767
"""Characters that one cell holds; Excel counts UTF-16 units."""

_PIECE = 16_000
_WIDTHS = {"reason": 60}
_WIDTH_MAX = 42


class Workbook:
    """One workbook while it is written. Rows go to disk as they come."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        """Make the formats ready."""
        self._book = book
        self._head = book.add_format({"bold": True, "bg_color": "#E7ECF3", "bottom": 1, "text_wrap": True})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        self._marks = {
            "fail": book.add_format({"bg_color": "#F8D7DA", "font_color": "#7A1420"}),
            "pass": book.add_format({"bg_color": "#DDF2E3", "font_color": "#124A24"}),
        }
        self._long: list[tuple[str, str]] = []

    def add(self, sheet: Sheet) -> SheetWriter:
        """A sheet to write rows to."""
        return SheetWriter(self, sheet)

    def worksheet(self, sheet: Sheet, part: int) -> Worksheet:
        """The worksheet for a part of a sheet, with its header."""
        made: Worksheet = self._book.add_worksheet(sheet.name if part == 1 else f"{sheet.name[:25]} ({part})")
        for number, column in enumerate(sheet.columns):
            made.set_column(number, number, _WIDTHS.get(column.name, min(max(len(column.name) + 2, 14), _WIDTH_MAX)))
            made.write_string(0, number, column.name, self._head)
        made.freeze_panes(1, 0)
        return made

    def write(self, worksheet: Worksheet, line: int, number: int, value: Value) -> None:
        """One cell."""
        if isinstance(value, str):
            self._write_text(worksheet, line, number, value)
        elif value is None:
            return
        elif isinstance(value, bool):
            worksheet.write_string(line, number, "yes" if value else "no")
        elif isinstance(value, int):
            worksheet.write_number(line, number, value)
        else:
            worksheet.write_datetime(line, number, value.replace(tzinfo=None), self._moment)

    def _write_text(self, worksheet: Worksheet, line: int, number: int, value: str) -> None:
        shown, mark = visible(value, keep_lines=True), self._marks.get(value)
        # No letter takes more than two UTF-16 units.
        if 2 * len(shown) <= TEXT_MAX or len(shown.encode("utf-16-le")) // 2 <= TEXT_MAX:
            self._write_cell(worksheet, line, number, shown, mark)
            return
        name = f"text {len(self._long) + 1}"
        self._long.append((name, shown))
        self._write_cell(worksheet, line, number, f"{shown[:200]} [goes on in the sheet Long texts: {name}]", mark)

    def _write_cell(self, worksheet: Worksheet, line: int, number: int, text: str, mark: Format | None = None) -> None:
        """A text that a cell holds, as it is.

        XlsxWriter takes a text between `<r>` and `</r>` for XML of its own, and would put it into the file unescaped.
        In pieces, each of which it escapes, it is a text again. (No text with a mark looks like that.)
        """
        if text.startswith("<r>") and text.endswith("</r>"):
            worksheet.write_rich_string(line, number, text[:1], text[1:2], text[2:])
        else:
            worksheet.write_string(line, number, text, mark)

    def finish(self) -> None:
        """Write the texts that no cell could hold."""
        if not self._long:
            return
        made = self._book.add_worksheet("Long texts")
        for number, title in enumerate(("text", "part", "content")):
            made.write_string(0, number, title, self._head)
        line = 0
        for name, text in self._long:
            for part, start in enumerate(range(0, len(text), _PIECE), 1):
                line += 1
                made.write_string(line, 0, name)
                made.write_number(line, 1, part)
                self._write_cell(made, line, 2, text[start : start + _PIECE])


class SheetWriter:
    """Writes the rows of one sheet, in as many worksheets as it takes."""

    def __init__(self, workbook: Workbook, sheet: Sheet) -> None:
        """Begin the first worksheet."""
        self._workbook, self._sheet = workbook, sheet
        self._part, self._line = 1, 0
        self._worksheet = workbook.worksheet(sheet, 1)

    def write(self, row: Row) -> None:
        """The next row."""
        if self._line == ROWS_MAX:
            self._part, self._line = self._part + 1, 0
            self._worksheet = self._workbook.worksheet(self._sheet, self._part)
        self._line += 1
        for number, value in enumerate(row):
            self._workbook.write(self._worksheet, self._line, number, value)


@contextmanager
def open_workbook(path: Path, *, title: str, created: datetime) -> Iterator[Workbook]:
    """A workbook that is on disk when the block ends."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "tmpdir": str(path.parent),
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": title, "author": "Sojourn", "created": created.replace(tzinfo=None)})
        workbook = Workbook(book)
        yield workbook
        workbook.finish()
