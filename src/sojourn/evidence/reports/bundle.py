"""The ZIP of a report, written file by file as each is ready, while others are still being made."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

_TIME = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20
_PACKED = (".xlsx",)
"""What is packed already, and would only cost time once more."""


@dataclass(slots=True)
class Bundle:
    """A ZIP at `path` of files below its folder. The same files in the same order give the same bytes.

    `files` are those that are in it, each with its size and SHA-256 (hex), for a manifest. Use it as a context manager.
    """

    path: Path
    files: dict[str, dict[str, int | str]] = field(default_factory=dict, init=False)
    _archive: zipfile.ZipFile = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self._archive = zipfile.ZipFile(self.path, "w")

    def __enter__(self) -> Bundle:
        """Go on."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Write the end of the ZIP; what fails on the way leaves none."""
        self._archive.close()
        if raised[0] is not None:
            self.path.unlink()

    def add(self, name: str) -> None:
        """A file of that name (a path below the folder), a piece at a time. Raises OSError if it cannot be read."""
        source = self.path.parent / name
        info = zipfile.ZipInfo(name, _TIME)
        info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        info.file_size = source.stat().st_size
        digest = hashlib.sha256()
        with source.open("rb") as content, self._archive.open(info, "w") as target:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        self.files[name] = {"bytes": info.file_size, "sha256": digest.hexdigest()}
