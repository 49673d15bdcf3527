"""Runs Sojourn's processes on one machine and keeps them running.

- The data directory belongs to one supervisor at a time, by a lock that the kernel releases with the process.
- Each process is started anew when it ends, at once the first time and with growing pauses while it keeps failing.
- Each process holds the reading end of a pipe as its standard input and stops when that closes, so nothing
  survives a supervisor that was killed.
- At the end the gateway stops first and the scribe last, so that what closing causes is still recorded.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .errors import Code, SojournError
from .settings import Layout

RESTART_PAUSE_MAX = 5.0
STEADY_SECONDS = 10.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05


class Process(StrEnum):
    """The processes, in the order in which they start; they stop in the reverse order."""

    SCRIBE = "scribe"
    PUBLISHER = "publisher"
    CONTROL = "control"
    GATEWAY = "gateway"


@contextmanager
def sole_use(layout: Layout) -> Iterator[None]:
    """Hold the data directory.

    Raises SojournError `data.directory_busy` when another supervisor has it.
    """
    path = layout.run / "serve.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise SojournError(
                Code.DATA_DIRECTORY_BUSY, pid=lock.read().strip() or "unknown", directory=str(layout.root)
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        for stale in layout.run.glob("*.json"):
            stale.unlink()
        yield


@dataclass(slots=True)
class _Child:
    """One process under supervision."""

    process: Process
    command: Sequence[str]
    running: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause: float = 0.0

    def start(self, now: float) -> None:
        self.running = subprocess.Popen(self.command, stdin=subprocess.PIPE, start_new_session=True)
        self.started_at = now

    def look(self, now: float, say: Callable[[str], None]) -> None:
        """Start it if it is due; note its end if it ended."""
        if self.running is None:
            if now >= self.start_again_at:
                self.start(now)
                say(f"{self.process} started again")
            return
        code = self.running.poll()
        if code is None:
            return
        self._close_pipe()
        self.running = None
        steady = now - self.started_at >= STEADY_SECONDS
        self.pause = 0.0 if steady else min(RESTART_PAUSE_MAX, max(0.1, self.pause * 2))
        self.start_again_at = now + (0.0 if self.pause <= 0.1 else self.pause)
        say(f"{self.process} ended ({_ending(code)})")

    def stop(self, patience: float) -> None:
        if self.running is None:
            return
        self._close_pipe()
        try:
            self.running.wait(patience)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()

    def _close_pipe(self) -> None:
        if self.running is not None and self.running.stdin is not None:
            self.running.stdin.close()


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


@dataclass(slots=True)
class Supervisor:
    """Keeps the processes of one data directory running until told to stop."""

    layout: Layout
    say: Callable[[str], None]
    monotonic: Callable[[], float] = time.monotonic
    _stopping: bool = False
    _children: list[_Child] = field(default_factory=list)

    def run(self) -> None:
        """Start everything, supervise until SIGTERM or SIGINT, stop everything."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_soon)
        self._children = [_Child(process, _command(self.layout.root, process)) for process in Process]
        try:
            for child in self._children:
                child.start(self.monotonic())
            while not self._stopping:
                for child in self._children:
                    child.look(self.monotonic(), self.say)
                time.sleep(POLL_SECONDS)
        finally:
            for child in reversed(self._children):
                child.stop(STOP_SECONDS)

    def _stop_soon(self, number: int, frame: object) -> None:
        self._stopping = True


def _command(root: Path, process: Process) -> list[str]:
    return [sys.executable, "-m", "sojourn", "serve", "--data", str(root), "--only", process]
