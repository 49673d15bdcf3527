"""How many durable entries a second the scribe takes, what each costs it in processor time, and how fast all of them
are verified by the stand-alone verifier.

A disk's time for a sync may change several times over within seconds, so the direct figure is a plain file on the same
disk to which the same bytes are written and synced one after another, in turns with the scribe.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import selectors
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from sojourn.app.verifying import verify_file
from sojourn.domain.events import ActionIntended
from sojourn.domain.history import Change, Receipt
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.domain.sealed import Sealed, Sealing, SealingKey
from sojourn.ledger.merkle import Tree, leaf_hash
from sojourn.scribe.client import ScribeClient
from sojourn.testing.scribe import KEY, ScribeProcess

from .figures import Figure, compared, cpu_seconds, percentile

SIZES = ((1, 0, False), (32, 0, False), (32, 0, True), (128, 0, False), (1, 1000, False))
"""Callers, appends in flight for each (0: wait for every one), and whether each carries a sealed value. What the last
leaves is the ledger that is verified.
"""

SEALING_KEY = SealingKey(key="k-0123456789", subject="p-alice", recipient="auditors", wrapped=bytes(80))
VERIFY_SECONDS_MAX = 300
TURN_SECONDS = 0.5
ENTRY = b"x" * 400
STEADY_RATE = 1000
"""Entries a second, at which waiting is measured."""

PLAIN_SYNCS = 2000


def _change(caller: int, number: int) -> Change:
    session = SessionId(f"s-{caller:010d}")
    event = ActionIntended(
        session=session,
        number=number,
        protocol="postgres",
        verb="read",
        may_write=False,
        objects=("shop.orders",),
        detail=Sealed(commitment=hashlib.sha256(b"%d %d" % (caller, number)).hexdigest(), key=SEALING_KEY.key),
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


def _sealing(change: Change) -> Sealing:
    assert isinstance(change.event, ActionIntended)
    sealed = change.event.detail
    return Sealing(commitment=sealed.commitment, ciphertext=bytes(160), key=SEALING_KEY)


async def _wait_each(client: ScribeClient, caller: int, until: float, *, sealed: bool, batches: set[object]) -> int:
    number = 0
    while time.perf_counter() < until:
        change = _change(caller, number)
        receipt = await client.append([change], sealings=[_sealing(change)] if sealed else ())
        batches.add(receipt.at)
        number += 1
    return number


async def _pipeline(client: ScribeClient, caller: int, depth: int, until: float, *, batches: set[object]) -> int:
    in_flight: deque[asyncio.Future[Receipt]] = deque()
    number = 0
    while time.perf_counter() < until:
        while len(in_flight) < depth:
            in_flight.append(client.append_nowait([_change(caller, number)]))
            number += 1
        batches.add((await in_flight.popleft()).at)
        while in_flight and in_flight[0].done():
            batches.add(in_flight.popleft().result().at)
    for future in in_flight:
        batches.add((await future).at)
    return number


async def _load(
    scribe: ScribeProcess, callers: int, depth: int, *, sealed: bool, turns: int, entries: int
) -> tuple[Figure, ...]:
    """Take turns with a plain file until that many turns are over and there are that many entries."""
    assert scribe.running is not None
    pairs: list[tuple[float, float]] = []
    batches: set[object] = set()
    total, cpu = 0, 0.0
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(10)
        while len(pairs) < turns or total < entries:
            direct = _plain_syncs(scribe.root, TURN_SECONDS / 2)
            before, start = cpu_seconds(scribe.running.pid), time.perf_counter()
            until, first = start + TURN_SECONDS, len(pairs) * callers
            if depth:
                done = await _pipeline(client, first, depth, until, batches=batches)
            else:
                waiting = (
                    _wait_each(client, first + caller, until, sealed=sealed, batches=batches)
                    for caller in range(callers)
                )
                done = sum(await asyncio.gather(*waiting))
            pairs.append((direct, done / (time.perf_counter() - start)))
            cpu += cpu_seconds(scribe.running.pid) - before
            total += done
        if await client.size() != total:
            raise RuntimeError(f"{total} entries were acknowledged, {await client.size()} are in the ledger")
    name = f"{callers} with {depth:,} in flight" if depth else f"{callers} waiting{', sealed' if sealed else ''}"
    return (
        compared(f"durable entries, {name}", "entries/s", pairs),
        Figure(name="  entries in one commit", unit="entries", value=total / len(batches)),
        Figure(name="  scribe's processor time", unit="µs", value=cpu / total * 1e6),
    )


def durable_entries(*, quick: bool) -> Iterator[Figure]:
    """Each size on a fresh ledger of a real scribe, with fsync; then the verification of the last ledger."""
    for callers, depth, sealed in SIZES:
        last = depth > 0
        entries = 0 if not last else 10_000 if quick else 100_000
        with tempfile.TemporaryDirectory() as directory:
            scribe = ScribeProcess(Path(directory))
            scribe.start()
            try:
                yield from asyncio.run(
                    _load(scribe, callers, depth, sealed=sealed, turns=1 if quick else 8, entries=entries)
                )
            finally:
                code, said = scribe.stop()
            if code:
                raise RuntimeError(f"the scribe ended with {code}: {said}")
            if last:
                yield _verify(scribe)


def _punctual() -> asyncio.AbstractEventLoop:
    """A loop whose timers count microseconds. Those of epoll count whole milliseconds, rounded up: what is due a
    thousand times a second would be sent half a millisecond late, and the wait be blamed on the scribe.
    """
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _pace(scribe: ScribeProcess, seconds: float) -> tuple[list[float], list[float], float]:
    """Milliseconds that each append waits at a steady rate, and a plain write and sync by itself; CPU µs an entry.

    Each is sent at its own time, whether the ones before were answered or not, and is timed from when it was due: a
    pause is felt by all that fall into it.
    """
    assert scribe.running is not None
    waited: list[float] = []
    direct: list[float] = []
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(10)
        loop = asyncio.get_running_loop()
        before, start = cpu_seconds(scribe.running.pid), loop.time()
        due, number = start, 0
        flying: set[asyncio.Future[Receipt]] = set()
        while due < start + seconds:
            await asyncio.sleep(max(0.0, due - loop.time()))
            while due <= loop.time():
                sent = client.append_nowait([_change(number % 32, number)])
                sent.add_done_callback(lambda _, due=due: waited.append((loop.time() - due) * 1e3))  # type: ignore[misc]
                flying.add(sent)
                sent.add_done_callback(flying.discard)
                due, number = due + 1 / STEADY_RATE, number + 1
        await asyncio.gather(*flying)
        cpu = cpu_seconds(scribe.running.pid) - before
    with (scribe.root / "plain").open("ab", buffering=0) as file:
        for _ in range(min(number, PLAIN_SYNCS)):
            time.sleep(1 / STEADY_RATE)
            start = time.perf_counter()
            file.write(ENTRY)
            os.fdatasync(file.fileno())
            direct.append((time.perf_counter() - start) * 1e3)
    return waited, direct, cpu / number * 1e6


def added_latency(*, quick: bool) -> Iterator[Figure]:
    """What an append waits while a thousand a second arrive, each at its own time, and what a plain sync takes."""
    with tempfile.TemporaryDirectory() as directory:
        scribe = ScribeProcess(Path(directory))
        scribe.start()
        try:
            with asyncio.Runner(loop_factory=_punctual) as runner:
                waited, direct, cpu = runner.run(_pace(scribe, 2.0 if quick else 20.0))
        finally:
            scribe.stop()
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        plain, through = percentile(direct, part), percentile(waited, part)
        yield Figure(
            name=f"an entry at {STEADY_RATE:,}/s, {name}", unit="ms", direct=plain, value=through, ratio=through / plain
        )
    yield Figure(name="  scribe's processor time", unit="µs", value=cpu)


def _verify(scribe: ScribeProcess) -> Figure:
    start = time.perf_counter()
    told = verify_file(scribe.layout.ledger, keys=[KEY.vkey()])
    passed = time.perf_counter() - start
    if not told.sound:
        raise RuntimeError(f"the ledger does not verify: {told.problems[:3]}")
    entries = told.checked["entries"]
    return Figure(name=f"verification of a ledger of {entries:,} entries", unit="entries/s", value=entries / passed)


def hashing(*, quick: bool) -> Iterator[Figure]:
    """Leaf hashes (RFC 6962) of entries of 400 bytes, and growing the tree by them, in one process."""
    count = 20_000 if quick else 200_000
    start = time.process_time()
    leaves = [leaf_hash(ENTRY) for _ in range(count)]
    yield Figure(name="leaf hashes", unit="hashes/s", value=count / (time.process_time() - start))
    tree = Tree()
    start = time.process_time()
    tree.extend(leaves)
    yield Figure(name="leaves into the tree", unit="leaves/s", value=count / (time.process_time() - start))
