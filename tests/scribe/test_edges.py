"""The tree that the scribe keeps is the tree of RFC 6962."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger.merkle import EMPTY_ROOT, Tree, recompute_root
from sojourn.ledger.tiles import tiles_completed
from sojourn.scribe.edges import Edges

LEAVES = [sha256(number.to_bytes(4, "big")).digest() for number in range(66_000)]


def test_the_tree_of_nothing_has_the_empty_root() -> None:
    assert Edges().root() == EMPTY_ROOT


@given(st.lists(st.integers(0, 700), max_size=8))
def test_the_root_does_not_depend_on_how_leaves_were_grouped(groups: list[int]) -> None:
    edges, tree, size = Edges(), Tree(), 0
    for count in groups:
        edges.extend(LEAVES[size : size + count])
        tree.extend(LEAVES[size : size + count])
        size += count
        assert edges.size == size
        assert edges.root() == tree.root() == recompute_root(LEAVES[:size])


def test_the_tiles_given_out_are_those_that_became_full() -> None:
    edges, given_out = Edges(), []
    for start in range(0, len(LEAVES), 1000):
        given_out += edges.extend(LEAVES[start : start + 1000])
    expected = [(level, index) for level, index in tiles_completed(0, len(LEAVES)) if level]
    assert sorted((level, index) for level, index, _ in given_out) == sorted(expected)
    level, index, hashes = given_out[0]
    assert (level, index) == (1, 0)
    assert hashes == b"".join(recompute_root(LEAVES[start : start + 256]) for start in range(0, 65_536, 256))
    assert edges.root() == recompute_root(LEAVES)
