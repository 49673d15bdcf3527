"""What is kept apart from the store, to notice one that was rolled back, rewritten, or lost what it had promised.

- The anchor is a copy of the last signed checkpoint, durable. Others are what somebody else has seen: a published
  folder, a locked bucket, a witness. They are read by whoever starts the scribe.
- The watermark is the last entry that this scribe acknowledged: exact, and not synced, since it only has to outlive
  the scribe and a store on another machine, not the machine itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
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
    # Without a buffer: closing one would write again what could not be written.
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        data = note.encode()
        while data:
            data = data[file.write(data) :]
        os.fsync(file.fileno())
    partial.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The ledger as the last acknowledgement left it: its size, and the leaf hash of its last entry."""

    size: int
    leaf: bytes


class Watermark:
    """The file of the last acknowledgement, open for writing."""

    def __init__(self, path: Path) -> None:
        """Open the file (0600), making it if it is not there."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self) -> Acknowledged | None:
        """What the file says; None for a new file, and for one that a power cut left half written."""
        data = os.pread(self._descriptor, 48, 0)
        if len(data) != 48 or sha256(data[:40]).digest()[:8] != data[40:]:
            return None
        return Acknowledged(size=int.from_bytes(data[:8], "big"), leaf=data[8:40])

    def write(self, size: int, leaf: bytes) -> None:
        """Replace it."""
        data = size.to_bytes(8, "big") + leaf
        os.pwrite(self._descriptor, data + sha256(data).digest()[:8], 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
