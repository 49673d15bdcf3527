"""What a log sends to a witness (C2SP tlog-witness, add-checkpoint): the new checkpoint and why it extends the old.

old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
(…one line for each hash of the consistency proof, at most 63…)

(the signed checkpoint, as it is)
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HASH_BYTES

HASHES_MAX = 63
BYTES_MAX = 65_536
"""Proof lines are 45 bytes each; the rest holds a checkpoint with more signatures than any log here has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A checkpoint that asks for a cosignature, the size of the last one that was cosigned, and the proof between.

    `text` is what the log signed; it may have lines after the three of `checkpoint`, about which a witness says
    nothing. Nothing in a submission is true before it is judged.
    """

    old: int
    proof: tuple[bytes, ...]
    note: str
    text: str
    checkpoint: Checkpoint

    def format(self) -> bytes:
        """The body of the HTTP request."""
        lines = [f"old {self.old}", *(b64encode(item).decode() for item in self.proof)]
        return ("\n".join(lines) + f"\n\n{self.note}").encode()


def submit(note: str, *, old: int, proof: tuple[bytes, ...]) -> Submission:
    """The submission of a signed checkpoint. Raises LedgerError when `note` is not one."""
    text, _ = notes.split(note)
    return Submission(old=old, proof=proof, note=note, text=text, checkpoint=read_checkpoint(text))


def parse(body: bytes) -> Submission:
    """Read the body of a request. Raises LedgerError for anything that is not a submission."""
    if len(body) > BYTES_MAX:
        raise LedgerError(f"A submission has at most {BYTES_MAX} bytes.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise LedgerError("A submission is valid UTF-8.") from error
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    first = lines.pop(0)
    if not gap or not first.startswith("old "):
        raise LedgerError("A submission is a line `old <size>`, proof lines, an empty line, and a checkpoint.")
    if len(lines) > HASHES_MAX:
        raise LedgerError(f"A consistency proof has at most {HASHES_MAX} hashes.")
    proof = tuple(notes.decode_base64(line) for line in lines)
    if any(len(item) != HASH_BYTES for item in proof):
        raise LedgerError("Each hash of a proof has 32 bytes.")
    return submit(note, old=checkpoints.parse_size(first.removeprefix("old ")), proof=proof)


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text begins with; a log may have put lines of its own after it."""
    lines = text.split("\n")
    return checkpoints.parse("\n".join(lines[:3]) + "\n")
