"""Writes the chunks of a recording that `domain/cast.py` reads: by what is fastest, as bulk waits for it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from isal import isal_zlib

from sojourn.domain import cast

BYTES_MAX = 64 * 1024
"""Lines that are packed together, before they are packed; a longer line is packed alone."""


def event(interval: float, code: str, text: str) -> bytes:
    """One line after the header. `interval` is in seconds."""
    if text.isascii():
        return msgspec.json.encode((round(interval, 6), code, text))
    # Letters beyond ASCII and lone surrogates have to become escapes, which msgspec does not do.
    return cast.event(interval, code, text).encode()


def pack(lines: Iterable[bytes]) -> bytes:
    """A chunk of these lines. ISA-L makes it as small as zlib's level 1 does in a quarter of the time."""
    return isal_zlib.compress(b"\n".join(lines), 1)


def chunks(lines: Iterable[bytes]) -> list[list[bytes]]:
    """The lines in groups that are to be packed together."""
    groups: list[list[bytes]] = [[]]
    size = 0
    for line in lines:
        if groups[-1] and size + len(line) > BYTES_MAX:
            groups.append([])
            size = 0
        groups[-1].append(line)
        size += len(line)
    return groups
