"""The Merkle tree of RFC 6962 section 2.1: why no entry can be changed, dropped or moved unnoticed.

- The hash of a leaf is SHA-256(0x00 || entry), of a node SHA-256(0x01 || left || right).
- The root of no leaves is SHA-256("").
- A tree of n leaves splits at the largest power of two below n.
- An *inclusion proof* leads from one leaf to the root: this entry is in the tree of this size.
- A *consistency proof* leads from an old root to a new one: the new tree only appended to the old.

Hashes are 32 raw bytes. A `HashReader` returns the hash of a *complete* subtree: `read(level, index)` covers
the leaves [index * 2**level, (index + 1) * 2**level). Complete subtrees never change, so they can be stored.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

from sojourn.ledger.errors import LedgerError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = sha256(b"").digest()

HashReader: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one leaf (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the hash of each leaf (RFC 6962 section 2.1)."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two subtrees (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A growing tree, kept as its frontier: one hash per complete subtree, at most 63 of them.

    `size` is the number of leaves. The frontier holds the largest subtree first; the bits of `size` are the
    widths.
    """

    size: int = 0
    frontier: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash on the right."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes on the right, in order."""
        frontier, size = self.frontier, self.size
        for leaf in leaves:
            carried, bits = leaf, size
            # Each trailing 1 of the size is a subtree as big as the one carried: the two become one.
            while bits & 1:
                carried = sha256(b"\x01" + frontier.pop() + carried).digest()
                bits >>= 1
            frontier.append(carried)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """Return the root of the tree as it is now (RFC 6962 section 2.1)."""
        return fold_right(self.frontier)

    def copy(self) -> "Tree":
        """Return an independent tree of the same leaves; costs at most 63 references."""
        return Tree(self.size, self.frontier.copy())


def fold_right(subtrees: Sequence[bytes]) -> bytes:
    """Return the root over adjacent complete subtrees, given largest (leftmost) first."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def recompute_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes by a second way, level by level, sharing nothing with `Tree`.

    Used on bytes read back from the store before a root is signed: a fault in one way is not signed.
    """
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        pairs = iter(level)
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def tree_at(size: int, read: HashReader) -> Tree:
    """Return the tree of the first `size` leaves from stored subtrees, ready to grow (at most 63 reads)."""
    if not 0 <= size <= MAX_SIZE:
        raise LedgerError(f"{size} is not a tree size.")
    return Tree(size, [read(level, index) for level, index in _complete_subtrees(0, size)])


def root_of_range(start: int, end: int, read: HashReader) -> bytes:
    """Return MTH(D[start:end]) from stored subtrees, for a range that is a subtree of some tree."""
    return fold_right([read(level, index) for level, index in _complete_subtrees(start, end)])


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """Return the audit path of leaf `index` in a tree of `size` leaves, leaf side first (RFC 6962, 2.1.1)."""
    if not 0 <= index < size <= MAX_SIZE:
        raise LedgerError(f"There is no entry {index} in a tree of {size}.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root_of_range(middle, end, read))
            end = middle
        else:
            path.append(root_of_range(start, middle, read))
            start = middle
    path.reverse()
    return path


def consistency_proof(old: int, new: int, read: HashReader) -> list[bytes]:
    """Return the proof that the tree of `new` leaves extends the tree of `old` leaves (RFC 6962, 2.1.2).

    It is empty for equal sizes, and for an empty old tree, which every tree extends.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise LedgerError(f"A tree of {new} cannot extend a tree of {old}.")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, wanted_is_whole = 0, new, True
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(root_of_range(middle, end, read))
            end = middle
        else:
            path.append(root_of_range(start, middle, read))
            start, wanted_is_whole = middle, False
    if not wanted_is_whole:
        path.append(root_of_range(start, end, read))
    path.reverse()
    return path


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise LedgerError unless `proof` shows leaf hash `leaf` at `index` of the tree with `size` and `root`.

    RFC 9162 section 2.1.3.2, the stricter text for the same proof as RFC 6962.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise LedgerError(f"There is no entry {index} in a tree of {size}.")
    _check_hashes(leaf, root, *proof)
    position, last, running = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise LedgerError("The inclusion proof is too long.")
        if position & 1 or position == last:
            running = node_hash(sibling, running)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            running = node_hash(running, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise LedgerError("The inclusion proof is too short.")
    if running != root:
        raise LedgerError("The inclusion proof does not lead to the root.")


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise LedgerError unless `proof` shows that the new tree only appended to the old one.

    RFC 9162 section 2.1.4.2; a proof for equal sizes or from the empty tree is empty.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise LedgerError(f"A tree of {new} cannot extend a tree of {old}.")
    _check_hashes(old_root, new_root, *proof)
    if old in (0, new):
        if proof:
            raise LedgerError("This consistency proof has to be empty.")
        if old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise LedgerError("Two roots of the same size differ: the history was rewritten.")
        return
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise LedgerError("The consistency proof is too short.")
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    running_old = running_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise LedgerError("The consistency proof is too long.")
        if position & 1 or position == last:
            running_old = node_hash(step, running_old)
            running_new = node_hash(step, running_new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            running_new = node_hash(running_new, step)
        position >>= 1
        last >>= 1
    if last:
        raise LedgerError("The consistency proof is too short.")
    if running_old != old_root or running_new != new_root:
        raise LedgerError("The new tree does not extend the old one: the history was rewritten.")


def _split(width: int) -> int:
    """Return the largest power of two below `width`, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Return (level, index) of the complete subtrees that make up a subtree range, largest first."""
    subtrees: list[tuple[int, int]] = []
    while start < end:
        level = (end - start).bit_length() - 1
        subtrees.append((level, start >> level))
        start += 1 << level
    return subtrees


def _check_hashes(*hashes: bytes) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise LedgerError("A hash has 32 bytes.")
