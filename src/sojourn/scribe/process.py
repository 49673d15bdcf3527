"""The scribe as a process: open, check, serve, and end at once when the store fails."""

from __future__ import annotations

import fcntl
import gc
import os
import secrets
import signal
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sojourn.domain.events import LedgerBegunAnew
from sojourn.errors import Code, SojournError
from sojourn.ledger.note import LineSigner, Signer
from sojourn.settings import Layout, ScribeSettings

from .anchor import Seen, Watermark
from .log import Log
from .origin import begin_anew
from .patience import PatientKey
from .recovery import recover
from .rotation import take_turns
from .server import Server, listen
from .space import Space
from .sqlite_store import SqliteStore
from .store import Store, StoreError

FAILED = 70
"""Exit code after a failure of the store or a root that did not check: nothing is tried again in this process."""


COLLECTED_EVERY = 50_000
"""So many objects may be made, beyond those that went away, before Python looks for circles among them."""

SOCKET_PATH_MAX = 103
"""Bytes of a Unix socket's path that every system takes."""


def free_bytes(directory: Path) -> int:
    """How much room the file system that holds `directory` has left for us."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


def run(
    layout: Layout,
    settings: ScribeSettings,
    key: Signer,
    clock: Callable[[], datetime],
    stop_descriptor: int | None = None,
    *,
    room: Callable[[Path], int] = free_bytes,
    seen: Sequence[Seen] = (),
    new_key: Signer | None = None,
    before: LedgerBegunAnew | None = None,
    second_key: LineSigner | None = None,
) -> int:
    """Serve the ledger of `layout` until SIGTERM, SIGINT or the end of `stop_descriptor`. Returns the exit code.

    `seen` are checkpoints of this ledger that lie with others; a store that is behind one of them or contradicts it is
    refused as if it were our own. `new_key` is to follow `key`: that goes on record, and both sign. `before` is
    what the first entry says of the ledger that this one follows. `second_key` adds a signature of another kind.

    Raises SojournError when the store must not be written: another scribe has it (`data.directory_busy`), it is
    damaged (`record.damaged`, also later, when what was written is not read back) or behind what was signed
    (`record.behind`), or when others could reach the socket (`data.directory_open`);
    as `rotation.take_turns` does when the record says that it is another key's turn.

    When a write fails the process ends at once with code 70: nothing of that batch is acknowledged, and nothing is
    tried again. Before that, `room` (free bytes of a directory) is asked, as `Space` does: below the reserve every
    append is answered `record.full`, nothing is written, and the scribe goes on reading. SQLite's own "disk is full"
    counts as a failed write. While the key does not sign, entries are recorded all the same, and signed when it does.
    """
    _check_private(layout)
    told: list[int] = []
    wake, woken = _heed_signals(told)
    with (layout.run / "scribe.lock").open("a+") as lock:
        _lock(lock.fileno(), layout)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            store, log = _open(layout, settings, _patient(key), clock, room, seen)
            log.second_key = second_key
            if before is not None:
                begin_anew(log, before)
            take_turns(log, None if new_key is None else _patient(new_key))
            _serve(layout, settings, log, stop_descriptor, woken, lambda: bool(told))
            store.close()
        except (sqlite3.Error, StoreError, OSError) as error:
            # What the disk holds after a failed write is not known here. The next start looks.
            _say(f"stopping at once, the record could not be kept: {error}")
            os._exit(FAILED)
    signal.set_wakeup_fd(-1)
    os.close(wake)
    os.close(woken)
    return 0


def _serve(
    layout: Layout,
    settings: ScribeSettings,
    log: Log,
    stop_descriptor: int | None,
    wake_descriptor: int,
    stopping: Callable[[], bool],
) -> None:
    """Take appends and answer readers until it is time to stop."""
    server = Server(
        log=log,
        listener=listen(layout.scribe_socket),
        stop_descriptor=stop_descriptor,
        wake_descriptor=wake_descriptor,
        checkpoint_seconds=settings.checkpoint_seconds,
        monotonic=time.monotonic,
        stopping=stopping,
    )
    _collect_seldom()
    server.run()
    server.close()


def _collect_seldom() -> None:
    """Let Python look for circles of objects that only hold each other once in a while.

    An append makes none, and looking for them every few entries would take a tenth of its processor time.
    """
    gc.freeze()
    gc.set_threshold(COLLECTED_EVERY)


def _patient(key: Signer) -> PatientKey:
    return PatientKey(key=key, monotonic=time.monotonic, say=_say)


def _say(line: str) -> None:
    sys.stderr.write(f"scribe: {line}\n")
    sys.stderr.flush()


def _open(
    layout: Layout,
    settings: ScribeSettings,
    key: Signer,
    clock: Callable[[], datetime],
    room: Callable[[Path], int],
    seen: Sequence[Seen],
) -> tuple[Store, Log]:
    try:
        store: Store = _postgres(settings.store) if settings.store else SqliteStore(layout.ledger)
        log = recover(
            store,
            # A database is checked as it was published: the verifier reads files.
            path=Path("PUBLISHED-FOLDER") if settings.store else layout.ledger,
            anchor=layout.anchor,
            watermark=Watermark(layout.watermark),
            key=key,
            clock=clock,
            has_room=Space(lambda: room(layout.root), settings.free_bytes_min, time.monotonic).takes,
            seen=seen,
        )
    except sqlite3.DatabaseError as error:
        # An OperationalError is about the system (no space, no permission); all else is about what is in the file.
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise SojournError(Code.RECORD_DAMAGED, problem=str(error), path=str(layout.ledger)) from error
    return store, log


def _postgres(url: str) -> Store:
    from .postgres_store import PostgresStore

    return PostgresStore(url, writer=secrets.token_hex(16))


def _heed_signals(told: list[int]) -> tuple[int, int]:
    """Note SIGTERM and SIGINT in `told`, and make the second descriptor readable so that a waiting loop looks."""
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.append(number))
    return wake, woken


def _check_private(layout: Layout) -> None:
    """The socket's directory keeps other users out before the socket's own mode does."""
    if stat.S_IMODE(layout.run.stat().st_mode) & 0o077:
        raise SojournError(Code.DATA_DIRECTORY_OPEN, path=str(layout.run))
    check_socket_path(layout)


def check_socket_path(layout: Layout) -> None:
    """Refuse a data directory in which the socket could not be named (`sun_path` of unix(7)).

    Raises SojournError `settings.invalid`.
    """
    if len(os.fsencode(layout.scribe_socket)) > SOCKET_PATH_MAX:
        raise SojournError(
            Code.SETTINGS_INVALID,
            name="data directory",
            problem=f"{layout.scribe_socket} is too long for the path of a socket",
            expected=f"a directory that leaves it at most {SOCKET_PATH_MAX} bytes",
        )


def _lock(descriptor: int, layout: Layout) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SojournError(Code.DATA_DIRECTORY_BUSY, pid="another scribe", directory=str(layout.root)) from error
