"""The tree: the published RFC 6962 vectors, and an oracle written from the recursive definitions of the RFC."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import merkle
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import EMPTY_ROOT, Tree

# Inputs, roots and proofs of Certificate Transparency's and transparency-dev's own tests.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
NODE_01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
NODE_23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
NODE_45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
NODE_67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
NODE_03 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
NODE_47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
LEAF_0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
INCLUSION = [
    (0, 1, []), (0, 8, [LEAF_1, NODE_23, NODE_47]), (5, 8, [LEAF_4, NODE_67, NODE_03]), (2, 3, [NODE_01]),
    (1, 5, [LEAF_0, NODE_23, LEAF_4]),
]  # fmt: skip
CONSISTENCY = [
    (1, 1, []), (1, 8, [LEAF_1, NODE_23, NODE_47]), (6, 8, [NODE_45, NODE_67, NODE_03]), (2, 5, [NODE_23, LEAF_4]),
]  # fmt: skip
SIZES = st.integers(0, 70) | st.sampled_from([127, 128, 129, 255, 256, 257, 511, 512, 513])


# --- The oracle: RFC 6962 sections 2.1, 2.1.1 and 2.1.2, sentence by sentence ---------------------------------------


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(data: list[bytes]) -> bytes:
    if not data:
        return sha256().digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def path(m: int, data: list[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*path(m, data[:k]), mth(data[k:])]
    return [*path(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: list[bytes], whole: bool) -> list[bytes]:
    if m == len(data):
        return [] if whole else [mth(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], whole), mth(data[k:])]
    return [*subproof(m - k, data[k:], False), mth(data[:k])]


# --- Tests ----------------------------------------------------------------------------------------------------------


def leaves_of(data: list[bytes]) -> list[bytes]:
    return [merkle.leaf_hash(item) for item in data]


def numbers(size: int) -> list[bytes]:
    return [n.to_bytes(4, "big") for n in range(size)]


def reader(leaves: list[bytes]) -> merkle.HashReader:
    def read(level: int, index: int) -> bytes:
        part = leaves[index << level : (index + 1) << level]
        assert len(part) == 1 << level, "only complete subtrees are asked for"
        return merkle.recompute_root(part)

    return read


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots_come_out_of_every_way(size: int) -> None:
    leaves = leaves_of(INPUTS[:size])
    tree = Tree()
    tree.extend(leaves)
    assert tree.root().hex() == merkle.recompute_root(leaves).hex() == mth(INPUTS[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Tree().root().hex() == merkle.recompute_root([]).hex() == EMPTY_ROOT.hex() == expected


@pytest.mark.parametrize(("index", "size", "published"), INCLUSION)
def test_the_published_inclusion_proofs_come_out_and_verify(index: int, size: int, published: list[str]) -> None:
    leaves = leaves_of(INPUTS)
    proof = merkle.inclusion_proof(index, size, reader(leaves[:size]))
    assert [item.hex() for item in proof] == published
    root = bytes.fromhex(ROOTS[size - 1])
    merkle.verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root)


@pytest.mark.parametrize(("old", "new", "published"), CONSISTENCY)
def test_the_published_consistency_proofs_come_out_and_verify(old: int, new: int, published: list[str]) -> None:
    proof = merkle.consistency_proof(old, new, reader(leaves_of(INPUTS[:new])))
    assert [item.hex() for item in proof] == published
    old_root, new_root = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    merkle.verify_consistency(old=old, new=new, old_root=old_root, new_root=new_root, proof=proof)


@given(SIZES, st.data())
def test_trees_and_inclusion_proofs_are_those_of_the_definition(size: int, data: st.DataObject) -> None:
    items = numbers(size)
    leaves = leaves_of(items)
    tree = Tree()
    cut = data.draw(st.integers(0, size))
    tree.extend(leaves[:cut])
    for leaf in leaves[cut:]:
        tree.append(leaf)
    assert tree.root() == merkle.recompute_root(leaves) == mth(items) and tree.size == size
    if size:
        index = data.draw(st.integers(0, size - 1))
        proof = merkle.inclusion_proof(index, size, reader(leaves))
        assert proof == path(index, items)
        merkle.verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=tree.root())


@given(st.integers(1, 300), st.data())
def test_consistency_proofs_are_those_of_the_definition(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    items = numbers(new)
    proof = merkle.consistency_proof(old, new, reader(leaves_of(items)))
    assert proof == subproof(old, items, True)
    merkle.verify_consistency(old=old, new=new, old_root=mth(items[:old]), new_root=mth(items), proof=proof)


@given(st.integers(1, 40), st.data())
def test_a_wrong_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(numbers(size))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, reader(leaves))
    root = merkle.recompute_root(leaves)
    wrong: list[dict[str, object]] = [
        {"leaf": merkle.leaf_hash(b"another")},
        {"root": bytes(32)},
        {"proof": [*proof, bytes(32)]},
        {"index": size},
        {"index": -1},
        {"size": 0},
        {"leaf": b"short"},
    ]
    wrong += [{"index": other} for other in range(size) if other != index]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        wrong += [{"proof": proof[:-1]}, {"proof": [*proof[:place], bytes(32), *proof[place + 1 :]]}, {"proof": [b"x"]}]
    right: dict[str, object] = {"leaf": leaves[index], "index": index, "size": size, "proof": proof, "root": root}
    for change in wrong:
        with pytest.raises(LedgerError):
            merkle.verify_inclusion(**right | change)  # type: ignore[arg-type]


@given(st.integers(2, 40), st.data())
def test_a_wrong_consistency_proof_is_refused(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    items = numbers(new)
    proof = merkle.consistency_proof(old, new, reader(leaves_of(items)))
    place = data.draw(st.integers(0, len(proof) - 1))
    right: dict[str, object] = {
        "old": old, "new": new, "old_root": mth(items[:old]), "new_root": mth(items), "proof": proof,
    }  # fmt: skip
    wrong: list[dict[str, object]] = [
        {"old_root": bytes(32)},
        {"new_root": bytes(32)},
        {"old": new + 1},
        {"old": -1},
        {"proof": []},
        {"proof": proof[:-1]},
        {"proof": [*proof, bytes(32)]},
        {"proof": [*proof[:place], bytes(32), *proof[place + 1 :]]},
        {"old": new},
        {"old": 0},
    ]
    for change in wrong:
        with pytest.raises(LedgerError):
            merkle.verify_consistency(**right | change)  # type: ignore[arg-type]


def test_consistency_from_nothing_and_with_itself_needs_no_proof() -> None:
    root = mth(numbers(5))
    merkle.verify_consistency(old=0, new=5, old_root=EMPTY_ROOT, new_root=root, proof=[])
    merkle.verify_consistency(old=5, new=5, old_root=root, new_root=root, proof=[])
    with pytest.raises(LedgerError, match="rewritten"):
        merkle.verify_consistency(old=5, new=5, old_root=bytes(32), new_root=root, proof=[])
    with pytest.raises(LedgerError, match="rewritten"):
        merkle.verify_consistency(old=0, new=5, old_root=root, new_root=root, proof=[])
    assert merkle.consistency_proof(0, 5, reader([])) == merkle.consistency_proof(5, 5, reader([])) == []


@given(st.integers(0, 200), st.integers(0, 60))
def test_a_tree_read_back_from_its_subtrees_grows_like_the_first(size: int, more: int) -> None:
    leaves = leaves_of(numbers(size + more))
    tree = merkle.tree_at(size, reader(leaves[:size]))
    kept = tree.copy()
    assert tree.root() == mth(numbers(size))
    tree.extend(leaves[size:])
    assert tree.root() == mth(numbers(size + more))
    assert (kept.size, kept.root()) == (size, mth(numbers(size))), "a copy is not changed by the growth of its source"


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_large_trees_agree_on_both_ways(size: int) -> None:
    leaves = leaves_of(numbers(size))
    tree = Tree()
    tree.extend(leaves)
    assert tree.root() == merkle.recompute_root(leaves) == mth(numbers(size))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, 2**63)])
def test_a_proof_of_a_place_that_is_not_there_is_refused(index: int, size: int) -> None:
    with pytest.raises(LedgerError):
        merkle.inclusion_proof(index, size, reader([]))


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5), (1, 2**63)])
def test_a_proof_of_an_impossible_growth_is_refused(old: int, new: int) -> None:
    with pytest.raises(LedgerError):
        merkle.consistency_proof(old, new, reader([]))
    with pytest.raises(LedgerError):
        merkle.tree_at(-1, reader([]))
