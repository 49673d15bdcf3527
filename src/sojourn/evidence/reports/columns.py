"""Columns with their cells: what a row is made of, said in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sojourn.evidence.files.sheet import Column, Row, Sheet, Value

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Cell(Generic[Thing]):
    """A column's name, how its cell is found, and what it means. `total`: its sum is told."""

    name: str
    value: Callable[[Thing], Value]
    meaning: str
    total: bool = False


def sheet_of(name: str, purpose: str, cells: Sequence[Cell[Thing]], things: Iterable[Thing]) -> Sheet:
    """A sheet with a row for each thing."""
    return Sheet(
        name=name,
        purpose=purpose,
        columns=tuple(Column(name=cell.name, meaning=cell.meaning, total=cell.total) for cell in cells),
        rows=_rows(cells, things),
    )


def _rows(cells: Sequence[Cell[Thing]], things: Iterable[Thing]) -> Iterator[Row]:
    for thing in things:
        yield tuple(cell.value(thing) for cell in cells)
