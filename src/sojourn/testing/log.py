"""A small log in memory that signs, proves, and can be made to lie: what a witness is tested with."""

from __future__ import annotations

from dataclasses import dataclass, field

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.note import SigningKey

LOG_KEY = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))


@dataclass(slots=True)
class MemoryLog:
    """A log whose leaf `n` is the hash of the text `<history>-<n>`; another `history` from `forked_at` on is a fork."""

    key: SigningKey = LOG_KEY
    history: str = "a"
    forked_at: int = 0
    leaves: list[bytes] = field(default_factory=list)

    def grow(self, size: int) -> MemoryLog:
        """Have at least `size` leaves."""
        for n in range(len(self.leaves), size):
            told = self.history if n >= self.forked_at else "a"
            self.leaves.append(merkle.leaf_hash(f"{told}-{n}".encode()))
        return self

    def checkpoint(self, size: int) -> Checkpoint:
        """The checkpoint of the first `size` leaves."""
        self.grow(size)
        root = merkle.recompute_root(self.leaves[:size]) if size else merkle.EMPTY_ROOT
        return Checkpoint(origin=self.key.name, size=size, root=root)

    def note(self, size: int) -> str:
        """That checkpoint, signed."""
        return checkpoints.sign(self.checkpoint(size), self.key)

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """The consistency proof between two sizes."""
        self.grow(new)
        return tuple(merkle.consistency_proof(old, new, self._read))

    def _read(self, level: int, index: int) -> bytes:
        return merkle.recompute_root(self.leaves[index << level : (index + 1) << level])
