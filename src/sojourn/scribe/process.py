"""The scribe as a process: open, check, serve, and end at once when the store fails."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger.note import SigningKey
from sojourn.settings import Layout, ScribeSettings

from .recovery import recover
from .server import Server, listen
from .store import Store

FAILED = 70
"""Exit code after a failure of the store or a root that did not check: nothing is tried again in this process."""


def free_bytes(directory: Path) -> int:
    """How much room the file system that holds `directory` has left for us."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


def run(
    layout: Layout,
    settings: ScribeSettings,
    key: SigningKey,
    clock: Callable[[], datetime],
    stop_descriptor: int | None = None,
) -> int:
    """Serve the ledger of `layout` until SIGTERM, SIGINT or the end of `stop_descriptor`. Returns the exit code.

    Raises SojournError when the store must not be written: another scribe has it (`data.directory_busy`), it is
    damaged (`record.damaged`, also later, when what was written is not read back) or behind what was signed
    (`record.behind`).
    """
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.append(number))
    with (layout.run / "scribe.lock").open("a+") as lock:
        _lock(lock.fileno(), layout)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            store = Store(layout.ledger)
            log = recover(
                store,
                path=layout.ledger,
                anchor=layout.anchor,
                key=key,
                clock=clock,
                has_room=lambda: free_bytes(layout.root) >= settings.free_bytes_min,
            )
            server = Server(
                log=log,
                listener=listen(layout.scribe_socket),
                stop_descriptor=stop_descriptor,
                checkpoint_seconds=settings.checkpoint_seconds,
                after_sign=lambda note: write_anchor(layout.anchor, note),
                monotonic=time.monotonic,
                stopping=lambda: bool(told),
            )
            server.run()
            server.close()
            store.close()
        except (sqlite3.Error, OSError) as error:
            # What the disk holds after a failed write is not known here. The next start looks.
            sys.stderr.write(f"scribe: stopping at once, the record could not be kept: {error}\n")
            sys.stderr.flush()
            os._exit(FAILED)
    return 0


def write_anchor(path: Path, note: str) -> None:
    """Replace the anchor file with a new checkpoint, durably and never half."""
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _lock(descriptor: int, layout: Layout) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SojournError(Code.DATA_DIRECTORY_BUSY, pid="another scribe", directory=str(layout.root)) from error
