"""The witness's application in this process: its limits, and what it does when its store or its disk fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.submission import submit
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.log import LOG_KEY, MemoryLog
from sojourn.witness.layout import WitnessLayout, add_log, create
from sojourn.witness.rate import ADDRESSES_MAX, RateLimit
from sojourn.witness.server import build
from sojourn.witness.service import Witness
from sojourn.witness.store import Store

KEY = CosigningKey.generate("witness.example/w1", bytes([1]) * 32)
LOG = MemoryLog().grow(30)
FORK = MemoryLog(history="b").grow(30)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def witness(tmp_path: Path, clock: SimulatedClock) -> Iterator[Witness]:
    layout = WitnessLayout(root=tmp_path / "w")
    create(layout, KEY)
    add_log(layout, LOG_KEY.verifier())
    store = Store(layout.database)
    yield Witness(layout=layout, key=KEY, store=store, clock=clock.now)
    store.close()


def client(witness: Witness, *, limit: RateLimit | None = None, failed: list[bool] | None = None) -> httpx2.AsyncClient:
    limit = limit or RateLimit(per_second=1000, burst=1000, monotonic=lambda: 0.0)
    told = failed if failed is not None else []
    application = build(witness, limit=limit, failed=lambda: told.append(True))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application), base_url="http://witness")


def body(log: MemoryLog, old: int, new: int) -> bytes:
    return submit(log.note(new), old=old, proof=log.proof(old, new)).format()


async def test_one_address_is_answered_only_so_many_requests_a_second(witness: Witness) -> None:
    now = [0.0]
    async with client(witness, limit=RateLimit(per_second=1, burst=3, monotonic=lambda: now[0])) as asked:
        assert [(await asked.get("/")).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert (await asked.post("/add-checkpoint", content=body(LOG, 0, 3))).headers["Retry-After"] == "1"
        now[0] = 1.0
        assert (await asked.post("/add-checkpoint", content=body(LOG, 0, 3))).status_code == 200
        assert (await asked.get("/")).status_code == 429


def test_the_memory_of_addresses_is_bounded_and_a_rest_is_credited_only_to_the_burst() -> None:
    now = [0.0]
    limit = RateLimit(per_second=1, burst=2, monotonic=lambda: now[0])
    for n in range(ADDRESSES_MAX + 10):
        assert limit.take(str(n))
    assert len(limit._buckets) == ADDRESSES_MAX
    now[0] = 1e9
    assert [limit.take("x") for _ in range(3)] == [True, True, False]


async def test_nothing_is_cosigned_once_the_store_has_failed(witness: Witness) -> None:
    failed: list[bool] = []
    store = Store(witness.layout.root / "other.db")
    store.close()
    broken = replace(witness, store=store)
    async with client(broken, failed=failed) as asked:
        for _ in range(2):
            answer = await asked.post("/add-checkpoint", content=body(LOG, 0, 3))
            assert answer.status_code == 503 and "—" not in answer.text
    assert failed == [True]


async def test_a_full_disk_gives_no_cosignature(witness: Witness) -> None:
    failed: list[bool] = []
    pages = witness.store._connection.execute("PRAGMA page_count").fetchone()[0]
    witness.store._connection.execute(f"PRAGMA max_page_count = {pages}")
    sizes = [0, *range(1, 31)]
    async with client(witness, failed=failed) as asked:
        answers = [await asked.post("/add-checkpoint", content=body(LOG, *pair)) for pair in pairwise(sizes)]
    codes = [one.status_code for one in answers]
    cosigned = codes.index(503)
    assert set(codes[:cosigned]) <= {200} and set(codes[cosigned:]) == {503} and failed == [True]
    held = witness.store.latest(LOG_KEY.name)
    assert (held.size if held else 0) == cosigned


async def test_a_fork_is_refused_also_when_the_evidence_cannot_be_kept(witness: Witness) -> None:
    async with client(witness) as asked:
        assert (await asked.post("/add-checkpoint", content=body(LOG, 0, 9))).status_code == 200
        witness.layout.evidence.rmdir()
        witness.layout.evidence.write_text("in the way")
        assert (await asked.post("/add-checkpoint", content=body(FORK, 0, 9))).status_code == 409


async def test_a_clock_that_is_set_back_does_not_set_the_witness_back(witness: Witness, clock: SimulatedClock) -> None:
    async with client(witness) as asked:
        first = (await asked.post("/add-checkpoint", content=body(LOG, 0, 9))).text
        clock.advance(-timedelta(days=30))
        second = (await asked.post("/add-checkpoint", content=body(LOG, 9, 12))).text
    times = [
        cosignatures.read_answer(LOG.note(size), answer, KEY.cosigner()).seconds
        for size, answer in ((9, first), (12, second))
    ]
    assert times[0] == times[1]
