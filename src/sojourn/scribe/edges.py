"""The tree of the ledger as the scribe holds it: the right edge of each level of tiles.

Level 0 holds the leaf hashes of the tile that is not full yet; level n the roots of the full tiles below, likewise.
A full tile of level 1 or above is given out to be stored; the leaves are stored with their entries. The root follows
from the edges alone (RFC 6962 section 2.1), so a tree of any size is held in a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sojourn.ledger.merkle import EMPTY_ROOT, recompute_root
from sojourn.ledger.tiles import TILE_HEIGHT, TILE_WIDTH

Tile = tuple[int, int, bytes]
"""level, tile index, 256 hashes joined."""


@dataclass(slots=True)
class Edges:
    """A growing tree of `size` leaves."""

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])

    def copy(self) -> Edges:
        """An independent tree of the same leaves; costs at most 255 references for each level."""
        return Edges(self.size, [level.copy() for level in self.levels])

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Add leaf hashes on the right; give the tiles of level 1 and up that became full, lower ones first."""
        full: list[Tile] = []
        taken = 0
        while taken < len(leaves):
            fitting = leaves[taken : taken + TILE_WIDTH - len(self.levels[0])]
            self.levels[0].extend(fitting)
            taken += len(fitting)
            self.size += len(fitting)
            if len(self.levels[0]) == TILE_WIDTH:
                self._fold(full)
        return full

    def _fold(self, full: list[Tile]) -> None:
        """Move the root of each full tile one level up."""
        level, hashes = 0, self.levels[0]
        while len(hashes) == TILE_WIDTH:
            if level:
                full.append((level, (self.size >> (TILE_HEIGHT * (level + 1))) - 1, b"".join(hashes)))
            root = recompute_root(hashes)
            hashes.clear()
            level += 1
            if level == len(self.levels):
                self.levels.append([])
            hashes = self.levels[level]
            hashes.append(root)

    def root(self) -> bytes:
        """The root of the tree as it is now; at most 255 hashes for each level."""
        carried: list[bytes] = []
        # What is left over below is the last, smaller subtree of the level above it.
        for hashes in self.levels:
            row = hashes + carried
            if row:
                carried = [recompute_root(row)]
        return carried[0] if carried else EMPTY_ROOT
