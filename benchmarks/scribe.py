"""How many durable entries a second the scribe takes, and what each costs it in CPU."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sojourn.domain.events import ActionIntended
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.domain.sealed import Sealed
from sojourn.scribe.client import ScribeClient
from sojourn.testing.scribe import ScribeProcess

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    callers: str
    entries_per_second: float
    scribe_cpu_us: float


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
        detail=Sealed(commitment=f"{caller:032x}{number:032x}", key="k-0123456789"),
    )
    return Change(stream=session_stream(session), event=event, seen=None)


async def _measure(scribe: ScribeProcess, callers: int, seconds: float, depth: int) -> Figure:
    """`callers` tasks, each with `depth` appends in flight, for `seconds`."""
    assert scribe.running is not None
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(10)
        done = 0
        until = time.perf_counter() + seconds

        async def call(caller: int) -> None:
            nonlocal done
            number = 0
            while time.perf_counter() < until:
                changes = [_change(caller, number + one) for one in range(depth)]
                await asyncio.gather(*(client.append([change]) for change in changes))
                number += depth
                done += depth

        before, start = _cpu_seconds(scribe.running.pid), time.perf_counter()
        await asyncio.gather(*(call(caller) for caller in range(callers)))
        passed = time.perf_counter() - start
        cpu = _cpu_seconds(scribe.running.pid) - before
    name = f"{callers} waiting" if depth == 1 else f"{callers} with {depth} in flight"
    return Figure(callers=name, entries_per_second=done / passed, scribe_cpu_us=cpu / done * 1e6)


def measure(seconds: float = 2.0) -> list[Figure]:
    """Run all sizes, each on a fresh ledger."""
    figures = []
    for callers, depth in ((1, 1), (32, 1), (128, 1), (16, 100)):
        with tempfile.TemporaryDirectory() as directory:
            scribe = ScribeProcess(Path(directory))
            scribe.start()
            figures.append(asyncio.run(_measure(scribe, callers, seconds, depth)))
            scribe.stop()
    return figures
