"""Looks again at what was published: a bit that flips in a folder is noticed while nobody reads it.

One pass goes over the checkpoint, the root of the tiles, and every bundle with its tiles. The first pass after a start
is brisk; later ones take their time. Each step is small, so that publishing goes on between two of them. A step that
finds something begins at the same place the next time.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.ledger.errors import LedgerError
from sojourn.ledger.tiles import TILE_WIDTH

from .folder import CHECKPOINT, Folder, conflict
from .tiles import Tiles

FIRST_PASS_BUNDLES = 128
LATER_PASS_BUNDLES = 4


@dataclass(slots=True)
class Patrol:
    """The place that a patrol of a folder has come to. `passes` counts those that are complete."""

    passes: int = 0
    _following: int = 0

    def step(self, folder: Folder) -> None:
        """Check some bundles of a folder. Raises OSError.

        Raises SojournError `publication.conflict` when anything is not what was published.
        """
        size = folder.published.size
        tiles = Tiles(read=folder.files.read, size=size)
        bundles = -(-size // TILE_WIDTH)
        self._following = min(self._following, bundles)
        try:
            if self._following == 0:
                if folder.files.read(CHECKPOINT) != folder.note:
                    raise LedgerError("its checkpoint is not the one that was published.")
                if tiles.root() != folder.published.root:
                    raise LedgerError(f"its tiles do not lead to the root that was signed at {size} entries.")
            end = self._following + (LATER_PASS_BUNDLES if self.passes else FIRST_PASS_BUNDLES)
            for tile_index in range(self._following, min(end, bundles)):
                tiles.check_bundle(tile_index)
            self._following = end
            if end >= bundles:
                self.passes += 1
                self._following = 0
        except LedgerError as error:
            raise conflict(folder.place, str(error)) from error
