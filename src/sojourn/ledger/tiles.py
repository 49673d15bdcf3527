"""Tiles: the tree cut into immutable pieces of 256 hashes (C2SP tlog-tiles), so any proof needs few reads.

A tile of level `l` and index `n` holds up to 256 hashes of 32 bytes. At level 0 they are leaf hashes; at
level `l` each is the root over 256**l leaves, that is, over one *full* tile of the level below. A partial
tile is the right edge of its level: it holds 1 to 255 hashes and is never hashed into the level above.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from sojourn.ledger.canonical import MAX_ENTRY_BYTES
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HASH_BYTES, HashReader, node_hash, recompute_root

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63 // TILE_HEIGHT

TileReader: TypeAlias = Callable[[int, int, int], bytes]
"""`read_tile(level, tile_index, width)` returns the first `width` hashes of a tile, 32 bytes each."""

_LENGTH = struct.Struct(">H")
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


def tile_width(level: int, tile_index: int, size: int) -> int:
    """Return how many hashes a tile holds in a tree of `size` leaves: 0 (no such tile) to 256 (full)."""
    hashes_in_level = size >> (TILE_HEIGHT * level)
    return max(0, min(TILE_WIDTH, hashes_in_level - tile_index * TILE_WIDTH))


def tiles_for(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, tile_index, width) of the rightmost tile of each level of a tree, lowest level first."""
    for level in range(MAX_LEVEL + 1):
        hashes_in_level = size >> (TILE_HEIGHT * level)
        if not hashes_in_level:
            return
        tile_index = (hashes_in_level - 1) // TILE_WIDTH
        yield level, tile_index, hashes_in_level - tile_index * TILE_WIDTH


def tiles_completed(old: int, new: int) -> Iterator[tuple[int, int]]:
    """Yield (level, tile_index) of each tile that became full while the tree grew from `old` to `new` leaves.

    A lower level comes before the higher one that is built from it.
    """
    for level in range(MAX_LEVEL + 1):
        shift = TILE_HEIGHT * (level + 1)
        if not new >> shift:
            return
        for tile_index in range(old >> shift, new >> shift):
            yield level, tile_index


def tile_root(hashes: bytes) -> bytes:
    """Return the root over a full tile's hashes: the one hash it adds to the level above."""
    if len(hashes) != TILE_WIDTH * HASH_BYTES:
        raise LedgerError("Only a full tile of 256 hashes is hashed into the level above.")
    return recompute_root(split_hashes(hashes))


def split_hashes(hashes: bytes) -> list[bytes]:
    """Return the hashes of a tile one by one."""
    if len(hashes) % HASH_BYTES:
        raise LedgerError(f"A tile of {len(hashes)} bytes does not hold whole hashes.")
    return [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]


def hash_reader(size: int, read_tile: TileReader) -> HashReader:
    """Return a reader of subtree hashes of a tree of `size` leaves, over a reader of tiles.

    Each tile is read once, and kept with what was hashed over it for the life of the reader: one proof, or one batch.
    """
    kept: dict[tuple[int, int], list[list[bytes]]] = {}

    def read(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        tile_index, offset = divmod(first, TILE_WIDTH)
        width = tile_width(tile_level, tile_index, size)
        if offset + (1 << height) > width:
            raise LedgerError(f"The tree of {size} has no complete subtree {index} at level {level}.")
        levels = kept.get((tile_level, tile_index))
        if levels is None:
            tile = read_tile(tile_level, tile_index, width)
            if len(tile) != width * HASH_BYTES:
                raise LedgerError(f"Tile {tile_index} of level {tile_level} does not hold {width} hashes.")
            levels = kept[tile_level, tile_index] = [split_hashes(tile)]
        while len(levels) <= height:
            pairs = iter(levels[-1])
            levels.append([node_hash(left, right) for left, right in zip(pairs, pairs, strict=False)])
        return levels[height][offset >> height]

    return read


def tile_path(level: int | None, tile_index: int, width: int = TILE_WIDTH) -> str:
    """Return where a tile is published, such as `tile/0/x001/x234/067` or `tile/1/000.p/17`.

    `level` is None for a bundle of entries (`tile/entries/…`).
    """
    if tile_index < 0 or not 1 <= width <= TILE_WIDTH or (level is not None and not 0 <= level <= 63):
        raise LedgerError(f"There is no tile {tile_index} of width {width} at level {level}.")
    digits = str(tile_index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    index = "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{'entries' if level is None else level}/{index}{partial}"


def parse_tile_path(path: str) -> tuple[int | None, int, int]:
    """Read what `tile_path` wrote: (level or None for entries, tile_index, width)."""
    match = _PATH.fullmatch(path)
    # 30 characters of index are far beyond 2**63 leaves and keep the integer small.
    if match is None or len(match["index"]) > 40:
        raise LedgerError(f"{path[:80]!a} is not the path of a tile.")
    level = None if match["level"] == "entries" else int(match["level"])
    tile_index = int(match["index"].replace("x", "").replace("/", ""))
    width = int(match["width"]) if match["width"] else TILE_WIDTH
    if (width == TILE_WIDTH) is not (match["width"] is None) or tile_path(level, tile_index, width) != path:
        raise LedgerError(f"{path[:80]!a} is not the path of a tile.")
    return level, tile_index, width


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return a bundle of up to 256 entries: each with its length before it, a big-endian uint16."""
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise LedgerError(f"A bundle holds 1 to 256 entries, not {len(entries)}.")
    try:
        return b"".join(chain.from_iterable(zip(map(_LENGTH.pack, map(len, entries)), entries, strict=True)))
    except struct.error as error:
        raise LedgerError(f"An entry has at most {MAX_ENTRY_BYTES} bytes.") from error


def decode_bundle(bundle: bytes) -> list[bytes]:
    """Read what `encode_bundle` wrote: 1 to 256 entries with nothing after them."""
    entries: list[bytes] = []
    position, end = 0, len(bundle)
    for _ in range(TILE_WIDTH):
        if position + 1 >= end:
            break
        start = position + 2
        position = start + (bundle[position] << 8 | bundle[position + 1])
        entries.append(bundle[start:position])
    if position != end:
        raise LedgerError("The bundle is cut short or holds more than 256 entries.")
    if not entries:
        raise LedgerError("The bundle is empty.")
    return entries
