"""Files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from sojourn.errors import Code, SojournError


def write_private(path: Path, content: bytes) -> None:
    """Write `content` to `path` with mode 0600, durably; a crash leaves the old file or the new one."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def read_private(path: Path) -> bytes:
    """The content of a file of ours.

    Raises SojournError `data.directory_open` when others could read it, and OSError when it is not there.
    """
    if path.stat().st_mode & 0o077:
        raise SojournError(Code.DATA_DIRECTORY_OPEN, path=str(path))
    return path.read_bytes()
