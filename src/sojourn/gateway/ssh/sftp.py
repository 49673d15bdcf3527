"""SFTP version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions: bytes in, packets out. No I/O.

Only what is needed to say who did what to which file is read; everything passes on as it came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

PACKET_BYTES_MAX = 1024 * 1024
"""OpenSSH takes 256 KiB. More is no SFTP."""

FIELD_BYTES_MAX = 64 * 1024
"""The longest path or handle that is read."""

SHOWN_MAX = 4096


class SftpError(Exception):
    """These bytes are no SFTP."""


class Kind(IntEnum):
    """The packets that mean something here."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


LOOKS = frozenset(
    {Kind.INIT, Kind.CLOSE, Kind.READ, Kind.WRITE, Kind.LSTAT, Kind.FSTAT, Kind.READDIR, Kind.REALPATH, Kind.STAT}
    | {Kind.READLINK}
)
"""What goes on without a record of its own: what belongs to an open file, and looking at names and attributes."""

LOOKING_EXTENSIONS = frozenset(
    {
        "limits@openssh.com",
        "statvfs@openssh.com",
        "fstatvfs@openssh.com",
        "fsync@openssh.com",
        "expand-path@openssh.com",
        "home-directory",
        "users-groups-by-id@openssh.com",
    }
)

WRITES = 0x02
"""The flag of an open for writing (section 6.3)."""

_VERBS = {
    Kind.SETSTAT: "setstat",
    Kind.FSETSTAT: "setstat",
    Kind.OPENDIR: "list",
    Kind.REMOVE: "remove",
    Kind.MKDIR: "mkdir",
    Kind.RMDIR: "rmdir",
    Kind.RENAME: "rename",
    Kind.SYMLINK: "symlink",
}
_TWO_PATHS = (Kind.RENAME, Kind.SYMLINK)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. `raw` is all of it, `body` what follows its type."""

    kind: int
    raw: bytes
    body: bytes


@dataclass(slots=True)
class Splitter:
    """Cuts a stream into packets."""

    _held: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are whole now. Raises SftpError."""
        held = self._held
        held += data
        packets: list[Packet] = []
        place = 0
        while len(held) - place >= 5:
            size = int.from_bytes(held[place : place + 4], "big")
            if not 1 <= size <= PACKET_BYTES_MAX:
                raise SftpError(f"a packet of {size} bytes")
            end = place + 4 + size
            if end > len(held):
                break
            raw = bytes(held[place:end])
            packets.append(Packet(raw[4], raw, raw[5:]))
            place = end
        del held[:place]
        return packets


@dataclass(slots=True)
class Reader:
    """Reads the fields of a packet in order."""

    body: bytes
    place: int = 0

    def number(self, size: int = 4) -> int:
        """A number of so many bytes. Raises SftpError."""
        end = self.place + size
        if end > len(self.body):
            raise SftpError("a packet that is too short")
        value = int.from_bytes(self.body[self.place : end], "big")
        self.place = end
        return value

    def string(self, limit: int = FIELD_BYTES_MAX) -> bytes:
        """A string of bytes. Raises SftpError."""
        size = self.number()
        end = self.place + size
        if size > limit or end > len(self.body):
            raise SftpError("a packet that is too short")
        value = self.body[self.place : end]
        self.place = end
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks that is an action of its own."""

    verb: str
    paths: tuple[str, ...]
    writes: bool
    handle: bytes = b""


def request_of(packet: Packet) -> Request | None:
    """The action that a client's packet asks for; None if it is none of its own. Raises SftpError."""
    if packet.kind in LOOKS:
        return None
    reader = Reader(packet.body)
    reader.number()
    if packet.kind == Kind.OPEN:
        path, flags = text(reader.string()), reader.number()
        writes = bool(flags & ~1)
        return Request(verb="write" if writes else "read", paths=(path,), writes=writes)
    if packet.kind == Kind.EXTENDED:
        return _extended(text(reader.string()), reader)
    verb = _VERBS.get(Kind(packet.kind)) if packet.kind in tuple(Kind) else None
    if verb is None:
        return Request(verb=f"packet-{packet.kind}", paths=(), writes=True)
    if packet.kind == Kind.FSETSTAT:
        return Request(verb=verb, paths=(), writes=True, handle=reader.string())
    paths = [text(reader.string())]
    if packet.kind in _TWO_PATHS:
        paths.append(text(reader.string()))
    return Request(verb=verb, paths=tuple(paths), writes=packet.kind != Kind.OPENDIR)


def _extended(name: str, reader: Reader) -> Request | None:
    if name in LOOKING_EXTENSIONS:
        return None
    match name:
        case "posix-rename@openssh.com" | "hardlink@openssh.com":
            verb = "rename" if name.startswith("posix") else "link"
            return Request(verb=verb, paths=(text(reader.string()), text(reader.string())), writes=True)
        case "lsetstat@openssh.com":
            return Request(verb="setstat", paths=(text(reader.string()),), writes=True)
        case "copy-data":
            return Request(verb="copy", paths=(), writes=True, handle=reader.string())
        case _:
            return Request(verb=f"extension {name[:80]}", paths=(), writes=True)


def text(value: bytes) -> str:
    """A path as it can be read."""
    return value[:SHOWN_MAX].decode("utf-8", "backslashreplace")
