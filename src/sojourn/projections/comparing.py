"""Compares two folds of the same entries, table by table and row by row."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, inspect, select
from sqlalchemy.exc import DatabaseError

from .projector import Projections
from .tables import FOLDED

SHOWN_MAX = 20
"""So many differing rows of a table are told in full; all of them are counted."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """A row that is not what the ledger says. None stands for no row; the values are those of the columns that differ.

    `key` names the row by the values of its primary key.
    """

    key: tuple[object, ...]
    in_use: Row | None
    folded: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableComparison:
    """One table: how many rows each side has, how many differ, and the first of those.

    `problem` is not empty when the table in use cannot be read at all.
    """

    table: str
    in_use: int
    folded: int
    differing: int
    rows: tuple[RowDifference, ...] = ()
    problem: str = ""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differing and not self.problem


def compare(in_use: Projections, folded: Projections) -> tuple[TableComparison, ...]:
    """Compare every table of the read models in use with that of a fresh fold."""
    with in_use.reading() as ours, folded.reading() as fresh:
        return tuple(_compare_table(table, ours, fresh) for table in FOLDED)


def _compare_table(table: Table, in_use: Connection, folded: Connection) -> TableComparison:
    name, due = str(table.name), _rows(table, folded)
    total, differing = len(due), 0
    rows: list[RowDifference] = []
    try:
        if not inspect(in_use).has_table(table.name):
            return TableComparison(table=name, in_use=0, folded=total, differing=total, problem="the table is missing")
        held = _rows(table, in_use)
    except DatabaseError as error:
        problem = f"the table cannot be read: {error.orig}"
        return TableComparison(table=name, in_use=0, folded=total, differing=total, problem=problem)
    for key in (*held, *(key for key in due if key not in held)):
        ours, theirs = held.get(key), due.get(key)
        if ours != theirs:
            differing += 1
            if len(rows) < SHOWN_MAX:
                rows.append(_difference(key, ours, theirs))
    return TableComparison(table=name, in_use=len(held), folded=total, differing=differing, rows=tuple(rows))


def _rows(table: Table, connection: Connection) -> dict[tuple[object, ...], Row]:
    columns = [column.name for column in table.primary_key.columns]
    rows = connection.execute(select(table).order_by(*table.primary_key.columns))
    found = ({str(name): value for name, value in row._mapping.items()} for row in rows)
    return {tuple(row[name] for name in columns): row for row in found}


def _difference(key: tuple[object, ...], in_use: Row | None, folded: Row | None) -> RowDifference:
    if in_use is None or folded is None:
        return RowDifference(key=key, in_use=in_use, folded=folded)
    names = [name for name in folded if in_use[name] != folded[name]]
    return RowDifference(
        key=key, in_use={name: in_use[name] for name in names}, folded={name: folded[name] for name in names}
    )
