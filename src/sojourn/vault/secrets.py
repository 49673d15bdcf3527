"""Secrets of targets: one private file each, named in targets.yaml and never copied into the record."""

from __future__ import annotations

import re
from pathlib import Path

from sojourn.errors import Code, SojournError

from .files import read_private

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def read_secret(directory: Path, name: str) -> str:
    """The secret in the file `name` of `directory`, without its final newline.

    Raises SojournError `configuration.missing` when there is none, `data.directory_open` when others could read it.
    """
    path = directory / name
    if NAME.fullmatch(name) is None or not path.is_file():
        raise SojournError(Code.CONFIGURATION_MISSING, file=str(path))
    return read_private(path).decode().rstrip("\n")
