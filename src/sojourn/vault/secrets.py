"""Secrets of targets: one private file each, named in targets.yaml and never copied into the record."""

from __future__ import annotations

import re
from pathlib import Path

from sojourn.errors import Code, SojournError

from .files import read_private

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)


def read_secret(directory: Path, name: str) -> str:
    """The secret in the file `name` of `directory`, without the line end that an editor leaves.

    Raises SojournError `configuration.missing` when there is none, `configuration.invalid` when it is empty or not
    one line of UTF-8, `data.directory_open` when others could read it.
    """
    path = directory / name
    if NAME.fullmatch(name) is None:
        raise SojournError(Code.CONFIGURATION_MISSING, file=f"{directory}/{name[:64]!r}")
    try:
        content = read_private(path)
    except OSError as error:
        raise SojournError(Code.CONFIGURATION_MISSING, file=str(path)) from error
    try:
        secret = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise _unusable(path, "The secret is not UTF-8") from error
    if not secret or any(letter in secret for letter in "\r\n\0"):
        raise _unusable(path, "The secret is empty or has several lines")
    return secret


def _unusable(path: Path, problem: str) -> SojournError:
    return SojournError(
        Code.CONFIGURATION_INVALID,
        file=str(path),
        line="1",
        column="1",
        problem=problem,
        expected="one line of UTF-8, the secret and nothing else",
    )
