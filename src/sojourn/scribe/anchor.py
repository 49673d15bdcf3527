"""Anchors: checkpoints that lie apart from the store, so that a rolled-back or rewritten one is noticed.

One is a file of the scribe's own. Others are what somebody else has seen: a published folder, a locked bucket, a
witness. They are read by whoever starts the scribe.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A verified checkpoint of this ledger that lies at `place`."""

    place: str
    checkpoint: Checkpoint


def read_anchor(path: Path, verifier: Verifier) -> Checkpoint | None:
    """The checkpoint in the file; None if there is no such file yet. Raises LedgerError for anything else in it."""
    try:
        return checkpoints.open(path.read_bytes().decode(), verifier)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise LedgerError("it is no text.") from error


def write_anchor(path: Path, note: str) -> None:
    """Replace the file with a new checkpoint, durably and never half."""
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
