"""How many durable entries a second the scribe takes, and what each costs it in CPU.

    python -m benchmarks.scribe [--seconds 2] [--json]

The scribe runs in a process of its own, as it always does; the callers share one client in this process. *Waiting*
callers append one entry and wait for its receipt; *pipelined* ones keep many in flight on the one socket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from sojourn.domain.events import ActionIntended
from sojourn.domain.history import Change, Receipt
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.domain.sealed import Sealed, SealedMatter, Sealing, SealingKey
from sojourn.scribe.client import ScribeClient
from sojourn.testing.scribe import ScribeProcess

TICKS = os.sysconf("SC_CLK_TCK")
KEY = SealingKey(key="k-0123456789", subject="p-alice", recipient="auditors", wrapped=bytes(80))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. `batch_size` is entries for each commit; CPU is the scribe's, user and system."""

    callers: str
    entries_per_second: float
    scribe_cpu_us: float
    batch_size: float


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _change(caller: int, number: int) -> Change:
    session = SessionId(f"s-{caller:010d}")
    event = ActionIntended(
        session=session,
        number=number,
        protocol="postgres",
        verb="read",
        may_write=False,
        objects=("shop.orders",),
        detail=Sealed(commitment=f"{caller:032x}{number:032x}", key=KEY.key),
    )
    return Change(stream=session_stream(session), event=event, seen=None)


def _sealing(change: Change) -> Sealing:
    assert isinstance(change.event, ActionIntended)
    sealed = change.event.detail
    matter = SealedMatter(commitment=sealed.commitment, key=sealed.key, ciphertext=bytes(160))
    return Sealing(sealed=sealed, matter=matter, key=KEY)


async def _wait_each(client: ScribeClient, caller: int, until: float, sealed: bool, batches: set[object]) -> int:
    number = 0
    while time.perf_counter() < until:
        change = _change(caller, number)
        receipt = await client.append([change], sealings=[_sealing(change)] if sealed else ())
        batches.add(receipt.at)
        number += 1
    return number


async def _pipeline(client: ScribeClient, depth: int, until: float, batches: set[object]) -> int:
    in_flight: deque[asyncio.Future[Receipt]] = deque()
    number = 0
    while time.perf_counter() < until:
        while len(in_flight) < depth:
            in_flight.append(client.append_nowait([_change(number % 16, number)]))
            number += 1
        batches.add((await in_flight.popleft()).at)
        while in_flight and in_flight[0].done():
            batches.add(in_flight.popleft().result().at)
    for future in in_flight:
        batches.add((await future).at)
    return number


async def _measure(scribe: ScribeProcess, callers: int, seconds: float, depth: int, sealed: bool) -> Figure:
    assert scribe.running is not None
    batches: set[object] = set()
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(10)
        before, start = _cpu_seconds(scribe.running.pid), time.perf_counter()
        until = start + seconds
        if depth:
            done = await _pipeline(client, depth, until, batches)
        else:
            counts = (_wait_each(client, caller, until, sealed, batches) for caller in range(callers))
            done = sum(await asyncio.gather(*counts))
        passed = time.perf_counter() - start
        cpu = _cpu_seconds(scribe.running.pid) - before
    name = f"{callers} pipelined, {depth} in flight" if depth else f"{callers} waiting{', sealed' if sealed else ''}"
    return Figure(
        callers=name,
        entries_per_second=done / passed,
        scribe_cpu_us=cpu / done * 1e6,
        batch_size=done / max(1, len(batches)),
    )


SIZES = ((1, 0, False), (32, 0, False), (32, 0, True), (128, 0, False), (1, 100, False), (1, 1000, False))
"""Callers, appends in flight for each (0: wait for every one), and whether each carries a sealed value."""


def measure(seconds: float = 2.0) -> list[Figure]:
    """Run all sizes, each on a fresh ledger."""
    figures = []
    for callers, depth, sealed in SIZES:
        with tempfile.TemporaryDirectory() as directory:
            scribe = ScribeProcess(Path(directory))
            scribe.start()
            try:
                figures.append(asyncio.run(_measure(scribe, callers, seconds, depth, sealed)))
            finally:
                scribe.stop()
    return figures


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.seconds)
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=2))
        return
    print(f"{'callers':<28}{'entries/s':>12}{'CPU us/entry':>14}{'entries/commit':>16}")
    for one in figures:
        print(f"{one.callers:<28}{one.entries_per_second:>12,.0f}{one.scribe_cpu_us:>14.1f}{one.batch_size:>16.1f}")


if __name__ == "__main__":
    main()
