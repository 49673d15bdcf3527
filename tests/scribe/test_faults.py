"""A disk that fails and a clock that is set, under a real scribe: nothing acknowledged is lost or tried again.

Each fault is met in the system call itself (`faults.c`), in the middle of a load, and then healed; the next start has
to find everything that was acknowledged, and the stand-alone verifier nothing to complain of.
"""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.scribe.client import ScribeClient
from sojourn.settings import ScribeSettings
from sojourn.testing.scribe import ScribeProcess

from .faults import TORN, Faults, build, name_of
from .test_process import change, connected, held, verifies

WRITERS = 8


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def faults(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Faults:
    return Faults(library, tmp_path_factory.mktemp("rules"))


@pytest.fixture
def scribe(tmp_path: Path, faults: Faults) -> Iterator[ScribeProcess]:
    made = ScribeProcess(tmp_path, ScribeSettings(checkpoint_seconds=0.05), environment=faults.environment)
    made.start()
    yield made
    if made.running is not None and made.running.poll() is None:
        made.kill()


async def _load(client: ScribeClient, writer: int, size: int, acknowledged: dict[str, int]) -> None:
    number = len(acknowledged)
    with suppress(SojournError):
        while True:
            number += 1
            text = f"writer-{writer}-{number}".ljust(size, "x")
            receipt = await client.append([change(f"w{writer}", source=text)])
            acknowledged[text] = receipt.first


async def _ended(scribe: ScribeProcess) -> tuple[int, str]:
    """How the process ended, and what it said."""
    assert scribe.running is not None
    _, said = await asyncio.wait_for(asyncio.to_thread(scribe.running.communicate), 60)
    return scribe.running.returncode, said


async def _goes_on(scribe: ScribeProcess, acknowledged: dict[str, int]) -> None:
    """Started again, it has all that was acknowledged where it was said to be, takes more, and verifies."""
    scribe.start()
    async with connected(scribe) as client:
        await client.append([change("after")])
        await client.sign()
    assert await asyncio.to_thread(scribe.stop) == (0, "")
    found = {
        one.body.decode().split('"source":"')[1].removesuffix('"}').split('","')[0]: one.seq for one in held(scribe)
    }
    assert {text: found.get(text) for text in acknowledged} == acknowledged
    verifies(scribe)


@pytest.mark.parametrize(
    ("call", "end", "what", "size", "after"),
    [
        ("sync", "ledger.db-wal", errno.EIO, 10, 20),
        ("sync", "ledger.db-wal", errno.ENOSPC, 10, 0),
        ("write", "ledger.db-wal", errno.EIO, 10, 21),
        ("write", "ledger.db-wal", errno.ENOSPC, 10, 20),
        ("write", "ledger.db-wal", TORN, 10, 20),
        ("write", "ledger.db-wal", TORN, 10, 21),
        ("write", "ledger.db-wal", TORN, 20_000, 55),
        # The log is folded into the file once it holds 16 MB.
        ("sync", "ledger.db", errno.EIO, 60_000, 0),
        ("write", "ledger.db", errno.EIO, 60_000, 40),
        ("write", "ledger.db", errno.ENOSPC, 60_000, 0),
        ("write", "ledger.db", TORN, 60_000, 100),
        ("sync", "checkpoint.partial", errno.EIO, 10, 2),
        ("write", "checkpoint.partial", errno.ENOSPC, 10, 2),
        ("write", "checkpoint.partial", TORN, 10, 2),
        ("write", "acknowledged", errno.EIO, 10, 20),
        ("write", "acknowledged", TORN, 10, 20),
    ],
    ids=lambda one: name_of(one) if isinstance(one, str) or one in (errno.EIO, errno.ENOSPC) else str(one),
)
async def test_whatever_the_disk_does_nothing_acknowledged_is_lost(
    scribe: ScribeProcess, faults: Faults, call: str, end: str, what: int | str, size: int, after: int
) -> None:
    acknowledged: dict[str, int] = {}
    async with connected(scribe) as client:
        acknowledged["before"] = (await client.append([change("a", source="before")])).first
        faults.inject(call, end, what, after=after)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for writer in range(WRITERS):
                group.create_task(_load(client, writer, size, acknowledged))
    code, said = await _ended(scribe)
    # Met once, and never asked a second time: what a disk says after a failed sync proves nothing.
    assert faults.met() == [call]
    if what == TORN:
        assert (code, said) == (-signal.SIGKILL, "")
    else:
        assert code == 70
        assert said.startswith("scribe: stopping at once, the record could not be kept:")
        assert said.count("\n") == 1
    faults.heal()
    await _goes_on(scribe, acknowledged)


@pytest.mark.parametrize("end", ["ledger.db", "ledger.db-wal"])
async def test_an_entry_that_cannot_be_read_ends_the_scribe_and_is_not_answered_as_missing(
    scribe: ScribeProcess, faults: Faults, end: str
) -> None:
    acknowledged: dict[str, int] = {}
    async with connected(scribe) as client:
        # More than the memory holds of the file; of a log that is folded once, the end stays in the log.
        for start in range(0, 340 if end == "ledger.db" else 120, 10):
            texts = [f"{start + number}".ljust(60_000, "x") for number in range(10)]
            receipt = await client.append([change("a", source=text) for text in texts])
            acknowledged.update({text: receipt.first + number for number, text in enumerate(texts)})
        await client.sign()
        faults.inject("read", end, errno.EIO)
        with pytest.raises(SojournError) as error:
            for seq in range(len(acknowledged)):
                await client.raw([seq])
        assert error.value.code is Code.RECORD_UNAVAILABLE
    assert (await _ended(scribe))[0] == 70
    scribe.start()
    code, said = await _ended(scribe)
    assert code != 0
    assert said
    faults.heal()
    await _goes_on(scribe, acknowledged)


@pytest.mark.parametrize("seconds", [7200, -7200])
async def test_a_clock_that_is_set_reorders_nothing_and_holds_up_nobody(
    scribe: ScribeProcess, faults: Faults, seconds: int
) -> None:
    acknowledged: dict[str, int] = {}
    times: list[datetime] = []
    async with connected(scribe) as client:
        for wrong in (0, seconds, 0):
            faults.set_clock(wrong)
            for number in range(5):
                receipt = await client.append([change("a", source=f"{wrong}-{len(times)}-{number}")])
                acknowledged[f"{wrong}-{len(times)}-{number}"] = receipt.first
                times.append(receipt.at)
                await client.sign()
    assert all(one <= other for one, other in pairwise(times))
    # Set forwards, the clock shows in the record; afterwards no entry is older than the one before it.
    jumped = times[5] - times[4]
    assert (jumped > timedelta(seconds=7000)) == (seconds > 0)
    assert times[-1] - times[4] < timedelta(seconds=7200 + 60)
    assert (await asyncio.to_thread(scribe.stop))[0] == 0
    await _goes_on(scribe, acknowledged)
