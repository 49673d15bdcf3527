"""A change of the ledger's signing key: one statement, signed by the old key and by the new one.

    sojourn/key-rotation/v1
    from 20852163
    old sojourn.example/ledger+0337b7a0+AX…
    new sojourn.example/ledger+9a1c55e2+Af…

    — sojourn.example/ledger Az3grl…
    — sojourn.example/ledger mhxV4p…

Checkpoints of up to `from` entries are the old key's, larger ones the new one's; the old key may sign those too, beside
the new one. The statements of a ledger form a chain: who trusts one key of it trusts each of the others for its sizes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import checkpoint as checkpoints
from . import note as notes
from .checkpoint import Checkpoint
from .errors import LedgerError
from .note import Signer, Verifier

_TEXT = re.compile(r"sojourn/key-rotation/v1\nfrom ([0-9]{1,19})\nold (\S+)\nnew (\S+)\n")
_STATEMENT = re.compile(r"sojourn/key-rotation/v1\n(?:[^\n]+\n)*\n(?:—[^\n]+\n)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """From `size` entries on it is the turn of the key `new`, which follows `old`. Both have the ledger's name."""

    size: int
    old: Verifier
    new: Verifier

    def format(self) -> str:
        """The text that both keys sign."""
        return f"sojourn/key-rotation/v1\nfrom {self.size}\nold {self.old.vkey()}\nnew {self.new.vkey()}\n"


def sign(size: int, old: Signer, new: Signer) -> str:
    """The statement that after `size` entries `new` follows `old`. Raises what either key raises."""
    return notes.sign(Rotation(size=size, old=old.verifier(), new=new.verifier()).format(), (old, new))


def parse(statement: str) -> Rotation:
    """Read a statement and check both signatures. Raises LedgerError."""
    text, _ = notes.split(statement)
    match = _TEXT.fullmatch(text)
    if match is None:
        raise LedgerError("This is no statement of a change of keys.")
    found = Rotation(size=checkpoints.parse_size(match[1]), old=Verifier.parse(match[2]), new=Verifier.parse(match[3]))
    if found.old.name != found.new.name or found.old == found.new or found.format() != text:
        raise LedgerError("A change of keys is between two keys of one name.")
    for key in (found.old, found.new):
        notes.open(statement, (key,))
    return found


def split(content: str) -> tuple[str, ...]:
    """The statements that stand one behind the other in a file `rotations`. Raises LedgerError for anything else."""
    found = tuple(_STATEMENT.findall(content))
    if "".join(found) != content:
        raise LedgerError("There is more than changes of keys.")
    return found


def follow(statements: Iterable[str]) -> tuple[Rotation, ...]:
    """The chain that all statements of a ledger form. Raises LedgerError when they form none."""
    chain: list[Rotation] = []
    for statement in statements:
        one = parse(statement)
        if chain and (one.old != chain[-1].new or one.size <= chain[-1].size):
            raise LedgerError("A change of keys does not follow from the one before it.")
        if one.new in [key for before in chain for key in (before.old, before.new)]:
            raise LedgerError("A key that was the ledger's before is its key again.")
        chain.append(one)
    return tuple(chain)


def open_checkpoint(note: str, trusted: Verifier, chain: Sequence[Rotation]) -> Checkpoint:
    """The checkpoint in a note that was signed by the key whose turn it is at its size.

    `trusted` is any key of the chain; one that is not in it stands for itself. Raises LedgerError.
    """
    keys = [*(one.old for one in chain[:1]), *(one.new for one in chain)]
    if trusted not in keys:
        return checkpoints.open(note, trusted)
    size = checkpoints.parse(notes.split(note)[0]).size
    return checkpoints.open(note, keys[sum(size > one.size for one in chain)])
