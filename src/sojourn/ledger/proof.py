"""Proof files (C2SP tlog-proof v1): one entry's place in the ledger, checkable offline with only the vkey.

    c2sp.org/tlog-proof@v1
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
    (…one line a hash, leaf side first…)

    (the signed checkpoint, as it is)

A line `extra <base64>` may stand before `index`. It is not covered by any signature and is never trusted.
"""

from base64 import b64encode
from dataclasses import dataclass

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import MAX_NOTE_BYTES, Verifier, decode_base64, split

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_PROOF_BYTES = MAX_NOTE_BYTES + 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The place of one entry: its index, the audit path from leaf to root, and the signed checkpoint."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint_note: str
    extra: bytes | None = None

    def format(self) -> str:
        """Return the text of the proof file."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines.extend(b64encode(item).decode() for item in self.hashes)
        return "\n".join([*lines, "", self.checkpoint_note])


def parse(text: str) -> Proof:
    """Read a proof file; raise LedgerError if its form is wrong. Nothing in it is true before `verify`."""
    if len(text) > MAX_PROOF_BYTES:
        raise LedgerError(f"The proof has more than {MAX_PROOF_BYTES} characters.")
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER:
        raise LedgerError(f"A proof file starts with {HEADER} and holds a checkpoint after an empty line.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise LedgerError("A proof file names the index of its entry.")
    index = checkpoints.parse_size(lines.pop(0).removeprefix("index "))
    if len(lines) > MAX_HASHES:
        raise LedgerError(f"A proof has at most {MAX_HASHES} hashes.")
    hashes = tuple(decode_base64(line) for line in lines)
    if any(len(item) != merkle.HASH_BYTES for item in hashes):
        raise LedgerError("Each hash of a proof has 32 bytes.")
    split(note)
    return Proof(index=index, hashes=hashes, checkpoint_note=note, extra=extra)


def verify(proof: Proof, *, leaf: bytes, verifier: Verifier) -> Checkpoint:
    """Return the checkpoint that `proof` leads to from leaf hash `leaf`; raise LedgerError if it does not."""
    checkpoint = checkpoints.open(proof.checkpoint_note, verifier)
    merkle.verify_inclusion(
        leaf=leaf, index=proof.index, size=checkpoint.size, proof=proof.hashes, root=checkpoint.root
    )
    return checkpoint
