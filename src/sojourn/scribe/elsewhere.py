"""What others have seen of the ledger, compared with the store before it is written again.

The anchor file lies beside the store, so whoever puts back an old copy of the data directory puts back both. A
checkpoint that a witness holds, or that lies in a bucket nobody can alter, cannot be put back: signed by this
ledger's own key, it says how large the ledger was and what was in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sojourn.errors import Code, SojournError
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import HashReader, root_of_range


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A checkpoint of this ledger, its signature verified, and the place where it was found."""

    place: str
    checkpoint: Checkpoint


def compare(seen: Sequence[Seen], *, size: int, reader: Callable[[int], HashReader]) -> None:
    """Compare what was seen with a store of `size` entries; `reader(n)` reads the tree of its first `n` entries.

    Raises SojournError `record.behind` when a larger ledger was seen, and `record.contradicted` when another one was.
    """
    for one in sorted(seen, key=lambda one: -one.checkpoint.size):
        found = one.checkpoint
        if found.size > size:
            raise SojournError(Code.RECORD_BEHIND, held=str(size), anchor=one.place, seen=str(found.size))
        if root_of_range(0, found.size, reader(found.size)) != found.root:
            raise SojournError(Code.RECORD_CONTRADICTED, place=one.place, seen=str(found.size))
