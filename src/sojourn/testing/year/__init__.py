"""A year of a company, simulated.

- People ask, decide, work and are reviewed. Some requests are denied, withdrawn, never used; some are emergencies.
- Into some events something is planted that a test of docs/reference/attribute-tests.md is for: by working late, or by
  altering what goes on record. What was planted is given back, so that a report can be asked to find it and no other.
- The same seed gives the same company and the same story.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sojourn.testing.clock import SimulatedClock
from sojourn.testing.stored_ledger import stored_ledger

from .company import Story, Year
from .organisation import Plan
from .planted import PLANTED

__all__ = ["PLANTED", "Plan", "Story", "simulate"]


async def simulate(root: Path, plan: Plan, progress: Callable[[int, int], None] = lambda *_: None) -> Story:
    """Tell the year of `plan` to a ledger in the new directory `root`, and give back what was planted.

    `progress` is told how many of the grants are done, and of how many.
    """
    clock = SimulatedClock()
    with stored_ledger(root, clock) as ledger:
        year = await Year.over(plan, ledger, clock, PLANTED)
        return await year.run(progress)
