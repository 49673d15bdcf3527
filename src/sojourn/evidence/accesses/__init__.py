"""Every access event on record, folded from the ledger: one request, and all that came of it.

Packs, attribute tests and population reports read the same fold, so that no number is worked out twice.
"""

from __future__ import annotations

from .access import Access, Attempt, Decision, Given, Looked, Use
from .books import Books, Configurations

__all__ = ["Access", "Attempt", "Books", "Configurations", "Decision", "Given", "Looked", "Use"]
