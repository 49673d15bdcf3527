"""Writes rows at the speed of the database: prepared statements, and the many rows of actions in bulk.

- What is written about one request, grant or session is written in the order of the ledger.
- Actions are gathered while a batch is folded: an intent and its outcome in one batch are one row, written once.
  They touch nothing else but their session's count, so writing them last changes no result.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Table

from . import tables as t

Values = Mapping[str, object]

_ACTION = tuple(column.name for column in t.action.columns)
_COMPLETED = ("outcome", "tags", "sqlstate", "rows", "bytes_out", "duration_us", "message")
_FROM = _ACTION.index("outcome")
_UNKNOWN = (None,) * len(_COMPLETED)
assert _ACTION[_FROM : _FROM + len(_COMPLETED)] == _COMPLETED, "outcome and what belongs to it stand side by side"


@lru_cache(maxsize=256)
def insert_sql(table: Table, columns: tuple[str, ...]) -> str:
    """The statement that inserts a row with these columns."""
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join(f":{name}" for name in columns)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({places})'  # noqa: S608 - names of our own tables


@lru_cache(maxsize=256)
def update_sql(table: Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> str:
    """The statement that sets these columns where the keys have their values (given under `key_…`)."""
    values = ", ".join(f'"{name}" = :{name}' for name in columns)
    where = " AND ".join(f'"{name}" = :key_{name}' for name in keys)
    return f'UPDATE "{table.name}" SET {values} WHERE {where}'  # noqa: S608 - names of our own tables


_INSERT_ACTION = f"INSERT INTO action VALUES ({', '.join('?' * len(_ACTION))})"  # noqa: S608 - no value in it
_COMPLETE_ACTION = (
    f"UPDATE action SET {', '.join(f'{name} = ?' for name in _COMPLETED)} WHERE session = ? AND number = ?"  # noqa: S608
)
_COUNT_ACTIONS = "UPDATE session SET actions = ? WHERE id = ?"

Completion = tuple[object, ...]
"""The values of an outcome, in the order of `_COMPLETED`."""


@dataclass(slots=True)
class Writer:
    """Writes one batch through a connection of SQLite; `close` writes what was gathered."""

    connection: sqlite3.Connection
    _intended: dict[tuple[str, int], tuple[object, ...]] = field(default_factory=dict)
    _completed: dict[tuple[str, int], Completion] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)

    def insert(self, table: Table, values: Values) -> None:
        """Write a new row."""
        self.connection.execute(insert_sql(table, tuple(values)), values)

    def insert_new(self, table: Table, values: Values) -> None:
        """Write a row, unless there is one with its key."""
        statement = insert_sql(table, tuple(values))
        self.connection.execute(statement.replace("INSERT", "INSERT OR IGNORE", 1), values)

    def update(self, table: Table, keys: Values, values: Values) -> None:
        """Change the rows that have these keys."""
        named = {**values, **{f"key_{name}": value for name, value in keys.items()}}
        self.connection.execute(update_sql(table, tuple(values), tuple(keys)), named)

    def count(self, table: Table, keys: Values, column: str, *, by: int = 1) -> None:
        """Add one, or `by`, to a column of the rows that have these keys."""
        where = " AND ".join(f'"{name}" = :{name}' for name in keys)
        statement = f'UPDATE "{table.name}" SET "{column}" = "{column}" + {int(by)} WHERE {where}'  # noqa: S608 - our own names
        self.connection.execute(statement, keys)

    def delete(self, table: Table, keys: Values) -> None:
        """Take away the rows that have these keys."""
        where = " AND ".join(f'"{name}" = :{name}' for name in keys)
        self.connection.execute(f'DELETE FROM "{table.name}" WHERE {where}', keys)  # noqa: S608 - our own names

    def intend(self, session: str, number: int, columns: tuple[object, ...], seq: int) -> None:
        """Gather an action: `columns` are those between its number and its outcome."""
        self._intended[session, number] = (session, number, *columns, *_UNKNOWN, seq)
        self._counted[session] = number

    def complete(self, session: str, number: int, completion: Completion) -> None:
        """Gather an outcome."""
        row = self._intended.get((session, number))
        if row is None:
            self._completed[session, number] = completion
        else:
            self._intended[session, number] = (*row[:_FROM], *completion, row[-1])

    def close(self) -> None:
        """Write what was gathered."""
        if self._intended:
            self.connection.executemany(_INSERT_ACTION, self._intended.values())
        if self._completed:
            rows = [(*completion, *key) for key, completion in self._completed.items()]
            self.connection.executemany(_COMPLETE_ACTION, rows)
        if self._counted:
            self.connection.executemany(_COUNT_ACTIONS, [(number, name) for name, number in self._counted.items()])
