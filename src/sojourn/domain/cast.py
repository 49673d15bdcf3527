"""Recordings of terminals in the words of asciicast v3, in chunks that each can be read by itself.

A recording is a header and then events `[seconds since the event before, code, text]`: `o` for output, `e` for errors,
`i` for input, `r` for a size, `m` for a marker, `x` for how it ended. What is not UTF-8 is kept exactly, as lone
surrogates in JSON's escapes; an exported cast shows them as U+FFFD. (`e` is ours; players skip what they do not know.)
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

VERSION = 3
UNPACKED_BYTES_MAX = 16 * 1024 * 1024
COLUMNS, ROWS = 80, 24
"""The size of what had no terminal, or one that gave none: players need some."""

MASK = "•"
"""Stands for one letter that was typed and not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event of a recording. `interval` is in seconds."""

    interval: float
    code: str
    text: str


def header(*, columns: int, rows: int, terminal: str, began: datetime, command: str) -> str:
    """The first line. A size of 0 is none (RFC 4254, section 6.2)."""
    about: dict[str, object] = {
        "version": VERSION,
        "term": {"cols": columns or COLUMNS, "rows": rows or ROWS, "type": terminal},
        "timestamp": int(began.timestamp()),
    }
    if command:
        about["command"] = command
    return json.dumps(about)


def event(interval: float, code: str, text: str) -> str:
    """One line after the first."""
    return json.dumps([round(interval, 6), code, text])


def unpack(chunk: bytes) -> tuple[str, ...]:
    """The lines of a chunk. Raises ValueError for what is none, or is larger than any that is written."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(chunk, UNPACKED_BYTES_MAX)
    except zlib.error as error:
        raise ValueError("this is no chunk of a recording") from error
    if stream.unconsumed_tail or not stream.eof:
        raise ValueError("this is no whole chunk of a recording")
    return tuple(text.decode("ascii").split("\n"))


def moments(lines: Iterable[str]) -> Iterator[Moment]:
    """The events among the lines; the header is none. Raises ValueError for a line that is neither."""
    for line in lines:
        match json.loads(line):
            case [int() | float() as interval, str(code), str(text)]:
                yield Moment(interval=float(interval), code=code, text=text)
            case dict():
                continue
            case _:
                raise ValueError("this is no event of a recording")


def shown(text: str) -> str:
    """Text as it can be written anywhere: what was not UTF-8 becomes U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def raw(text: str) -> bytes:
    """The bytes that the text stands for."""
    return text.encode("utf-8", "surrogateescape")
