"""What an idle session costs the gateway in memory: TLS on both legs where the database has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from .figures import Figure
from .stage import Stage, conninfo

SESSIONS = 90
SETTLE_SECONDS = 2.0


def sessions(stage: Stage) -> Iterator[Figure]:
    """Resident memory of the gateway before and after so many sessions were opened, each with one statement done."""
    way = stage.gateway_tls or stage.gateway
    arguments: dict[str, Any] = dict(conninfo(way))
    words = "TLS on both legs" if stage.gateway_tls else "TLS to the client"
    count = SESSIONS // 3 if stage.quick else SESSIONS
    before = after = 0.0
    # What the first sessions ever make stays, so the second time counts.
    for _ in range(2):
        before = resident(stage.gateway_pid)
        with ExitStack() as open_now:
            for _ in range(count):
                client: psycopg.Connection[Any] = psycopg.connect(autocommit=True, **arguments)
                open_now.enter_context(client)
                client.execute("select 1")
            time.sleep(SETTLE_SECONDS)
            after = resident(stage.gateway_pid)
        time.sleep(SETTLE_SECONDS)
    yield Figure(name=f"memory of an idle session, {words}, {count} of them", unit="kB", value=(after - before) / count)


def resident(process: int) -> float:
    """Kilobytes of memory that a process really has."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    raise RuntimeError(f"process {process} does not say how much memory it has")
