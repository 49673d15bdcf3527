"""Real witnesses cosign the checkpoints of a real scribe; who is late, gone, or of another opinion is on record."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx2
import pytest

from sojourn.app.copies import late_copies
from sojourn.app.publisher import report
from sojourn.domain.events import (
    PublicationOverdue,
    PublicationRefused,
    PublicationResumed,
    WitnessPolicyAdopted,
)
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import policy as policies
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.note import Verifier
from sojourn.ledger.policy import Policy
from sojourn.publisher.asking import http_client
from sojourn.publisher.tasks import Context
from sojourn.publisher.witnesses import Witnessing, adopt_policy
from sojourn.settings import PublisherSettings, Settings, WitnessSettings
from sojourn.testing.log import MemoryLog
from sojourn.testing.scribe import KEY
from sojourn.testing.witness import WitnessHere

from .conftest import Desk, fill

Make = Callable[..., WitnessHere]


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Make]:
    """Makes witnesses that know the scribe's ledger, and starts them."""
    made: list[WitnessHere] = []

    def make(name: str, *, start: bool = True, log: Verifier | None = None) -> WitnessHere:
        one = WitnessHere.make(tmp_path / name, log or KEY.verifier(), name=f"{name}.example/w")
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.close()


@dataclass(slots=True)
class Rounds:
    """The task that is tested, and what it kept."""

    desk: Desk
    witnessing: Witnessing
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The size of the newest checkpoint that met the policy."""
        return checkpoints.open(self.notes[-1], KEY.verifier()).size if self.notes else 0

    def has(self, size: int) -> bool:
        """Whether the newest is of this size."""
        return self.size == size

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Context]:
        async with self.desk.running(self.witnessing.run) as context:
            yield context


def policy_of(quorum: str, *witnesses: WitnessHere) -> Policy:
    """A policy with these witnesses, called by the first word of their names, in one group."""
    names = [one.key.name.split(".")[0] for one in witnesses]
    lines = [f"witness {name} {one.vkey} {one.url}" for name, one in zip(names, witnesses, strict=True)]
    group = f"group us {quorum} {' '.join(names)}"
    return policies.parse("\n".join([*lines, group, "quorum us", ""]).encode())


def rounds(desk: Desk, policy: Policy, answer_seconds: float = 2.0) -> Rounds:
    settings = WitnessSettings(seconds=0.05, answer_seconds=answer_seconds)
    desk.settings = dataclasses.replace(desk.settings, witness=settings)
    notes: list[str] = []
    witnessing = Witnessing(policy=policy, open_http=http_client, keep=notes.append)
    return Rounds(desk, witnessing, notes)


async def test_what_is_recorded_is_cosigned_by_every_witness_on_the_same_checkpoint(desk: Desk, witness: Make) -> None:
    policy = policy_of("all", witness("one"), witness("two"), witness("three"))
    task = rounds(desk, policy)
    async with task.running():
        for size in (1, 300, 2000):
            await fill(desk.ledger, size - await desk.ledger.size())
            await desk.until(partial(task.has, size))
            accepted = policies.accept(policy, task.notes[-1], [KEY.verifier()])
            assert set(accepted.witnessed) == {"one", "two", "three"}
    assert all(seen.behind_since is None and not seen.problem for seen in desk.seen.values())
    assert set(desk.seen) == {"witness:one", "witness:two", "witness:three", "quorum"}
    assert await desk.on_record() == []


async def test_the_task_goes_on_where_the_witness_stands_after_a_restart(desk: Desk, witness: Make) -> None:
    policy = policy_of("all", witness("one"))
    await fill(desk.ledger, 10)
    for size in (10, 20):
        await fill(desk.ledger, size - await desk.ledger.size())
        task = rounds(desk, policy)
        async with task.running():
            await desk.until(partial(task.has, size))


class InHalfAnHour:
    """A clock."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=31)


