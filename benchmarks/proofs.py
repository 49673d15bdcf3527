"""How large the proof of one entry is in a ledger of 100 million: a real proof, which verifies.

The tree is not that of a real ledger: only the 256 entries around each proven one are real, and every other subtree of
256 entries is stood for by a hash that nobody knows the entries of. Everything above them is computed as in any tree,
so the proof, its size and its verification are what they would be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger import proof as proofs
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.merkle import inclusion_proof, leaf_hash, node_hash, root_of_range
from sojourn.ledger.proof import Proof
from sojourn.ledger.tiles import TILE_HEIGHT, TILE_WIDTH
from sojourn.testing.scribe import KEY

from .figures import Figure

SIZE = 100_000_000
PLACES = (0, 73_894_123, SIZE - 1)
WITNESSES = 2
SECONDS = 1_767_000_000


def _entry(place: int) -> bytes:
    return b'{"seq":%d}' % place


class _Tree:
    """The hash of any complete subtree that a proof of one of the places needs."""

    def __init__(self, size: int, places: tuple[int, ...]) -> None:
        real = {place // TILE_WIDTH for place in places}
        self._real: dict[tuple[int, int], bytes] = {}
        for tile in real:
            self._expand(tile)
        self._levels = [
            [
                self._real[TILE_HEIGHT, tile] if tile in real else hashlib.sha256(b"tile %d" % tile).digest()
                for tile in range(size // TILE_WIDTH)
            ]
        ]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])

    def _expand(self, tile: int) -> None:
        hashes = [leaf_hash(_entry(place)) for place in range(tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH)]
        for level in range(TILE_HEIGHT + 1):
            first = tile << (TILE_HEIGHT - level)
            self._real.update({(level, first + number): one for number, one in enumerate(hashes)})
            hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)]

    def read(self, level: int, index: int) -> bytes:
        """Implements `merkle.Reader`."""
        return self._real[level, index] if level < TILE_HEIGHT else self._levels[level - TILE_HEIGHT][index]


def sizes(*, quick: bool) -> Iterator[Figure]:
    """The largest of a few, alone and with the cosignatures of two witnesses; each is verified as an auditor would."""
    size = SIZE // 100 // TILE_WIDTH * TILE_WIDTH if quick else SIZE
    places = tuple(min(place, size - 1) for place in PLACES)
    tree = _Tree(size, places)
    head = Checkpoint(origin=KEY.name, size=size, root=root_of_range(0, size, tree.read))
    note = checkpoints.sign(head, KEY)
    cosigned = note
    for number in range(WITNESSES):
        key = CosigningKey.generate(f"witness-{number}.example.com/w", bytes([number + 1]) * 32)
        line = key.cosign(head.format(), SECONDS)
        cosigned += line
        if not cosignatures.verify(cosigned, [key.cosigner()]):
            raise RuntimeError("a cosignature does not verify")
    for name, checkpoint in (("", note), (f" with {WITNESSES} cosignatures", cosigned)):
        largest = 0
        for place in places:
            proof = Proof(
                index=place, hashes=tuple(inclusion_proof(place, size, tree.read)), checkpoint_note=checkpoint
            )
            if (
                proofs.verify(proofs.parse(proof.format()), leaf=leaf_hash(_entry(place)), verifier=KEY.verifier())
                != head
            ):
                raise RuntimeError("a proof does not verify")
            largest = max(largest, len(proof.format().encode()))
        yield Figure(name=f"proof of an entry of {size:,}{name}", unit="bytes", value=largest)
