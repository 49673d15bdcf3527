"""What the API answers about proofs. Hashes are base64, in the order of the proof; checkpoints are signed notes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyShown:
    """Why the ledger of `size` entries, over which `checkpoint` is, only appended to that of `old` entries."""

    old: int
    size: int
    hashes: tuple[str, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryShown:
    """The entry of that number as it lies in the ledger, and its audit path to the root in `checkpoint`."""

    number: int
    content: str
    hashes: tuple[str, ...]
    checkpoint: str
