"""A tree that is read once, leaf by leaf, and can prove any leaf afterwards from very little that it keeps.

It keeps one hash for every 256 leaves; the leaves around the one to prove are read again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .errors import LedgerError
from .merkle import Tree, fold_right, inclusion_proof, recompute_root

HEIGHT = 8
WIDTH = 1 << HEIGHT

Leaves = Callable[[int, int], Sequence[bytes]]
"""Reads the leaf hashes from one place to before another again."""


@dataclass(slots=True)
class ProvingTree:
    """A growing tree of `size` leaves."""

    blocks: list[bytes] = field(default_factory=list)
    _whole: Tree = field(default_factory=Tree)
    _rest: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return len(self.blocks) * WIDTH + len(self._rest)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes on the right, in order."""
        rest = [*self._rest, *leaves]
        whole = len(rest) - len(rest) % WIDTH
        made = [recompute_root(rest[start : start + WIDTH]) for start in range(0, whole, WIDTH)]
        self._whole.extend(made)
        self.blocks += made
        self._rest = rest[whole:]

    def root(self) -> bytes:
        """The root of the tree as it is now (RFC 6962 section 2.1): subtrees of 256 first, then what is left over."""
        rest = Tree()
        rest.extend(self._rest)
        return fold_right([*self._whole.frontier, *rest.frontier])

    def prove(self, index: int, leaves: Leaves) -> tuple[bytes, ...]:
        """The inclusion proof of a leaf in the tree as it is now. Raises LedgerError for a place that it has not."""

        def read(level: int, place: int) -> bytes:
            start, end = place << level, (place + 1) << level
            if level >= HEIGHT:
                return recompute_root(self.blocks[start >> HEIGHT : end >> HEIGHT])
            found = leaves(start, end)
            if len(found) != end - start:
                raise LedgerError(f"The leaves from {start} to before {end} cannot be read again.")
            return recompute_root(found)

        return tuple(inclusion_proof(index, self.size, read))
