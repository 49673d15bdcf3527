"""Verifies a ledger that lies in PostgreSQL, where the offline verifier, which reads files, does not come.

Every entry is read and hashed anew, has its place and the next version of its stream, and the roots over them are those
of the last checkpoint and of the anchor. The tiles are checked by each start of a scribe, and in the published folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import Tree, leaf_hash
from sojourn.ledger.note import Verifier
from sojourn.scribe.anchor import read_anchor

from .kept import PAGE, Kept
from .verifying import Verdict

TARGET = "PostgreSQL database"


@dataclass(slots=True)
class _Walk:
    """How far the entries have been gone through."""

    kept: Kept
    tree: Tree = field(default_factory=Tree)
    versions: dict[str, int] = field(default_factory=dict)
    size: int = 0

    def to(self, end: int) -> None:
        """Take in the entries before `end`. Raises LedgerError for one that is not what it has to be."""
        while self.size < end:
            page = list(self.kept.source.hashed(self.size, min(self.size + PAGE, end)))
            if not page:
                raise LedgerError(f"entries {self.size} to {end - 1} are missing")
            self.tree.extend([self._leaf(*one) for one in page])

    def _leaf(self, seq: int, leaf: bytes, data: bytes) -> bytes:
        one = entries.parse(data)
        if not seq == one.seq == self.size or leaf_hash(data) != leaf:
            raise LedgerError(f"entry {self.size} was altered, moved or removed")
        if one.version != self.versions.get(one.stream, 0) + 1:
            raise LedgerError(f"entry {seq} is version {one.version} of {one.stream}, which is not the next")
        self.versions[one.stream], self.size = one.version, seq + 1
        return leaf


def verify_database(kept: Kept, key: Verifier, anchor: Path) -> Verdict:
    """What is wrong with the entries, if anything is. Raises SojournError `record.unavailable`."""
    walk, signed, problem = _Walk(kept), None, ""
    try:
        heads = sorted(_heads(kept, key, anchor), key=lambda one: one.size)
        signed = heads[-1].size
        for head in heads:
            walk.to(head.size)
            if walk.tree.root() != head.root:
                raise LedgerError(f"the first {head.size} entries are not those that were signed")
        walk.to(kept.size())
    except LedgerError as error:
        problem = str(error)
    except SojournError as error:
        problem = error.refusal.sentence
    found = ({"code": "database.altered", "where": TARGET, "text": problem.rstrip(".")},) if problem else ()
    checked = {"entries": walk.size, "entries not yet signed": max(0, walk.size - (signed or 0))}
    return Verdict(target=TARGET, size=signed, checked=checked, problems=found)


def _heads(kept: Kept, key: Verifier, anchor: Path) -> Iterator[Checkpoint]:
    """The last checkpoint in the database, and the one that is kept apart from it."""
    last = kept.last_checkpoint()
    if last is None:
        raise LedgerError("nothing is signed yet")
    yield checkpoints.open(last[1], key)
    anchored = read_anchor(anchor, key)
    if anchored is not None:
        yield anchored
