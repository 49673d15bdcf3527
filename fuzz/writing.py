"""The scribe itself under any bytes: a real log on a real store, in memory, and the server's own loop over it."""

from __future__ import annotations

import atexit
import selectors
import socket
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sojourn.domain.events import KINDS
from sojourn.ledger import entry
from sojourn.scribe import client
from sojourn.scribe.log import Log
from sojourn.scribe.protocol import Append, Appended, Draft, Key, Matter, Refused
from sojourn.scribe.recovery import recover
from sojourn.scribe.server import Server, _Client, listen
from sojourn.scribe.sqlite_store import SqliteStore

from .seeds import KEY

ENTRIES_MAX = 5000
"""After so many the ledger begins anew, so that a run does not slow down."""

_BEGIN = datetime(2026, 11, 30, tzinfo=UTC)


@dataclass(slots=True)
class Desk:
    """A scribe without its process."""

    directory: tempfile.TemporaryDirectory[str]
    store: SqliteStore
    log: Log
    server: Server


@cache
def memory() -> str | None:
    """A directory that lies in memory, if this machine has one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _open() -> Desk:
    directory = tempfile.TemporaryDirectory(dir=memory())
    root = Path(directory.name)
    store = SqliteStore(root / "ledger.db")
    log = recover(
        store,
        path=root / "ledger.db",
        anchor=root / "checkpoint",
        key=KEY,
        clock=lambda: _BEGIN + timedelta(seconds=log.size),
        has_room=lambda _: True,
    )
    server = Server(
        log=log,
        listener=listen(root / "socket"),
        stop_descriptor=None,
        wake_descriptor=None,
        checkpoint_seconds=1000.0,
        monotonic=lambda: float(log.size),
        stopping=lambda: False,
    )
    atexit.register(server.close)
    return Desk(directory, store, log, server)


_desks: list[Desk] = []


def desk() -> Desk:
    """The scribe of this process."""
    if _desks and _desks[0].log.size > ENTRIES_MAX:
        _desks.pop().store.close()
    if not _desks:
        _desks.append(_open())
    return _desks[0]


def append(data: bytes) -> None:
    """An append made of what the bytes say: it is recorded, and everybody can read it, or it is refused."""
    if len(data) < 4:
        return
    names = sorted(KINDS)
    length = data[1] % 64
    stream = data[4 : 4 + length].decode(errors="replace")
    seen = None if data[2] & 1 else data[2] >> 1
    body = data[4 + length :]
    draft = Draft(stream, names[data[0] % len(names)], body, seen)
    again = Draft("session/s-0123456789", draft.kind, body, None)
    matter = [Matter(f"{data[3]:064x}", f"k-{data[3] & 3}", body)] if data[3] & 4 else []
    keys = [Key(f"k-{data[3] & 3}", "alice/statement", "evidence", body[:80])] if data[3] & 8 else []
    log = desk().log
    before = log.size
    (answer,) = log.append([Append(1, [draft, again], [], matter, keys, [])], arriving=len(data))
    if isinstance(answer, Appended):
        assert (answer.first, answer.size) == (before, before + 2) and log.size == before + 2
        for seq in (before, before + 1):
            stored = log.store.entry(seq)
            assert stored is not None and entry.parse(stored).seq == seq == client.read_entry(stored).seq
    else:
        assert isinstance(answer, Refused) and log.size == before


def serve(data: bytes) -> None:
    """Bytes on the socket, and the turns of the loop that they cause: the scribe goes on, whatever they are."""
    server = desk().server
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        one = _Client(ours)
        server._clients.add(one)
        server._selector.register(ours, selectors.EVENT_READ, one)
        theirs.send(data)
        server._receive(one)
        for _ in range(3):
            server._turn()
        server._drop(one)
        assert not server._received_bytes and not server._appends and not server._readers
