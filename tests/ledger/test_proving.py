"""The tree that is read once comes to the same roots and proofs as the one that keeps everything."""

from __future__ import annotations

import hashlib

import pytest

from sojourn.ledger import merkle
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.proving import ProvingTree

LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(1100)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 768, 1000, 1024, 1100])
def test_every_leaf_of_a_tree_of_any_size_is_proven(size: int) -> None:
    tree = ProvingTree()
    for start in range(0, size, 100):
        tree.extend(LEAVES[start : min(start + 100, size)])
    root = merkle.recompute_root(LEAVES[:size])
    assert (tree.size, tree.root()) == (size, root)
    for index in {0, 1, size // 2, 254, 255, 256, 257, size - 2, size - 1} & set(range(size)):
        proof = tree.prove(index, lambda start, end: LEAVES[start:end])
        merkle.verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=root)


def test_a_place_that_the_tree_does_not_have_is_refused() -> None:
    tree = ProvingTree()
    tree.extend(LEAVES[:300])
    with pytest.raises(LedgerError):
        tree.prove(300, lambda start, end: LEAVES[start:end])


def test_leaves_that_cannot_be_read_again_prove_nothing() -> None:
    tree = ProvingTree()
    tree.extend(LEAVES[:300])
    with pytest.raises(LedgerError, match="cannot be read again"):
        tree.prove(3, lambda start, end: LEAVES[start : end - 1])


def test_an_empty_tree_has_the_root_of_no_leaves() -> None:
    assert ProvingTree().root() == merkle.EMPTY_ROOT
