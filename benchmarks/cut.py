"""How long after the end of a grant its connection is closed, as the client's own socket sees it."""

from __future__ import annotations

import select
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from .figures import Figure, percentile
from .stage import Stage, connection, conninfo

BATCH = 10
PATIENCE_SECONDS = 20.0


def lags(stage: Stage) -> Iterator[Figure]:
    """Grants of a few seconds, ten of them in use at a time, each with a connection of its own."""
    grants = 10 if stage.quick else 50
    found: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(grants // BATCH):
            found += _batch(stage, Path(directory) / "authority.crt")
    for part, word in ((0.5, "p50"), (0.99, "p99")):
        yield Figure(
            name=f"from a grant's end to the closed socket, {grants} grants, {word}",
            unit="ms",
            value=percentile(found, part) * 1000,
        )


def _batch(stage: Stage, authority: Path) -> list[float]:
    """Seconds from the end to the hang-up for one batch. A new connection belongs to the grant that ends last."""
    way: dict[str, Any] = {}
    ends: dict[int, float] = {}
    lags: list[float] = []
    with ExitStack() as stack:
        hang_ups = select.poll()
        for _ in range(BATCH):
            grant = stage.grant("bob", "read", "3s")
            way = way or dict(conninfo(connection(stage.installation, "bob", "read", authority)))
            client = stack.enter_context(psycopg.connect(autocommit=True, **way))
            client.execute("select 1")
            ends[client.fileno()] = datetime.fromisoformat(grant["end"]).timestamp()
            hang_ups.register(client.fileno(), select.POLLRDHUP)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while ends:
            for descriptor, _ in hang_ups.poll(1000):
                lags.append(time.time() - ends.pop(descriptor))
                hang_ups.unregister(descriptor)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(ends)} connections outlive their grants")
    return lags
