"""Short statements through the gateway and directly: rate, processor time, added latency, connections."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from .figures import Figure, compared, cpu_seconds, percentile
from .stage import Stage, conninfo

SELECT = "\\set id random(1, 4000)\nselect status from shop.orders where id = :id;\n"
NOTHING = "select 1;\n"
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_COUNT = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
RUN_SECONDS_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    rate: float
    count: int


def _pgbench(stage: Stage, way: dict[str, str], script: str, seconds: int, *options: str) -> _Run:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [stage.program("pgbench"), "-n", "-f", file.name, "-T", str(seconds), *options]
        done = subprocess.run(
            command, env=way, capture_output=True, text=True, timeout=RUN_SECONDS_MAX + seconds, check=False
        )
    rate, count = _RATE.search(done.stdout), _COUNT.search(done.stdout)
    if done.returncode or rate is None or count is None:
        raise RuntimeError(f"pgbench: {done.stderr.strip()[-500:]}")
    return _Run(rate=float(rate[1]), count=int(count[1]))


def rates(stage: Stage) -> Iterator[Figure]:
    """pgbench, select by primary key: statements a second, and what each costs the gateway and the scribe."""
    rounds, seconds = (1, 1) if stage.quick else (3, 2)
    for clients in (1, 16):
        for protocol in ("simple", "prepared"):
            options = ("-c", str(clients), "-j", str(min(2, clients)), "-M", protocol)
            pairs, spent, statements = [], [0.0, 0.0], 0
            for _ in range(rounds):
                direct = _pgbench(stage, stage.direct, SELECT, seconds, *options)
                pids = (stage.gateway_pid, stage.scribe_pid)
                before = [cpu_seconds(pid) for pid in pids]
                through = _pgbench(stage, stage.gateway, SELECT, seconds, *options)
                after = [cpu_seconds(pid) for pid in pids]
                spent = [one + end - start for one, start, end in zip(spent, before, after, strict=True)]
                statements += through.count
                pairs.append((direct.rate, through.rate))
            name = f"select by key, {clients} client{'s' if clients > 1 else ''}, {protocol}"
            yield compared(name, "statements/s", pairs)
            for process, seconds_spent in zip(("gateway", "scribe"), spent, strict=True):
                yield Figure(name=f"  {process}'s processor time", unit="µs", value=seconds_spent / statements * 1e6)


def latency(stage: Stage) -> Iterator[Figure]:
    """One client's waiting time for one statement, in turns on either way."""
    turns, size = (2, 50) if stage.quick else (30, 100)
    samples: tuple[list[float], list[float]] = ([], [])
    with (
        psycopg.connect(autocommit=True, **_arguments(stage.direct)) as direct,
        psycopg.connect(autocommit=True, **_arguments(stage.gateway)) as gateway,
    ):
        for turn in range(turns + 1):
            for client, found in zip((direct, gateway), samples, strict=True):
                waits = [_wait(client, 1 + (turn * size + one) % 4000) for one in range(size)]
                # The first turn fills caches on both ways.
                found.extend(waits if turn else ())
    for part, word in ((0.5, "p50"), (0.99, "p99")):
        before, after = (percentile(one, part) * 1e6 for one in samples)
        yield Figure(name=f"time of a statement, {word}", unit="µs", direct=before, value=after, ratio=after / before)
        yield Figure(name=f"  added by the gateway, {word}", unit="µs", value=after - before)


def _arguments(way: dict[str, str]) -> dict[str, Any]:
    return dict(conninfo(way))


def _wait(client: psycopg.Connection[Any], order: int) -> float:
    start = time.perf_counter()
    client.execute("select status from shop.orders where id = %s", (order,), prepare=True).fetchone()
    return time.perf_counter() - start


def connections(stage: Stage) -> Iterator[Figure]:
    """pgbench with a new connection for each `select 1`; on both ways SCRAM, through the gateway TLS as well."""
    rounds, seconds = (1, 1) if stage.quick else (3, 2)
    for clients in (1, 8):
        options = ("-C", "-c", str(clients), "-j", str(min(2, clients)))
        pairs = [
            (
                _pgbench(stage, stage.direct, NOTHING, seconds, *options).rate,
                _pgbench(stage, stage.gateway, NOTHING, seconds, *options).rate,
            )
            for _ in range(rounds)
        ]
        yield compared(f"connections, {clients} at a time", "connections/s", pairs)


def copies(stage: Stage) -> Iterator[Figure]:
    """COPY TO STDOUT by psql: 1,000-byte rows (megabytes a second) and rows of one number (rows a second)."""
    rounds = 1 if stage.quick else 5
    for table, text, unit in (("wide", "rows of 1 kB", "MB/s"), ("narrow", "rows of one integer", "rows/s")):
        with stage.production.superuser() as looking:
            query = f"select count(*), sum(length(one::text)) from shop.{table} one"
            row = looking.execute(query.encode()).fetchone()
            assert row is not None
        # The text of a row has two parentheses that COPY does not have, and no newline.
        amount = int(str(row[0])) if table == "narrow" else (int(str(row[1])) - int(str(row[0]))) / 1e6
        pairs = [
            (amount / _copy(stage, stage.direct, table), amount / _copy(stage, stage.gateway, table))
            for _ in range(rounds)
        ]
        yield compared(f"COPY TO STDOUT, {text}", unit, pairs)


def _copy(stage: Stage, way: dict[str, str], table: str) -> float:
    """Seconds from sending the statement to its end, as psql counts them."""
    command = [stage.program("psql"), "-X", "-o", str(Path("/dev/null")), "-c", "\\timing on"]
    done = subprocess.run(
        [*command, "-c", f"copy shop.{table} to stdout"],
        env=way,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    found = re.search(r"^Time: ([0-9.]+) ms", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise RuntimeError(f"psql: {done.stderr.strip()[-500:]}")
    return float(found[1]) / 1000
