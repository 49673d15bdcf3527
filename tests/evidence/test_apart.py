"""A workbook that another process writes is the same workbook or an error, and that process is never left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sojourn.evidence.files.apart import WorkbookApart, workbook_apart
from sojourn.evidence.files.sheet import Column, Row, Sheet
from sojourn.evidence.files.workbook import TEXT_MAX, Workbook, open_workbook
from sojourn.evidence.reports.build import WORKBOOK, build
from sojourn.testing.organisation import Workplace

from .accesses import Company
from .test_files import AT, HOSTILE

MANY = 50_000
"""Rows of `wide` that no pipe holds at once."""

FOREVER = 30
"""Seconds after which something has gone wrong."""


def sheet(name: str, rows: Iterator[Row]) -> Sheet:
    return Sheet(name=name, purpose="", columns=tuple(Column(name=name, meaning="") for name in "abcdef"), rows=rows)


def rows() -> Iterator[Row]:
    for number, text in enumerate((*HOSTILE, "fail", "pass", "2026-03-02T03:04:05.678Z", "x" * (2 * TEXT_MAX))):
        yield number, text, AT, bool(number % 2), None, -number


def wide() -> Iterator[Row]:
    for number in range(MANY):
        yield number, "some text of a common length", AT, True, None, "pass"


def write(opened: AbstractContextManager[Workbook] | AbstractContextManager[WorkbookApart]) -> None:
    """Two sheets, the first of which is filled last."""
    with opened as book:
        first, second = book.add(sheet("First", rows())), book.add(sheet("Second", rows()))
        for row in rows():
            second.write(row)
        for row in rows():
            first.write(row)


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, and nobody has to wait for it any more."""
    return process.returncode is not None and not Path(f"/proc/{process.pid}").exists()


def children() -> set[int]:
    """The processes that this test started and has not waited for."""
    return {int(child) for child in Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()}


def test_it_has_the_same_bytes_as_one_that_is_written_here(tmp_path: Path) -> None:
    here, apart = tmp_path / "here.xlsx", tmp_path / "apart.xlsx"
    write(open_workbook(here, title="t", created=AT))
    write(workbook_apart(apart, title="t", created=AT))
    assert apart.read_bytes() == here.read_bytes()


def test_a_message_longer_than_any_block_arrives_whole(tmp_path: Path) -> None:
    long = "".join(chr(65 + number % 26) for number in range(1_000_000))
    for name, opened in (("here", open_workbook), ("apart", workbook_apart)):
        with opened(tmp_path / name, title="t", created=AT) as book:
            book.add(sheet("Long", iter(()))).write((long, long, "end", None, None, None))
    assert (tmp_path / "apart").read_bytes() == (tmp_path / "here").read_bytes()


def test_when_its_process_is_killed_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="ended with -9"), workbook_apart(tmp_path / "a", title="t", created=AT) as book:
        book.process.kill()
        feed = book.add(sheet("Sheet", wide()))
        for row in wide():
            feed.write(row)


def test_when_its_process_is_killed_at_the_end_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="ended with -9"), workbook_apart(tmp_path / "a", title="t", created=AT) as book:
        book.process.kill()
    assert not (tmp_path / "a").exists()


def test_when_its_process_cannot_write_it_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="ended with 1"):
        write(workbook_apart(tmp_path / "nowhere" / "a.xlsx", title="t", created=AT))
    assert "nowhere" in capfd.readouterr().err


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_when_what_fills_it_fails_its_process_is_ended(error: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(error), workbook_apart(tmp_path / "a", title="t", created=AT) as book:
        book.add(sheet("Sheet", rows())).write(next(rows()))
        raise error
    assert ended(book.process) and not (tmp_path / "a").exists()


PARENT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sojourn.evidence.files.apart import workbook_apart
with workbook_apart(Path(sys.argv[1]), title="t", created=datetime(2026, 1, 1, tzinfo=UTC)) as book:
    print(book.process.pid, flush=True)
    sys.stdin.read()
"""


def test_its_process_ends_with_the_one_that_wanted_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "a")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        os.kill(int(parent.stdout.readline()), 0)
        parent.kill()
        # Both hold the other end of the pipe for what is said, so it ends when both have.
        _, said = parent.communicate(timeout=FOREVER)
    assert said == b"" and not (tmp_path / "a").exists()


async def test_a_report_whose_workbook_fails_is_no_report(tmp_path: Path) -> None:
    at = Company(place=await Workplace.open())
    directory = tmp_path / "r"
    directory.mkdir()

    before = children()

    def killing() -> Iterator[Row]:
        (writer,) = children() - before
        os.kill(writer, signal.SIGKILL)
        yield from wide()

    with pytest.raises(OSError, match="ended with -9"):
        build(at.context(), [sheet("Population", killing())], directory, lambda *_: None)
    assert not (directory / WORKBOOK).exists() and not list(directory.glob("*.zip"))
