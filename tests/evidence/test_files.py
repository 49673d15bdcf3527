"""What is typed by somebody is text in every file: never a formula, never cut, never another row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from sojourn.evidence.files import workbook as workbooks
from sojourn.evidence.files.delimited import DelimitedFile
from sojourn.evidence.files.sheet import Column, Counted, Row, Sheet
from sojourn.evidence.files.workbook import TEXT_MAX, open_workbook

AT = datetime(2026, 3, 2, 3, 4, 5, 678000, tzinfo=UTC)
TAGGED = (
    "<r>not closed</t></r>",
    "<r><t>bold</t></r>",
    '<r></r></is></c><c r="B2" t="str"><f>HYPERLINK("http://example.com")</f><v>1</v></c><c r="C2"><is><r></r>',
)
"""What XlsxWriter takes for XML of its own."""

HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://example.com","x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "http://example.com",
    "{=1}",
    "a\r\nb",
    'a"b,c',
    "\x1b[31mred",
    "\u202eevil",
    "\U0001f511 four bytes",
    "0012",
    "1e9",
    "TRUE",
    *TAGGED,
)


def sheet(rows: Iterable[Row], *names: str) -> Sheet:
    return Sheet(name="Sheet", purpose="", columns=tuple(Column(name=name, meaning="") for name in names), rows=rows)


def written(path: Path, rows: Iterable[Row], *names: str) -> openpyxl.Workbook:
    with open_workbook(path, title="t", created=AT) as book:
        one = sheet(rows, *names)
        writer = book.add(one)
        for row in one.rows:
            writer.write(row)
    return openpyxl.load_workbook(path)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_a_number_or_a_link_in_a_workbook(text: str, tmp_path: Path) -> None:
    book = written(tmp_path / "a.xlsx", [(text,)], "x")
    cell = book["Sheet"]["A2"]
    assert cell.data_type == "s" and cell.hyperlink is None
    assert isinstance(cell.value, str) and "\x1b" not in cell.value and "\u202e" not in cell.value


@pytest.mark.parametrize("text", TAGGED)
def test_no_text_becomes_markup_in_a_workbook(text: str, tmp_path: Path) -> None:
    sheet = written(tmp_path / "a.xlsx", [(text, "beside")], "x", "y")["Sheet"]
    assert [cell.value for cell in sheet[2]] == [text, "beside"]
    assert sheet.max_column == 2


def test_a_piece_of_a_long_text_does_not_become_markup(tmp_path: Path) -> None:
    piece = "<r>" + "&" * (16_000 - 7) + "</r>"
    book = written(tmp_path / "a.xlsx", [(piece * 3,)], "x")
    assert [row[2] for row in book["Long texts"].iter_rows(min_row=2, values_only=True)] == [piece] * 3


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_comes_back_from_csv_and_none_begins_as_a_formula(text: str) -> None:
    out = io.StringIO(newline="")
    file = DelimitedFile(out, sheet((), "x", "y"))
    file.write((text, 1))
    _, (cell, number) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert cell.removeprefix("'") == text and number == "1"
    assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_values_are_values_in_a_workbook(tmp_path: Path) -> None:
    book = written(tmp_path / "a.xlsx", [(-7, AT, True, None, "x")], *"abcde")
    number, moment, truth, nothing, text = next(book["Sheet"].iter_rows(min_row=2, values_only=True))
    assert (number, truth, nothing, text) == (-7, "yes", None, "x")
    assert moment == AT.replace(tzinfo=None)


def test_a_text_that_no_cell_holds_goes_on_in_a_sheet_of_its_own(tmp_path: Path) -> None:
    long = "".join(chr(65 + number % 26) for number in range(3 * TEXT_MAX))
    book = written(tmp_path / "a.xlsx", [("x" * TEXT_MAX,), (long,)], "x")
    assert book["Sheet"]["A2"].value == "x" * TEXT_MAX
    assert "Long texts: text 1" in book["Sheet"]["A3"].value
    parts = [row[2] for row in book["Long texts"].iter_rows(min_row=2, values_only=True)]
    assert "".join(parts) == long


def test_characters_beyond_the_first_plane_count_twice(tmp_path: Path) -> None:
    text = "\U0001f511" * (TEXT_MAX // 2 + 1)
    book = written(tmp_path / "a.xlsx", [(text,)], "x")
    assert "Long texts" in book.sheetnames


def test_rows_that_no_worksheet_holds_go_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "ROWS_MAX", 10)
    book = written(tmp_path / "a.xlsx", ((number,) for number in range(25)), "n")
    assert book.sheetnames == ["Sheet", "Sheet (2)", "Sheet (3)"]
    found = [row[0] for name in book.sheetnames for row in book[name].iter_rows(min_row=2, values_only=True)]
    assert found == list(range(25))


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written(tmp_path / f"{name}.xlsx", [("x", AT, 1)], *"abc")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_row_that_does_not_fit_its_columns_is_no_row() -> None:
    with pytest.raises(ValueError, match="2 columns"):
        list(Counted(sheet([("x",)], "a", "b")))
