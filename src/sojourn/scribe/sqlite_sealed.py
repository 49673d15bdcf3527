"""Sealed values on SQLite, in the order in which they came.

A commitment is as good as random, so an index by it is touched all over the file. It is written for many commits
together, with the index of streams, and what it lacks is kept in memory and read from the values at start. A commit
then touches the end of the values and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import msgspec

from .protocol import Matter
from .rows import damaged
from .sqlite_transaction import Transaction

FEW = 4
"""Fewer commitments than that are looked up sooner one after the other."""


class SealedValues:
    """The tables `sealed` and `sealed_place` of one store."""

    def __init__(self, connection: sqlite3.Connection, transaction: Transaction) -> None:
        """Read what the index lacks."""
        self._connection, self._put_all = connection, transaction.put_all
        (self._indexed,) = connection.execute("SELECT coalesce(max(sealed), 0) FROM indexed").fetchone()
        (self.count,) = connection.execute("SELECT coalesce(max(place), 0) FROM sealed").fetchone()
        self._recent: dict[str, int] = dict(
            connection.execute("SELECT commitment, place FROM sealed WHERE place > ?", (self._indexed,))
        )

    def insert(self, matter: Collection[Matter]) -> None:
        """Write values whose commitments are not taken."""
        rows = [(place, one.commitment, one.key, one.ciphertext) for place, one in enumerate(matter, self.count + 1)]
        self._put_all("INSERT INTO sealed VALUES (?, ?, ?, ?)", rows)
        self._recent.update({row[1]: row[0] for row in rows})
        self.count += len(rows)

    def write_index(self) -> None:
        """Write what the index lacks, in the order in which it lies."""
        self._put_all("INSERT INTO sealed_place VALUES (?, ?)", sorted(self._recent.items()))
        self._recent.clear()
        self._indexed = self.count

    def taken(self, commitments: Collection[str]) -> set[str]:
        """Those of `commitments` under which a value lies."""
        found = self._recent.keys() & commitments
        if len(commitments) < FEW:
            alone = "SELECT commitment FROM sealed_place WHERE commitment = ?"
            rows = [row for one in commitments for row in self._connection.execute(alone, (one,))]
        else:
            together = "SELECT commitment FROM json_each(?) CROSS JOIN sealed_place ON commitment = value"
            asked = msgspec.json.encode(list(commitments)).decode()
            rows = self._connection.execute(together, (asked,)).fetchall()
        return found.union([row[0] for row in rows])

    def find(self, commitment: str) -> Matter | None:
        """The value under a commitment. Raises SojournError `record.damaged` when the index names another one."""
        place = self._recent.get(commitment)
        if place is None:
            row = self._connection.execute(
                "SELECT place FROM sealed_place WHERE commitment = ?", (commitment,)
            ).fetchone()
            if row is None:
                return None
            place = row[0]
        query = "SELECT commitment, key_id, ciphertext FROM sealed WHERE place = ?"
        row = self._connection.execute(query, (place,)).fetchone()
        if row is None or row[0] != commitment:
            raise damaged(f"the sealed value {commitment} is not at place {place}, as its index says")
        return Matter(*row)

    def gap(self) -> str | None:
        """What is wrong with the places or with the index, if anything is."""
        (held,) = self._connection.execute("SELECT count(*) FROM sealed").fetchone()
        (named,) = self._connection.execute("SELECT count(*) FROM sealed_place").fetchone()
        if held != self.count:
            return f"{held} sealed values are there, and their places run to {self.count}"
        if named != self._indexed or self._indexed > self.count or len(self._recent) != self.count - self._indexed:
            return f"the index of sealed values names {named} and says that it has {self._indexed}"
        return None
