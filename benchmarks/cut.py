"""How long after the end of a grant its connections are over, as the client sees it.

Two clients for each grant: one waits for a statement that would run for minutes, the other is idle and reads nothing.
Each has a thread that watches from before the end.
"""

from __future__ import annotations

import select
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from .figures import Figure, percentile
from .stage import Stage, connection, conninfo

BATCH = 10
GRANT = "3s"
PATIENCE_SECONDS = 20

Client = psycopg.Connection[Any]


def lags(stage: Stage) -> Iterator[Figure]:
    """Grants of a few seconds, ten of them in use at a time."""
    grants = BATCH if stage.quick else 50 * BATCH
    watches: tuple[tuple[str, Callable[[Client], None]], ...] = (
        ("to the error of a running statement", _wait_for_error),
        ("to the closed socket of an idle client", _wait_for_hang_up),
    )
    found: list[list[float]] = [[] for _ in watches]
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(grants // BATCH):
            seen = _batch(stage, Path(directory) / "authority.crt", [watch for _, watch in watches])
            for kept, fresh in zip(found, seen, strict=True):
                kept += fresh
    for (name, _), samples in zip(watches, found, strict=True):
        for part, word in ((0.5, "p50"), (0.99, "p99")):
            value = percentile(samples, part) * 1000
            yield Figure(name=f"end of a grant {name}, {word} of {len(samples)}", unit="ms", value=value)


def _batch(stage: Stage, authority: Path, watches: list[Callable[[Client], None]]) -> list[list[float]]:
    """Seconds from the end for each watch. A new connection belongs to that grant of the role that ends last."""
    way: dict[str, Any] = {}
    seen: list[list[Future[float]]] = [[] for _ in watches]
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(BATCH * len(watches)))
        for _ in range(BATCH):
            grant = stage.grant("bob", "read", GRANT)
            end = datetime.fromisoformat(grant["end"]).timestamp()
            way = way or dict(conninfo(connection(stage.installation, "bob", "read", authority)))
            for futures, watch in zip(seen, watches, strict=True):
                client = stack.enter_context(psycopg.connect(autocommit=True, **way))
                futures.append(threads.submit(_lag, client, watch, end))
        return [[future.result(PATIENCE_SECONDS) for future in futures] for futures in seen]


def _lag(client: Client, watch: Callable[[Client], None], end: float) -> float:
    if time.time() >= end:
        raise RuntimeError("the grant had ended before anybody watched")
    watch(client)
    return time.time() - end


def _wait_for_error(client: Client) -> None:
    try:
        client.execute("select pg_sleep(600)")
    except psycopg.OperationalError as error:
        if error.sqlstate == "57P01":
            return
        raise
    raise RuntimeError("the statement outlived its grant")


def _wait_for_hang_up(client: Client) -> None:
    hang_up = select.poll()
    hang_up.register(client.fileno(), select.POLLRDHUP)
    if not hang_up.poll(PATIENCE_SECONDS * 1000):
        raise RuntimeError("the connection outlived its grant")
