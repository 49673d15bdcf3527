"""How many durable entries a second the scribe takes, what each costs it in processor time, and how fast all of them
are verified by the stand-alone verifier.

A disk's time for a sync may change several times over within seconds, so the direct figure is a plain file on the same
disk to which the same bytes are written and synced one after another, in turns with the scribe.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sojourn.domain.events import ActionIntended
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.domain.sealed import Sealed
from sojourn.ledger.merkle import Tree, leaf_hash
from sojourn.scribe.client import ScribeClient
from sojourn.testing.scribe import KEY, ScribeProcess

from .figures import Figure, compared, cpu_seconds

CALLERS = ((1, 1), (32, 1), (128, 1), (16, 100))
"""How many ask, and how many appends each has in flight; the last leaves the ledger that is verified."""

VERIFY_SECONDS_MAX = 300
TURN_SECONDS = 0.5
ENTRY = b"x" * 400


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


def _plain_syncs(directory: Path, seconds: float) -> float:
    """Entries a second that a plain file takes, each written and synced by itself."""
    count, start = 0, time.perf_counter()
    with (directory / "plain").open("ab", buffering=0) as file:
        while (passed := time.perf_counter() - start) < seconds:
            file.write(ENTRY)
            os.fdatasync(file.fileno())
            count += 1
    return count / passed


async def _turn(client: ScribeClient, turn: int, callers: int, depth: int, seconds: float) -> tuple[int, float]:
    """`callers` tasks, each with `depth` appends in flight, for `seconds`; gives entries and seconds."""
    done, start = 0, time.perf_counter()

    async def call(caller: int) -> None:
        nonlocal done
        number = 0
        while time.perf_counter() - start < seconds:
            changes = [_change(turn * callers + caller, number + one) for one in range(depth)]
            await asyncio.gather(*(client.append([change]) for change in changes))
            number += depth
            done += depth

    await asyncio.gather(*(call(caller) for caller in range(callers)))
    return done, time.perf_counter() - start


async def _load(scribe: ScribeProcess, callers: int, depth: int, *, turns: int, entries: int) -> tuple[Figure, ...]:
    """Take turns with a plain file until that many turns are over and there are that many entries."""
    assert scribe.running is not None
    pairs: list[tuple[float, float]] = []
    total, cpu = 0, 0.0
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(10)
        while len(pairs) < turns or total < entries:
            direct = _plain_syncs(scribe.root, TURN_SECONDS / 2)
            before = cpu_seconds(scribe.running.pid)
            done, passed = await _turn(client, len(pairs), callers, depth, TURN_SECONDS)
            cpu += cpu_seconds(scribe.running.pid) - before
            total += done
            pairs.append((direct, done / passed))
        if await client.size() != total:
            raise RuntimeError(f"{total} entries were acknowledged, {await client.size()} are in the ledger")
    name = f"{callers} waiting" if depth == 1 else f"{callers} with {depth} in flight"
    return (
        compared(f"durable entries, {name}", "entries/s", pairs),
        Figure(name="  scribe's processor time", unit="µs", value=cpu / total * 1e6),
    )


def durable_entries(*, quick: bool) -> Iterator[Figure]:
    """Each size on a fresh ledger of a real scribe, with fsync; then the verification of the last ledger."""
    for callers, depth in CALLERS:
        last = depth > 1
        entries = 0 if not last else 10_000 if quick else 100_000
        with tempfile.TemporaryDirectory() as directory:
            scribe = ScribeProcess(Path(directory))
            scribe.start()
            try:
                yield from asyncio.run(_load(scribe, callers, depth, turns=2 if quick else 8, entries=entries))
            finally:
                code, said = scribe.stop()
            if code:
                raise RuntimeError(f"the scribe ended with {code}: {said}")
            if last:
                yield _verify(scribe)


def _verify(scribe: ScribeProcess) -> Figure:
    command = [sys.executable, "-m", "sojourn_verify", str(scribe.layout.ledger), "--key", KEY.vkey(), "--json"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=VERIFY_SECONDS_MAX, check=False)
    passed = time.perf_counter() - start
    told = json.loads(done.stdout)
    if not told["ok"]:
        raise RuntimeError(f"the ledger does not verify: {told['problems'][:3]}")
    entries = told["checked"]["entries"]
    return Figure(name=f"verification of a ledger of {entries:,} entries", unit="entries/s", value=entries / passed)


def hashing(*, quick: bool) -> Iterator[Figure]:
    """Leaf hashes (RFC 6962) of entries of 400 bytes, and growing the tree by them, in one process."""
    count = 20_000 if quick else 200_000
    start = time.perf_counter()
    leaves = [leaf_hash(ENTRY) for _ in range(count)]
    yield Figure(name="leaf hashes", unit="hashes/s", value=count / (time.perf_counter() - start))
    tree = Tree()
    start = time.perf_counter()
    tree.extend(leaves)
    yield Figure(name="leaves into the tree", unit="leaves/s", value=count / (time.perf_counter() - start))
