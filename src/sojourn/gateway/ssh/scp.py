"""The copies within the old protocol of `scp` (OpenSSH's `-O`, and everything before 9.0): bytes in, files out. No I/O.

It is a label: what such a command really does is up to the host, and it is recorded like any other. A stream that does
not keep to the protocol is left unread from there on.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from .flow import Flow

LINE_BYTES_MAX = 8192
DEPTH_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scp:
    """A command that copies. `writes` is whether files come from the client; `place` is where, on the host."""

    writes: bool
    place: str


def scp_of(command: str) -> Scp | None:
    """What `scp -t` (to the host) or `scp -f` (from it) asks for; None for any other command."""
    try:
        program, *words = shlex.split(command) or [""]
    except ValueError:
        return None
    flags = "".join(word[1:] for word in words if word.startswith("-") and word != "--")
    places = [word for word in words if not word.startswith("-")]
    if program.rpartition("/")[2] != "scp" or ("t" in flags) == ("f" in flags) or not places:
        return None
    return Scp(writes="t" in flags, place=" ".join(places))


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A file that was sent; `size` is what was announced, and `flow` what came."""

    name: str
    size: int
    flow: Flow


@dataclass(slots=True)
class Copies:
    """Reads what the sending side sends."""

    _line: bytearray = field(default_factory=bytearray)
    _folders: list[str] = field(default_factory=list)
    _file: Copied | None = None
    _left: int = 0
    _lost: bool = False

    def feed(self, data: bytes) -> list[Copied]:
        """The files that have ended now."""
        ended: list[Copied] = []
        place = 0
        while place < len(data) and not self._lost:
            if self._file is not None and self._left:
                part = data[place : place + self._left]
                self._file.flow.take(part)
                self._left -= len(part)
                place += len(part)
            elif self._file is not None:
                # Behind the content stands whether it was read without an error: 0, or a warning that is a line.
                ended.append(self._file)
                self._file = None
            else:
                place = self._read_line(data, place)
        return ended

    def left(self) -> Copied | None:
        """The file that was begun and did not end."""
        file, self._file = self._file, None
        return file

    def _read_line(self, data: bytes, place: int) -> int:
        if not self._line and data[place] == 0:
            return place + 1
        end = data.find(b"\n", place)
        upto = len(data) if end < 0 else end
        self._line += data[place:upto]
        if len(self._line) > LINE_BYTES_MAX:
            self._lost = True
        elif end >= 0:
            line, self._line = bytes(self._line), bytearray()
            self._lost = not self._understood(line)
        return upto + 1

    def _understood(self, line: bytes) -> bool:
        kind, rest = line[:1], line[1:].split(b" ", 2)
        if kind in (b"T", b"\x01", b"\x02"):
            return True
        if kind == b"E":
            return bool(self._folders and self._folders.pop())
        if kind not in (b"C", b"D") or len(rest) != 3 or not rest[1].isdigit() or len(self._folders) > DEPTH_MAX:
            return False
        name = rest[2].decode("utf-8", "backslashreplace")
        if kind == b"D":
            self._folders.append(name)
        else:
            self._file = Copied(name="/".join((*self._folders, name)), size=int(rest[1]), flow=Flow())
            self._left = self._file.size
        return True
