"""Tiles: C2SP tlog-tiles' arithmetic, paths and bundles, and proofs read from tiles alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import merkle, tiles
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HASH_BYTES


class TileStore:
    """Every tile of a tree, built the way the specification says, and a count of what was read."""

    def __init__(self, size: int) -> None:
        self.levels = [[merkle.leaf_hash(n.to_bytes(4, "big")) for n in range(size)]]
        while len(self.levels[-1]) >= 256:
            below = self.levels[-1]
            full = range(0, len(below) - 255, 256)
            self.levels.append([merkle.recompute_root(below[start : start + 256]) for start in full])
        self.read: list[tuple[int, int, int]] = []

    def __call__(self, level: int, tile_index: int, width: int) -> bytes:
        self.read.append((level, tile_index, width))
        return b"".join(self.levels[level][tile_index * 256 : tile_index * 256 + width])


def test_the_specifications_example_of_70_000_entries() -> None:
    assert list(tiles.tiles_for(70_000)) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert tiles.tile_width(0, 272, 70_000) == 256 and tiles.tile_width(0, 274, 70_000) == 0
    assert list(tiles.tiles_for(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles.tiles_for(0)) == []


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 1234067, 256, "tile/0/x001/x234/067"), (0, 0, 256, "tile/0/000"), (1, 0, 17, "tile/1/000.p/17"),
        (None, 999, 256, "tile/entries/999"), (None, 1000, 1, "tile/entries/x001/000.p/1"),
        (63, 255, 255, "tile/63/255.p/255"),
    ],
)  # fmt: skip
def test_the_path_of_a_tile(level: int | None, index: int, width: int, path: str) -> None:
    assert tiles.tile_path(level, index, width) == path
    assert tiles.parse_tile_path(path) == (level, index, width)


@given(st.none() | st.integers(0, 63), st.integers(0, 2**63), st.integers(1, 256))
def test_every_path_reads_back(level: int | None, index: int, width: int) -> None:
    assert tiles.parse_tile_path(tiles.tile_path(level, index, width)) == (level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/0", "tile/00/000", "tile/0/0", "tile/0/001/000", "tile/0/x000/001", "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01", "tile/64/000", "tile/-1/000", "tile/0/000.p", "/tile/0/000", "tile/0/000\n", "tile/data/000",
        "tile/0/../000", "tile/0/" + "x999/" * 20 + "999", "tile/0/\u0660\u0660\u0660",
    ],
)  # fmt: skip
def test_another_path_is_refused(path: str) -> None:
    with pytest.raises(LedgerError):
        tiles.parse_tile_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(0, -1, 1), (0, 0, 0), (0, 0, 257), (64, 0, 1), (-1, 0, 1)])
def test_a_tile_that_cannot_be_has_no_path(level: int, index: int, width: int) -> None:
    with pytest.raises(LedgerError):
        tiles.tile_path(level, index, width)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_proofs_read_from_tiles_are_those_of_the_tree(size: int) -> None:
    store = TileStore(size)
    leaves = store.levels[0]
    root = merkle.recompute_root(leaves)
    for index in sorted({0, size // 2, size - 1, min(255, size - 1)}):
        store.read.clear()
        proof = merkle.inclusion_proof(index, size, tiles.hash_reader(size, store))
        merkle.verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root)
        assert len(store.read) == len(set(store.read)) <= 6, "a proof needs few tiles, each read once"
    for old in sorted({1, size // 2, size - 1} - {0}):
        proof = merkle.consistency_proof(old, size, tiles.hash_reader(size, store))
        old_root = merkle.recompute_root(leaves[:old])
        merkle.verify_consistency(old=old, new=size, old_root=old_root, new_root=root, proof=proof)
    assert merkle.tree_at(size, tiles.hash_reader(size, store)).root() == root


@given(st.integers(1, 1500), st.data())
def test_proofs_from_tiles_verify_at_any_size(size: int, data: st.DataObject) -> None:
    store = TileStore(size)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, tiles.hash_reader(size, store))
    root = merkle.recompute_root(store.levels[0])
    merkle.verify_inclusion(leaf=store.levels[0][index], index=index, size=size, proof=proof, root=root)


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_each_tile_becomes_full_exactly_once(first: int, second: int) -> None:
    middle, end = sorted((first, second))
    steps = [*tiles.tiles_completed(0, middle), *tiles.tiles_completed(middle, end)]
    assert sorted(steps) == sorted(tiles.tiles_completed(0, end))
    assert all(tiles.tile_width(level, index, end) == 256 for level, index in steps)
    assert len(steps) == end // 256 + end // 65_536


def test_a_full_tile_adds_one_hash_to_the_level_above() -> None:
    store = TileStore(600)
    assert tiles.tile_root(store(0, 1, 256)) == store.levels[1][1]
    with pytest.raises(LedgerError, match="full tile"):
        tiles.tile_root(store(0, 2, 88))
    with pytest.raises(LedgerError):
        tiles.split_hashes(bytes(33))


def test_a_reader_refuses_a_tile_of_the_wrong_length_and_a_subtree_that_is_not_there() -> None:
    with pytest.raises(LedgerError, match="does not hold"):
        tiles.hash_reader(10, lambda level, index, width: bytes(HASH_BYTES))(0, 3)
    for level, index in ((0, 10), (3, 1), (8, 0)):
        with pytest.raises(LedgerError, match="no complete subtree"):
            tiles.hash_reader(10, TileStore(10))(level, index)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=256))
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    bundle = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(bundle) == entries
    with pytest.raises(LedgerError):
        tiles.decode_bundle(bundle + b"\x00")


def test_a_bundle_has_its_limits() -> None:
    assert tiles.encode_bundle([b"ab", b""]) == b"\x00\x02ab\x00\x00"
    assert tiles.decode_bundle(tiles.encode_bundle([bytes(65_535)])) == [bytes(65_535)]
    for entries in ([], [b""] * 257, [bytes(65_536)]):
        with pytest.raises(LedgerError):
            tiles.encode_bundle(entries)
    for bundle in (b"", b"\x00", b"\x00\x02a", b"\x00\x00" * 257):
        with pytest.raises(LedgerError):
            tiles.decode_bundle(bundle)


@given(st.binary(max_size=600))
def test_garbage_raises_only_the_error_of_the_ledger(data: bytes) -> None:
    try:
        entries = tiles.decode_bundle(data)
    except LedgerError:
        return
    assert tiles.encode_bundle(entries) == data


@given(st.text(max_size=40))
def test_a_garbage_path_raises_only_the_error_of_the_ledger(path: str) -> None:
    with pytest.raises(LedgerError):
        tiles.parse_tile_path(path)
