"""Reading a log out of its published tiles: any hash of the tree, and the entries of its bundles.

C2SP tlog-tiles: a partial tile may be gone once the full one is there, whose beginning it is. Every reader here takes
either. Everything raises LedgerError for files that are missing or do not have the form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HASH_BYTES, Tree, leaf_hash, root_of_range, tree_at
from sojourn.ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    decode_bundle,
    hash_reader,
    split_hashes,
    tile_path,
    tile_root,
    tile_width,
)

Read = Callable[[str], bytes | None]
"""A file's bytes by its path, or None if there is no such file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """The tiles of a tree of `size` entries, as `read` finds them."""

    read: Read
    size: int

    def tile(self, level: int, tile_index: int, width: int) -> bytes:
        """The first `width` hashes of a tile, 32 bytes each."""
        hashes = self._file(level, tile_index, width)
        if len(hashes) < width * HASH_BYTES or len(hashes) % HASH_BYTES:
            raise LedgerError(f"{tile_path(level, tile_index, width)} does not hold {width} hashes.")
        return hashes[: width * HASH_BYTES]

    def bundle(self, tile_index: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle."""
        entries = decode_bundle(self._file(None, tile_index, width))
        if len(entries) < width:
            raise LedgerError(f"{tile_path(None, tile_index, width)} does not hold {width} entries.")
        return entries[:width]

    def _file(self, level: int | None, tile_index: int, width: int) -> bytes:
        path = tile_path(level, tile_index, width)
        content = self.read(path)
        if content is None and width < TILE_WIDTH:
            content = self.read(tile_path(level, tile_index))
        if content is None:
            raise LedgerError(f"{path} is missing.")
        return content

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` entries (all of them by default), from as few tiles as possible."""
        return root_of_range(0, self.size if size is None else size, hash_reader(self.size, self.tile))

    def tree(self, size: int) -> Tree:
        """The tree of the first `size` entries, ready to grow."""
        return tree_at(size, hash_reader(self.size, self.tile))

    def edges(self) -> list[list[bytes]]:
        """The hashes of the tile that is not full yet, for each level from 0 on."""
        levels: list[list[bytes]] = []
        while hashes := self.size >> (TILE_HEIGHT * len(levels)):
            tile_index, width = divmod(hashes, TILE_WIDTH)
            levels.append(split_hashes(self.tile(len(levels), tile_index, width)) if width else [])
        return levels or [[]]

    def check_bundle(self, tile_index: int) -> None:
        """Check that a bundle's entries have the hashes in their tile, and that tile its root in the one above.

        Each tile above is checked against the next when its last tile below is. Together with the root, which is
        checked against the signed one, this covers every bit that is published.
        """
        width = tile_width(0, tile_index, self.size)
        hashes = self.tile(0, tile_index, width)
        if b"".join(map(leaf_hash, self.bundle(tile_index, width))) != hashes:
            raise LedgerError(f"{tile_path(None, tile_index, width)} holds other entries than were hashed.")
        level = 0
        while tile_width(level, tile_index, self.size) == TILE_WIDTH:
            above, place = divmod(tile_index, TILE_WIDTH)
            root = tile_root(self.tile(level, tile_index, TILE_WIDTH))
            parent = self.tile(level + 1, above, tile_width(level + 1, above, self.size))
            if parent[place * HASH_BYTES : (place + 1) * HASH_BYTES] != root:
                raise LedgerError(f"{tile_path(level, tile_index)} is not the tile that was hashed.")
            if place != TILE_WIDTH - 1:
                return
            level, tile_index = level + 1, above
