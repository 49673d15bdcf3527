"""Files that are whole and durable, or not there.

Each is written in a staging folder, made durable (fsync), and renamed to its place; the folders it came to lie in are
made durable by `settle`, before anything is published that depends on it. A reader never sees half a file, and a crash
leaves nothing but what the next `prepare` clears away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

STAGING = ".staging"
"""Below the folder, so that a rename stays within one file system. Web servers do not serve hidden files by habit."""


@dataclass(slots=True)
class Files:
    """The files below one folder, named by their path relative to it.

    `has_room(bytes)` tells whether the disk can take so many bytes and keep its reserve; when it cannot, writing
    raises OSError (`ENOSPC`) before the disk does.
    """

    root: Path
    has_room: Callable[[int], bool] = lambda _: True
    _unsettled: set[Path] = field(default_factory=set)

    def prepare(self) -> None:
        """Make the folder if there is none, and clear what a crash has left half done. Raises OSError."""
        self._unsettled.clear()
        self._make(self.root)
        staging = self.root / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()

    def write(self, path: str, data: bytes) -> None:
        """Put a file in its place, replacing what is there. Raises OSError."""
        if not self.has_room(len(data)):
            raise OSError(28, "the disk keeps its last room for the ledger itself")
        place = self.root / path
        self._make(place.parent)
        partial = self.root / STAGING / path.replace("/", "_")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(place)
        self._unsettled.add(place.parent)

    def settle(self) -> None:
        """Make all names that were given since the last time durable. Raises OSError."""
        unsettled, self._unsettled = self._unsettled, set()
        for directory in unsettled:
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def read(self, path: str) -> bytes | None:
        """A file's bytes, read anew; None if there is none. Raises OSError."""
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remove_folder(self, path: str) -> None:
        """Remove a folder with all that is in it, if it is there. Raises OSError."""
        if (self.root / path).is_dir():
            shutil.rmtree(self.root / path)

    def _make(self, directory: Path) -> None:
        missing = []
        while not directory.is_dir():
            missing.append(directory)
            directory = directory.parent
        for one in reversed(missing):
            one.mkdir(mode=0o755, exist_ok=True)
            self._unsettled.add(one.parent)
