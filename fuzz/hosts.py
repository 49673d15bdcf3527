"""What comes from SSH clients and hosts, and what is shown of recordings: any bytes, and our own errors only."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from sojourn.domain import cast
from sojourn.domain.curtain import Curtain
from sojourn.errors import SojournError
from sojourn.gateway.ssh.chunk import event, pack
from sojourn.gateway.ssh.echo import Echo
from sojourn.gateway.ssh.scp import Copies, scp_of
from sojourn.gateway.ssh.sftp import Reader, SftpError, Splitter, request_of
from sojourn.identity.ssh_keys import read_public_key

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJl3dPPg4Pgyy8ClFbmUZbFGVv4U3hTgkT6Vm0OcBVFL"


def sftp(data: bytes) -> None:
    """Packets are the same however they arrive, and each is read or refused."""
    try:
        whole = Splitter().feed(data)
    except SftpError:
        return
    splitter, pieces = Splitter(), []
    for place in range(0, len(data), 7):
        pieces += splitter.feed(data[place : place + 7])
    assert whole == pieces
    assert data.startswith(b"".join(one.raw for one in whole))
    for packet in whole:
        with contextlib.suppress(SftpError):
            request_of(packet)
        with contextlib.suppress(SftpError):
            Reader(packet.body).string()


def scp(data: bytes) -> None:
    """Files by the old protocol are the same however they arrive, and no more than came."""
    whole, pieces = Copies(), Copies()
    found = [(one.name, one.flow.size) for one in whole.feed(data)]
    step = 1 + len(data) % 7
    places = range(0, len(data), step)
    assert found == [(one.name, one.flow.size) for at in places for one in pieces.feed(data[at : at + step])]
    assert sum(size for _, size in found) <= len(data)
    scp_of(data.decode("utf-8", "replace"))


def recording(data: bytes) -> None:
    """A chunk is read or refused; what is shown of it asks a terminal nothing, and hides nothing that is plain."""
    with contextlib.suppress(ValueError):
        list(cast.moments(cast.unpack(data)))
    text = data.decode("utf-8", "surrogateescape")
    (moment,) = cast.moments(cast.unpack(pack([event(0.0, "o", text)])))
    assert moment.text == text
    shown = cast.shown(text)
    curtain = Curtain()
    written = "".join(curtain.shown(letter) for letter in shown)
    assert written == Curtain().shown(shown)
    assert "\x1b]" not in written and "\x1b[c" not in written and "\x1b[6n" not in written
    echo = Echo()
    echo.typed(shown)
    kept = echo.answered(shown[: len(shown) // 2]) + echo.settle()
    assert len(kept) <= len(shown)


def key(data: bytes) -> None:
    """A public key is one that is taken here, or refused."""
    with contextlib.suppress(SojournError):
        read = read_public_key(data.decode("utf-8", "replace"))
        assert read_public_key(read.line) == read


def packets() -> Iterator[bytes]:
    """Requests as OpenSSH sends them."""
    path = (5).to_bytes(4, "big") + b"/tmp/"
    for kind, body in (
        (1, (3).to_bytes(4, "big")),
        (3, b"\0\0\0\1" + path + b"\0\0\0\x1a\0\0\0\0"),
        (18, b"\0\0\0\2" + path + path),
        (200, b"\0\0\0\3" + (24).to_bytes(4, "big") + b"posix-rename@openssh.com" + path + path),
    ):
        yield (len(body) + 1).to_bytes(4, "big") + bytes([kind]) + body


def copies() -> Iterator[bytes]:
    """Trees as `scp -O` sends them, and its commands."""
    yield b"T1 0 1 0\nD0755 0 a\nC0644 3 b\nabc\0E\n"
    yield b"C0600 0 empty\n\0\x01scp: c: No such file\n"
    yield b"scp -r -p -t '/srv/a b'"


def chunks() -> Iterator[bytes]:
    """Parts of recordings, and what hosts say."""
    began = datetime(2026, 11, 30, tzinfo=UTC)
    head = cast.header(columns=80, rows=24, terminal="xterm", began=began, command="id")
    yield pack([head.encode(), event(0.1, "o", "uid=0\r\n"), event(0.2, "x", "exit 0")])
    yield zlib.compress(b"")
    yield b"\x1b]52;c;aGk=\x07\x1b[6n\x1b[31mred\x1b[0m\x1bP+q\x1b\\"


def keys() -> Iterator[bytes]:
    """Lines of `.pub` files."""
    yield KEY.encode()
    yield b"ssh-rsa AAAA"
