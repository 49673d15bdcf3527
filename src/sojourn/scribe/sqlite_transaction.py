"""One write transaction on SQLite: all of it, or nothing.

A commit is often one row and nothing else. SQLite makes a transaction of a single statement by itself, so BEGIN and
COMMIT are said only around more than one: they are two statements more, and change nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

Row = tuple[Any, ...]


class Transaction:
    """What is written inside `with` is durable when that ends, and nothing of it is written if it raises.

    Not nested. Methods, and the end of `with`, may raise `sqlite3.Error`.
    """

    __slots__ = ("_alone", "_begun", "_execute", "_many", "_size")

    def __init__(self, connection: sqlite3.Connection, size: Callable[[], int]) -> None:
        """`size` tells how many entries are on record; `with` gives that."""
        cursor = connection.cursor()
        self._execute, self._many, self._size = cursor.execute, cursor.executemany, size
        self._begun = False
        self._alone: tuple[str, Row] | None = None

    def __enter__(self) -> int:
        self._begun, self._alone = False, None
        return self._size()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._begun:
            self._execute("COMMIT" if kind is None else "ROLLBACK")
        elif self._alone is not None and kind is None:
            self._execute(*self._alone)

    def put(self, statement: str, row: Row = ()) -> None:
        """Run a statement that writes; the first waits, to be a transaction by itself if no other follows."""
        if self._begun or self._alone is not None:
            self._begin()
            self._execute(statement, row)
        else:
            self._alone = (statement, row)

    def put_all(self, statement: str, rows: Iterable[Row]) -> None:
        """Run a statement that writes for each row."""
        self._begin()
        self._many(statement, rows)

    def _begin(self) -> None:
        if not self._begun:
            self._execute("BEGIN IMMEDIATE")
            self._begun = True
            if self._alone is not None:
                self._execute(*self._alone)
