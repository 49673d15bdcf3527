"""Ids that repeat from run to run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class CountedIds:
    """Gives `r-0000000001`, `r-0000000002`, `g-0000000001` …: fits `workflow.ports.Office.new_id`.

    The first `start` of each kind are left out.
    """

    start: int = 0
    _given: Counter[str] = field(default_factory=Counter)

    def __call__(self, prefix: str) -> str:
        """The next id with that prefix."""
        self._given[prefix] += 1
        return f"{prefix}-{self.start + self._given[prefix]:010d}"
