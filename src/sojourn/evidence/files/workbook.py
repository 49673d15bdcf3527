"""XLSX: values only, never a formula, never cut.

- Every text is written as a text cell; no text becomes a formula, a number or a link, whatever it begins with.
- A sheet of more rows than a worksheet holds goes on in another (`Population (2)`).
- A text longer than a cell holds goes on in the sheet `Long texts`, which the cell points to.
- The same rows and the same time give the same bytes.
- Columns are as wide as what stands in the first rows, and headers have filters. A printed page says where it is from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
_WIDTH_MIN, _WIDTH_MAX = 6, 66
_MOMENT = "yyyy-mm-dd hh:mm:ss.000"
_LOOKED = 200
"""By so many rows the widths of columns are found."""

_COLUMNS_A_PAGE = 16
"""Sheets of so many columns fit on pages of one width."""


class Workbook:
    """One workbook while it is written. Rows go to disk as they come."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        """Make the formats ready."""
        self._book = book
        self._head = book.add_format({"bold": True, "bg_color": "#E7ECF3", "bottom": 1, "text_wrap": True})
        self._moment = book.add_format({"num_format": _MOMENT, "align": "left"})
        self._marks = {
            "fail": book.add_format({"bg_color": "#F8D7DA", "font_color": "#7A1420"}),
            "pass": book.add_format({"bg_color": "#DDF2E3", "font_color": "#124A24"}),
        }
        self._long: list[tuple[str, str]] = []
        self._writers: list[SheetWriter] = []

    def add(self, sheet: Sheet) -> SheetWriter:
        """A sheet to write rows to."""
        self._writers.append(SheetWriter(self, sheet))
        return self._writers[-1]

    def worksheet(self, sheet: Sheet, part: int) -> Worksheet:
        """The worksheet for a part of a sheet, with its header."""
        made: Worksheet = self._book.add_worksheet(sheet.name if part == 1 else f"{sheet.name[:25]} ({part})")
        for number, column in enumerate(sheet.columns):
            made.write_string(0, number, column.name, self._head)
        made.freeze_panes(1, 0)
        made.set_landscape()
        made.set_paper(9)
        made.repeat_rows(0)
        if len(sheet.columns) <= _COLUMNS_A_PAGE:
            made.fit_to_pages(1, 0)
        made.set_footer("&L&F&C&A&R&P / &N")
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
        """Write the texts that no cell could hold, and what is known only when all rows are there."""
        for writer in self._writers:
            writer.finish()
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
        self._begin(1)

    def _begin(self, part: int) -> None:
        self._part, self._line = part, 0
        self._worksheet = self._workbook.worksheet(self._sheet, part)
        self._widths = [0] * len(self._sheet.columns)
        # Beside each name there is the button of its filter.
        self._widen([f"{column.name}  " for column in self._sheet.columns])

    def write(self, row: Row) -> None:
        """The next row."""
        if self._line == ROWS_MAX:
            self.finish()
            self._begin(self._part + 1)
        self._line += 1
        if self._line <= _LOOKED:
            self._widen(row)
        for number, value in enumerate(row):
            self._workbook.write(self._worksheet, self._line, number, value)

    def finish(self) -> None:
        """Give the header its filters, once it is known how far the rows go."""
        if self._widths:
            self._worksheet.autofilter(0, 0, self._line, len(self._widths) - 1)

    def _widen(self, row: Sequence[Value]) -> None:
        """Make each column wide enough for a row."""
        for number, value in enumerate(row):
            shown = len(_MOMENT) if isinstance(value, datetime) else len(str(value))
            if shown > self._widths[number]:
                self._widths[number] = shown
                self._worksheet.set_column(number, number, min(max(shown + 2, _WIDTH_MIN), _WIDTH_MAX))


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
