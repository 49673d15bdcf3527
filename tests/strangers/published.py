"""A ledger as static files, and questions about it with proofs of our own."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle, tiles
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import HASH_BYTES
from sojourn.ledger.note import SigningKey
from sojourn.ledger.tiles import TILE_WIDTH, tile_width

KEY = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))


@dataclass(frozen=True, slots=True)
class Published:
    """Entries, their leaf hashes, and the tiles over them by level."""

    entries: list[bytes]
    levels: list[list[bytes]]

    @classmethod
    def of(cls, size: int) -> Published:
        """A ledger of so many small entries."""
        entries = [f'{{"n":{n}}}'.encode() for n in range(size)]
        levels = [[merkle.leaf_hash(entry) for entry in entries]]
        while len(levels[-1]) >= TILE_WIDTH:
            below = levels[-1]
            full = range(0, len(below) - len(below) % TILE_WIDTH, TILE_WIDTH)
            levels.append([tiles.tile_root(b"".join(below[start : start + TILE_WIDTH])) for start in full])
        return cls(entries, levels)

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.entries)

    def read(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree, by way of the tiles."""
        return tiles.hash_reader(self.size, self._tile)(level, index)

    def root(self, size: int) -> bytes:
        """The root of the first `size` entries."""
        return merkle.root_of_range(0, size, self.read)

    def write(self, folder: Path) -> None:
        """Put it into a folder (C2SP tlog-tiles)."""
        for level, hashes in enumerate(self.levels):
            for start in range(0, len(hashes), TILE_WIDTH):
                part = hashes[start : start + TILE_WIDTH]
                _put(folder / tiles.tile_path(level, start // TILE_WIDTH, len(part)), b"".join(part))
        for start in range(0, self.size, TILE_WIDTH):
            bundle = self.entries[start : start + TILE_WIDTH]
            _put(folder / tiles.tile_path(None, start // TILE_WIDTH, len(bundle)), tiles.encode_bundle(bundle))
        head = Checkpoint(origin=KEY.name, size=self.size, root=self.root(self.size))
        _put(folder / "checkpoint", checkpoints.sign(head, KEY).encode())

    def questions(self, places: list[int]) -> dict[str, Any]:
        """What the stranger is to prove, and what we prove to it, about these places."""
        inside = sorted({place for place in places if 0 <= place < self.size})
        olds = sorted({place for place in places if 1 <= place <= self.size})
        return {
            "indexes": inside,
            "olds": olds,
            "included": [
                {
                    "index": index,
                    "entry": b64encode(self.entries[index]).decode(),
                    "proof": _texts(merkle.inclusion_proof(index, self.size, self.read)),
                }
                for index in inside
            ],
            "extending": [
                {
                    "size": old,
                    "root": b64encode(self.root(old)).decode(),
                    "proof": _texts(merkle.consistency_proof(old, self.size, self.read)),
                }
                for old in olds
            ],
        }

    def _tile(self, level: int, tile_index: int, width: int) -> bytes:
        start = tile_index * TILE_WIDTH
        assert width <= tile_width(level, tile_index, self.size)
        tile = b"".join(self.levels[level][start : start + width])
        assert len(tile) == width * HASH_BYTES
        return tile


def ask(stranger: Path, folder: Path, questions: dict[str, Any], vkey: str = KEY.vkey()) -> dict[str, Any] | str:
    """What the stranger found, or what it said instead."""
    done = subprocess.run(
        [str(stranger), str(folder), vkey], input=json.dumps(questions), capture_output=True, text=True, timeout=300
    )
    found: dict[str, Any] = {} if done.returncode else json.loads(done.stdout)
    return found or done.stderr


def _texts(proof: list[bytes]) -> list[str]:
    return [b64encode(one).decode() for one in proof]


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