async def test_a_quorum_that_is_left_is_enough_and_who_is_gone_is_on_record_once(desk: Desk, witness: Make) -> None:
    one, two, gone = witness("one"), witness("two"), witness("gone")
    task = rounds(desk, policy_of("2", one, two, gone), answer_seconds=0.3)
    async with task.running():
        await fill(desk.ledger, 5)
        await desk.until(lambda: task.size == 5)
        gone.stop()
        await fill(desk.ledger, 5)
        await desk.until(lambda: task.size == 10 and desk.seen["witness:gone"].problem)
        assert "no answer within 0.3 seconds" in desk.seen["witness:gone"].problem
        assert await desk.on_record() == []
        desk.clock.advance(timedelta(minutes=11))
        overdue = await desk.until_recorded(PublicationOverdue)
        assert isinstance(overdue, PublicationOverdue) and overdue.place == "witness:gone" and overdue.published == 5
        rounds_before = len(task.notes)
        await desk.until(lambda: len(task.notes) > rounds_before + 3)
        gone.start()
        resumed = await desk.until_recorded(PublicationResumed)
        assert isinstance(resumed, PublicationResumed) and resumed.place == "witness:gone"
        assert len(await desk.on_record()) == 2


async def test_a_quorum_that_is_missed_is_on_record_and_the_ledger_goes_on(desk: Desk, witness: Make) -> None:
    one, gone = witness("one"), witness("gone", start=False)
    task = rounds(desk, policy_of("all", one, gone))
    gone.listener.close()
    async with task.running():
        await fill(desk.ledger, 5)
        await desk.until(lambda: "quorum" in desk.seen and "witness:gone" in desk.seen)
        desk.clock.advance(timedelta(minutes=11))
        await desk.until_recorded(PublicationOverdue, times=2)
        places = {event.place for event in await desk.on_record() if isinstance(event, PublicationOverdue)}
        assert places == {"witness:gone", "quorum"}
        assert "1 of 2 witnesses" in desk.seen["quorum"].problem and task.notes == []


async def test_a_quorum_that_is_missed_for_long_keeps_accesses_from_beginning_until_it_is_back(
    desk: Desk, witness: Make
) -> None:
    layout = desk.scribe.layout
    one, gone = witness("one"), witness("gone")
    policy = policy_of("all", one, gone)
    settings = Settings(
        publisher=PublisherSettings(folder="", refuse_after_minutes=30),
        witness=WitnessSettings(policy=("quorum none",)),
    )
    late = late_copies(layout, settings, desk.ledger, InHalfAnHour())
    assert late is not None
    task = rounds(desk, policy, answer_seconds=0.3)
    async with task.running():
        await fill(desk.ledger, 5)
        await desk.until(lambda: task.size == 5)
        gone.stop()
        await fill(desk.ledger, 5)
        await desk.until(lambda: desk.seen["quorum"].size == 10)
        report(layout.published, desk.seen)
        found = await late()
        assert found is not None and (found.place, found.published) == ("quorum", 5)
        gone.start()
        await desk.until(lambda: task.size == 10)
        await desk.until(lambda: desk.seen["quorum"].published == 10)
        report(layout.published, desk.seen)
        assert await late() is None


async def test_a_ledger_that_was_rolled_back_while_it_ran_is_on_record_as_refused(desk: Desk, witness: Make) -> None:
    one = witness("one")
    task = rounds(desk, policy_of("all", one))
    async with task.running():
        await fill(desk.ledger, 20)
        await desk.until(lambda: task.size == 20)
    # The witness has seen more of this very ledger than a store that was put back holds.
    ahead = MemoryLog(key=KEY)
    other = witness("other")
    answer = httpx2.post(f"{other.url}/add-checkpoint", content=f"old 0\n\n{ahead.note(100)}".encode())
    assert answer.status_code == 200
    task = rounds(desk, policy_of("all", other))
    async with task.running():
        refused = await desk.until_recorded(PublicationRefused)
        assert isinstance(refused, PublicationRefused) and refused.place == "witness:other"
        await fill(desk.ledger, 5)
        await desk.until(lambda: desk.seen["witness:other"].size >= 26)
        assert [event.kind for event in await desk.on_record()] == [PublicationRefused.kind]
    assert "a larger ledger than this one, under this ledger's own signature" in refused.problem
    assert task.notes == []


