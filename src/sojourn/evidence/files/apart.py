"""A workbook that a process of its own writes: to write cells costs more than to make them, and there is a second core.

- The rows go through a pipe, one message each. What is not written yet is bounded on both sides.
- The same rows give the same bytes as `open_workbook`, which is what the other process calls.
- What goes wrong over there is an error here, and no workbook is better than one that lacks a sheet.
- The end of its input is the end of the other process: it never outlives this one, however this one ends.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from .sheet import Column, Row, Sheet

LENGTH_BYTES = 4
"""Before each message comes its length, big-endian."""

_BUFFER = 1 << 16
_encode = msgspec.msgpack.Encoder().encode


class Opening(msgspec.Struct, frozen=True, array_like=True):
    """The first message: which workbook to write."""

    path: str
    title: str
    created: datetime


class Heading(msgspec.Struct, frozen=True, array_like=True, tag="sheet"):
    """The next sheet. Sheets count from 0 in the order in which they are told."""

    name: str
    columns: tuple[Column, ...]


class Line(msgspec.Struct, frozen=True, array_like=True, tag="row"):
    """The next row of a sheet. MessagePack tells moments from texts by itself."""

    sheet: int
    row: tuple[Any, ...]


class Ending(msgspec.Struct, frozen=True, array_like=True, tag="end"):
    """All has been said: put the workbook on disk, and end."""


Message = Heading | Line | Ending


@dataclass(slots=True)
class WorkbookApart:
    """This side of the workbook. `sheets` counts those that were begun."""

    process: subprocess.Popen[bytes]
    pipe: IO[bytes]
    sheets: int = field(default=0, init=False)
    ended: bool = field(default=False, init=False)

    def add(self, sheet: Sheet) -> SheetFeed:
        """A sheet to write rows to. Raises OSError as `tell` does."""
        self.tell(Heading(sheet.name, sheet.columns))
        self.sheets += 1
        return SheetFeed(self, self.sheets - 1)

    def tell(self, message: Opening | Message) -> None:
        """Send a message. Raises OSError if the other process has ended."""
        body = _encode(message)
        try:
            self.pipe.write(len(body).to_bytes(LENGTH_BYTES, "big"))
            self.pipe.write(body)
        except BrokenPipeError as error:
            raise self._ended() from error

    def end(self) -> None:
        """Say that there are no more rows, so that the other process goes on to the end by itself. Raises OSError."""
        self.ended = True
        self.tell(Ending())
        try:
            self.pipe.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def finish(self) -> None:
        """Wait until the workbook is on disk. Raises OSError if it never will be."""
        if not self.ended:
            self.end()
        if self.process.wait():
            raise self._ended()

    def _ended(self) -> OSError:
        return OSError(f"the process that writes the workbook ended with {self.process.wait()}; it has said why")


@dataclass(frozen=True, slots=True)
class SheetFeed:
    """Writes the rows of one sheet."""

    workbook: WorkbookApart
    number: int

    def write(self, row: Row) -> None:
        """The next row. Raises OSError if the other process has ended."""
        self.workbook.tell(Line(self.number, row))


@contextmanager
def workbook_apart(path: Path, *, title: str, created: datetime) -> Iterator[WorkbookApart]:
    """A workbook that is on disk when the block ends, and that nobody writes any more when the block fails.

    Raises OSError if it could not be written.
    """
    # Without -P, the folder that somebody happens to stand in could give it other modules.
    command = [sys.executable, "-P", "-m", "sojourn.evidence.files.workbook_process"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        bufsize=_BUFFER,
        # An interrupt from the keyboard is for this process, and what it does about it reaches the other.
        process_group=0,
    )
    assert process.stdin is not None
    try:
        workbook = WorkbookApart(process, process.stdin)
        workbook.tell(Opening(str(path), title, created))
        yield workbook
        workbook.finish()
    finally:
        process.kill()
        process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()
