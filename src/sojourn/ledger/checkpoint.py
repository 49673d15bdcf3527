"""Checkpoints (C2SP tlog-checkpoint): the signed statement "at this size, the tree has this root".

    sojourn.example/ledger
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — sojourn.example/ledger Az3grl…

The first line, the *origin*, names the ledger and is also the name of the key that signs. Lines after the
third are refused: this ledger never writes any, and nobody could say what signing them meant.
"""

import re
from base64 import b64encode
from dataclasses import dataclass

from sojourn.ledger import note as notes
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HASH_BYTES, MAX_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of a tree: whose it is, how many entries it has, and the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def format(self) -> str:
        """Return the three lines that are signed. Raises LedgerError if a field breaks the form."""
        text = f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"
        if parse(text) != self:
            raise LedgerError("This checkpoint cannot be written down.")
        return text


def parse(text: str) -> Checkpoint:
    """Read the three lines of an opened note; raise LedgerError for any other text."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise LedgerError("A checkpoint is three lines: origin, size, root.")
    origin, size, root = lines[0], parse_size(lines[1]), notes.decode_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise LedgerError("The root of a checkpoint has 32 bytes.")
    return Checkpoint(origin=origin, size=size, root=root)


def parse_size(text: str) -> int:
    """Read a decimal number without sign or leading zeros, at most 2**63 - 1."""
    if _SIZE.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise LedgerError(f"{text[:40]!a} is not a tree size or index.")
    return int(text)


def sign(checkpoint: Checkpoint, *keys: notes.LineSigner) -> str:
    """Return the note, signed by each key. The name of each has to be the origin."""
    for key in keys:
        if key.name != checkpoint.origin:
            raise LedgerError(f"The key of {key.name!a} does not sign for {checkpoint.origin!a}.")
    return notes.sign(checkpoint.format(), keys)


def open(note: str, *verifiers: notes.Verifier) -> Checkpoint:  # noqa: A001 - the counterpart of `note.open`
    """Return the checkpoint in a note that one of the ledger's keys signed; raise LedgerError if none did."""
    opened = notes.open(note, verifiers)
    checkpoint = parse(opened.text)
    if checkpoint.origin not in opened.names:
        raise LedgerError(f"This checkpoint is of {checkpoint.origin[:60]!a}, not of {opened.names[0]!a}.")
    return checkpoint
