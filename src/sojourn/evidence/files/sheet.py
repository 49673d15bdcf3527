"""A sheet: named columns and rows of plain values. What every file of a report is written from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec

Value = str | int | bool | datetime | None
"""What a cell holds. Moments are aware and in UTC; None is an empty cell."""

Row = tuple[Value, ...]

Plain = str | int | bool | None
"""A value as JSON and CSV write it."""


class Counting(NamedTuple):
    """A row: its values, the same as JSON and CSV write them, and its canonical JSON."""

    values: Row
    plain: list[Plain]
    line: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in every file, and what it means (the data dictionary says it). `total`: its sum is told."""

    name: str
    meaning: str
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`rows` may be gone through once, and only as fast as they are written. `name` has at most 28 characters."""

    name: str
    purpose: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]


@dataclass(slots=True)
class Counted:
    """Rows on their way into files: counted, summed and hashed once, whatever is written from them.

    `totals` has the sum of each column that is to be summed. `sha256` is over the canonical JSON of each row and a
    newline, so anybody can compute it from the JSON twin.
    """

    sheet: Sheet
    count: int = 0
    totals: dict[str, int] = field(init=False)
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        """Begin every sum at nothing."""
        self.totals = {column.name: 0 for column in self.sheet.columns if column.total}

    def __iter__(self) -> Iterator[Counting]:
        """Each row, as all files need it."""
        names = [column.name for column in self.sheet.columns]
        summed = [(place, name) for place, name in enumerate(names) if name in self.totals]
        order = sorted(range(len(names)), key=names.__getitem__)
        ordered = [names[place] for place in order]
        for row in self.sheet.rows:
            if len(row) != len(names):
                raise ValueError(f"sheet {self.sheet.name} has {len(names)} columns, and a row of {len(row)}")
            self.count += 1
            for place, name in summed:
                value = row[place]
                if isinstance(value, int):
                    self.totals[name] += value
            said = [plain(value) if isinstance(value, datetime) else value for value in row]
            line = _encode(dict(zip(ordered, [said[place] for place in order], strict=True)))
            self._hash.update(line + b"\n")
            yield Counting(row, said, line)

    @property
    def sha256(self) -> str:
        """Of the rows that have passed."""
        return self._hash.hexdigest()


def plain(value: Value) -> Plain:
    """A value as JSON and CSV write it: moments in RFC 3339, UTC, to the millisecond."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


_encode = msgspec.json.Encoder().encode
