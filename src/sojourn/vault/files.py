"""Files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from sojourn.errors import Code, SojournError

READ_BYTES_MAX = 1 << 20
"""No private file of ours is larger; reading stops there."""


def write_private(path: Path, content: bytes) -> None:
    """Write `content` to `path` with mode 0600, durably; a crash leaves the old file or the new one."""
    partial = _write_partial(path, content)
    partial.rename(path)
    _sync_directory(path.parent)


def create_private(path: Path, content: bytes) -> bool:
    """As `write_private`, but only if there is no such file yet; False (and nothing changed) if there is one.

    Of several processes that try at once exactly one succeeds, and none ever sees half a file.
    """
    partial = _write_partial(path, content)
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    finally:
        partial.unlink()
    _sync_directory(path.parent)
    return True


def read_private(path: Path) -> bytes:
    """The content of a file of ours.

    Raises SojournError `data.directory_open` when others could read it or could have written it, and OSError when
    it is not there.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(f"{path} is not a file")
        if found.st_mode & 0o077:
            raise SojournError(Code.DATA_DIRECTORY_OPEN, path=str(path))
        return file.read(READ_BYTES_MAX)


def _write_partial(path: Path, content: bytes) -> Path:
    """A new file beside `path` under a name of its own, already on disk. `mkstemp` makes it 0600 from the first."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        partial.unlink()
        raise
    return partial


def _sync_directory(directory: Path) -> None:
    """Without this a crash could forget the name of a file whose content is safe (fsync(2))."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
