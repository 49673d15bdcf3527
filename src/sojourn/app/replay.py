"""Proves that the read models in use are what the ledger says, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.projections.comparing import TableComparison, compare
from sojourn.projections.projector import Projections
from sojourn.scribe.client import read_entry
from sojourn.settings import Layout

from .kept import PAGE, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """`entries` were folded of the `size` that the ledger has; `digest` is that of the fresh fold.

    `problem` is not empty when the read models in use were not folded from this ledger, or by this release.
    """

    entries: int
    size: int
    digest: str
    tables: tuple[TableComparison, ...]
    problem: str = ""

    @property
    def identical(self) -> bool:
        """Whether the read models equal the ledger."""
        return not self.problem and all(table.same for table in self.tables)


def replay(layout: Layout) -> Replayed:
    """Fold the ledger up to where the read models in use are, and compare. Neither is changed; both may be in use.

    Raises SojournError `data.directory_missing`, `data.directory_open`, or `record.damaged` when the ledger cannot be
    read, or holds no entry where one belongs.
    """
    with reading(layout) as kept:
        if not layout.projections.exists():
            return Replayed(entries=0, size=kept.size(), digest="", tables=(), problem="there are none")
        in_use, folded = Projections.snapshot(layout.projections), Projections.open(None)
        try:
            size, following, problem = kept.size(), in_use.following, ""
            if following == 0 and size:
                problem = "they are empty, or of another release"
            elif following > size:
                problem = f"they were folded from {following} entries, and the ledger has {size}"
            end = min(following, size)
            for start in range(0, end, PAGE):
                folded.apply([read_entry(data) for data in kept.raw(start, min(start + PAGE, end))])
            tables = compare(in_use, folded)
            return Replayed(entries=end, size=size, digest=folded.digest(), tables=tables, problem=problem)
        finally:
            in_use.close()
            folded.close()
