"""CSV (RFC 4180, UTF-8): values as text, and nothing that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import IO

from .sheet import Plain, Sheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class DelimitedFile:
    """Writes one sheet to a text stream."""

    def __init__(self, out: IO[str], sheet: Sheet) -> None:
        """Begin with the names of the columns."""
        self._writer = csv.writer(out, lineterminator="\r\n")
        self._writer.writerow([column.name for column in sheet.columns])

    def write(self, row: Sequence[Plain]) -> None:
        """The next row."""
        self._writer.writerow([_cell(value) for value in row])


def _cell(value: Plain) -> str | int:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value


def guarded(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet would take it for a formula.

    The marks are those of OWASP's page on CSV injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
