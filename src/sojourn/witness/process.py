"""The witness as a process: its own directory, its own port, nothing of the installation it watches."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn

from sojourn.errors import Code, SojournError

from .layout import WitnessLayout, known_logs, read_key
from .rate import RateLimit
from .server import build
from .service import Witness
from .store import Store

CONNECTIONS_MAX = 200
REQUESTS_PER_SECOND = 20.0
REQUESTS_BURST = 100
FAILED = 70
"""Exit code after a failure of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a witness listens, and its certificate and key if it speaks TLS itself."""

    host: str
    port: int
    certificate: Path | None = None
    certificate_key: Path | None = None


def run(
    layout: WitnessLayout,
    listening: Listening,
    *,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
    say: Callable[[str], None],
) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 70 when the store failed.

    Raises SojournError `witness.missing`, `witness.damaged`, `witness.busy` or `input.invalid` (the address).
    """
    key = read_key(layout)
    known_logs(layout)
    with _sole_use(layout):
        if not layout.database.exists():
            raise SojournError(Code.WITNESS_DAMAGED, path=str(layout.database), problem="it is not there")
        try:
            store = Store(layout.database)
            store.all()
        except sqlite3.Error as error:
            raise SojournError(Code.WITNESS_DAMAGED, path=str(layout.database), problem=str(error)) from error
        with _listener(listening) as listener:
            witness = Witness(layout=layout, key=key, store=store, clock=clock)
            limit = RateLimit(per_second=REQUESTS_PER_SECOND, burst=REQUESTS_BURST, monotonic=monotonic)
            host, port = listener.getsockname()[:2]
            layout.address.write_text(json.dumps({"host": host, "port": port, "pid": os.getpid()}))
            say(f"{key.name} listens on {host}:{port}")
            failed = asyncio.run(_serve(witness, limit, listener, listening))
        store.close()
    return FAILED if failed else 0


async def _serve(witness: Witness, limit: RateLimit, listener: socket.socket, listening: Listening) -> bool:
    """Serve until told to stop; whether it was the store that failed."""
    failed: list[bool] = []

    def stop() -> None:
        server.should_exit = True

    def fail() -> None:
        failed.append(True)
        stop()

    configuration = uvicorn.Config(
        build(witness, limit=limit, failed=fail),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        ssl_certfile=listening.certificate,
        ssl_keyfile=listening.certificate_key,
    )
    server = uvicorn.Server(configuration)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server raises the signal that ended it once more when it is done; it must find somebody.
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve(sockets=[listener])
    return bool(failed)


@contextmanager
def _listener(listening: Listening) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((listening.host, listening.port))
    except OSError as error:
        raise SojournError(
            Code.INPUT_INVALID,
            problem=f"{listening.host}:{listening.port} cannot be listened on: {error}",
            expected="a free port of an address of this machine",
        ) from error
    with listener:
        yield listener


@contextmanager
def _sole_use(layout: WitnessLayout) -> Iterator[None]:
    """Hold the directory. Two processes over one copy of the store could both be the first to cosign."""
    with layout.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SojournError(Code.WITNESS_BUSY, directory=str(layout.root)) from error
        yield
