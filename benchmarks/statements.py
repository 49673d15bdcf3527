"""Short statements through the gateway and directly: rate, processor time, added latency, connections."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from .bouncer import bouncer
from .figures import Figure, compared, percentile
from .load import NOTHING, RUN_SECONDS_MAX, SELECT, cost, run, waits
from .stage import Stage, conninfo

STEADY_RATE = 1_000
STEADY_CLIENTS = 8


def rates(stage: Stage) -> Iterator[Figure]:
    """pgbench, select by primary key: statements a second, and what each costs the gateway, the scribe and control."""
    rounds, seconds = (1, 1) if stage.quick else (3, 3)
    with bouncer(stage) as beside:
        for clients in (1, 8, 64):
            for protocol in ("simple", "prepared"):
                options = ("-c", str(clients), "-j", "1", "-M", protocol)
                name = f"select by key, {clients} client{'s' if clients > 1 else ''}, {protocol}"
                pairs: list[tuple[float, float]] = []
                spent: list[tuple[float, ...]] = []
                others: list[tuple[float, float, float]] = []
                for _ in range(rounds):
                    direct = cost(stage, stage.direct, SELECT, seconds, *options, processes=())
                    processes = (stage.gateway_pid, stage.scribe_pid, stage.control_pid)
                    through = cost(stage, stage.gateway, SELECT, seconds, *options, processes=processes)
                    pairs.append((direct.rate, through.rate))
                    spent.append(through.seconds)
                    if beside is not None:
                        other = cost(stage, beside.way, SELECT, seconds, *options, processes=(beside.pid,))
                        others.append((direct.rate, other.rate, other.seconds[0]))
                yield compared(name, "statements/s", pairs)
                for process, costs in zip(("gateway", "scribe", "control"), zip(*spent, strict=True), strict=True):
                    value = percentile(costs, 0.5) * 1e6
                    yield Figure(name=f"  {process}'s processor time", unit="µs", value=value)
                if others:
                    yield compared("  through pgbouncer", "statements/s", [other[:2] for other in others])
                    value = percentile([other[2] for other in others], 0.5) * 1e6
                    yield Figure(name="  pgbouncer's processor time", unit="µs", value=value)


def latency(stage: Stage) -> Iterator[Figure]:
    """One client's waiting time for one statement, in turns on either way; and the same for a role that only reads."""
    yield from _added(stage, "", stage.gateway)
    yield from _added(stage, ", recorded before release", stage.early)


def _added(stage: Stage, what: str, way: dict[str, str]) -> Iterator[Figure]:
    turns, size = (2, 50) if stage.quick else (30, 100)
    samples: tuple[list[float], list[float]] = ([], [])
    with (
        psycopg.connect(autocommit=True, **_arguments(stage.direct)) as direct,
        psycopg.connect(autocommit=True, **_arguments(way)) as gateway,
    ):
        for turn in range(turns + 1):
            for client, found in zip((direct, gateway), samples, strict=True):
                one_turn = [_wait(client, 1 + (turn * size + one) % 4000) for one in range(size)]
                # The first turn fills caches on both ways.
                found.extend(one_turn if turn else ())
    yield from _percentiles(f"time of a statement{what}", samples)


def steady(stage: Stage) -> Iterator[Figure]:
    """The same at a steady rate that leaves the machine time to breathe: 8 clients, 1,000 statements a second."""
    rounds, seconds = (1, 2) if stage.quick else (3, 4)
    options = ("-c", str(STEADY_CLIENTS), "-j", "1", "-M", "prepared", "-R", str(STEADY_RATE))
    samples: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for way, found in zip((stage.direct, stage.gateway), samples, strict=True):
            found.extend(waits(stage, way, SELECT, seconds, *options))
    yield from _percentiles(f"time of a statement at {STEADY_RATE:,}/s", samples)


def _percentiles(name: str, samples: tuple[list[float], list[float]]) -> Iterator[Figure]:
    for part, word in ((0.5, "p50"), (0.99, "p99")):
        before, after = (percentile(one, part) * 1e6 for one in samples)
        yield Figure(name=f"{name}, {word}", unit="µs", direct=before, value=after, ratio=after / before)
        yield Figure(name=f"  added by the gateway, {word}", unit="µs", value=after - before)


def _arguments(way: dict[str, str]) -> dict[str, Any]:
    return dict(conninfo(way))


def _wait(client: psycopg.Connection[Any], order: int) -> float:
    start = time.perf_counter()
    client.execute("select status from shop.orders where id = %s", (order,), prepare=True).fetchone()
    return time.perf_counter() - start


def connections(stage: Stage) -> Iterator[Figure]:
    """pgbench with a new connection for each `select 1`; SCRAM everywhere, and TLS on all legs or on none."""
    rounds, seconds = (1, 1) if stage.quick else (3, 2)
    words, direct, through = "plain", stage.direct, stage.plain
    if stage.direct_tls is not None and stage.gateway_tls is not None:
        words, direct, through = "TLS on both legs", stage.direct_tls, stage.gateway_tls
    for clients in (1, 8):
        options = ("-C", "-c", str(clients), "-j", str(min(2, clients)))
        pairs = [
            (run(stage, direct, NOTHING, seconds, *options).rate, run(stage, through, NOTHING, seconds, *options).rate)
            for _ in range(rounds)
        ]
        yield compared(f"connections, {words}, {clients} at a time", "connections/s", pairs)


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
            (
                amount / _seconds(stage, stage.direct, f"copy shop.{table} to stdout"),
                amount / _seconds(stage, stage.gateway, f"copy shop.{table} to stdout"),
            )
            for _ in range(rounds)
        ]
        yield compared(f"COPY TO STDOUT, {text}", unit, pairs)


def selects(stage: Stage) -> Iterator[Figure]:
    """All narrow rows by SELECT: a message a row, which is what a relay has to look at."""
    rounds = 1 if stage.quick else 5
    with stage.production.superuser() as looking:
        row = looking.execute("select count(*) from shop.narrow").fetchone()
        assert row is not None
    amount = int(str(row[0]))
    script = "select id from shop.narrow"
    pairs = [
        (amount / _seconds(stage, stage.direct, script), amount / _seconds(stage, stage.gateway, script))
        for _ in range(rounds)
    ]
    yield compared(f"SELECT of {amount:,} rows of one integer", "rows/s", pairs)


def _seconds(stage: Stage, way: dict[str, str], text: str) -> float:
    """Seconds from sending the statement to its end, as psql counts them."""
    command = [stage.program("psql"), "-X", "-A", "-t", "-o", str(Path("/dev/null")), "-c", "\\timing on"]
    done = subprocess.run(
        [*command, "-c", text], env=way, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False
    )
    found = re.search(r"^Time: ([0-9.]+) ms", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise RuntimeError(f"psql: {done.stderr.strip()[-500:]}")
    return float(found[1]) / 1000