async def test_a_witness_of_another_history_is_on_record_as_refused(desk: Desk, witness: Make) -> None:
    one = witness("one")
    fork = MemoryLog(key=KEY)
    assert httpx2.post(f"{one.url}/add-checkpoint", content=f"old 0\n\n{fork.note(7)}".encode()).status_code == 200
    await fill(desk.ledger, 7)
    task = rounds(desk, policy_of("all", one))
    async with task.running():
        refused = await desk.until_recorded(PublicationRefused)
        assert isinstance(refused, PublicationRefused) and "another history" in refused.problem
        await fill(desk.ledger, 7)
        await desk.until(lambda: desk.seen["witness:one"].size >= 15)
        assert [event.kind for event in await desk.on_record()] == [PublicationRefused.kind]
    assert task.notes == []


async def test_a_witness_that_does_not_know_the_ledger_tells_its_owner_what_to_do(desk: Desk, witness: Make) -> None:
    task = rounds(desk, policy_of("all", witness("one", log=MemoryLog().key.verifier())))
    await fill(desk.ledger, 3)
    async with task.running():
        await desk.until(lambda: "witness:one" in desk.seen)
    assert "sojourn witness add-log" in desk.seen["witness:one"].problem


async def test_a_cosignature_by_another_key_is_not_taken(desk: Desk, witness: Make) -> None:
    one = witness("one")
    impostor = CosigningKey.generate(one.key.name, bytes(32)).cosigner().vkey()
    policy = policies.parse(f"witness one {impostor} {one.url}\nquorum one\n".encode())
    task = rounds(desk, policy)
    await fill(desk.ledger, 3)
    async with task.running():
        await desk.until(lambda: "witness:one" in desk.seen)
    assert "holds no cosignature" in desk.seen["witness:one"].problem and task.notes == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\xff\xff",
        b"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\n-1\n",
        b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n3\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_no_answer_of_a_witness_stops_the_task(desk: Desk, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    key = CosigningKey.generate("odd.example/w", bytes(32)).cosigner().vkey()
    task = rounds(desk, policies.parse(f"witness odd {key} http://127.0.0.1:{port}\nquorum odd\n".encode()))
    await fill(desk.ledger, 2)
    async with task.running():
        await desk.until(lambda: "quorum" in desk.seen)
        assert desk.seen["witness:odd"].problem and not desk.seen["witness:odd"].contradicts
    server.close()
    assert task.notes == []


async def test_a_scribe_that_is_killed_only_delays_the_cosignature(desk: Desk, witness: Make) -> None:
    task = rounds(desk, policy_of("all", witness("one")))
    async with task.running():
        await fill(desk.ledger, 5)
        await desk.until(lambda: task.size == 5)
        desk.scribe.kill()
        desk.scribe.start()
        size = 0
        async with asyncio.timeout(20):
            while not size:
                with suppress(SojournError):
                    await fill(desk.ledger, 5)
                    size = await desk.ledger.size()
                await asyncio.sleep(0.02)
        await desk.until(partial(task.has, size))


async def test_the_policy_is_on_record_once_and_again_when_it_changes_or_goes(desk: Desk, witness: Make) -> None:
    one, two = witness("one"), witness("two")
    texts = [
        f"witness one {one.vkey} {one.url}\nquorum one\n".encode(),
        f"witness two {two.vkey} {two.url}\nquorum two\n".encode(),
        b"",
    ]
    await adopt_policy(desk.context(), b"")
    assert await desk.on_record() == []
    for text in texts:
        for _ in range(2):
            await partial(adopt_policy, data=text)(desk.context())
    adopted = [event for event in await desk.on_record() if isinstance(event, WitnessPolicyAdopted)]
    assert [event.quorum for event in adopted] == ["one", "two", "none"]
    assert [event.witnesses for event in adopted] == [(one.vkey,), (two.vkey,), ()]
    assert adopted[0].sha256 == hashlib.sha256(texts[0]).hexdigest() and adopted[2].sha256 == ""
    assert await desk.ledger.attachment(adopted[1].sha256) == texts[1]
