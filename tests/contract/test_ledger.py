"""What every ledger promises to the workflow: run on the one in memory and on a real scribe."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import pytest

from sojourn.codes import Code
from sojourn.domain.events import CancelRequested, KeysDestroyed
from sojourn.domain.history import Change, Guard, Recorded
from sojourn.domain.identifiers import KEEPING, PersonId, SessionId, StreamName, session_stream
from sojourn.domain.sealed import RecordClass, Sealing, SealingKey
from sojourn.errors import SojournError
from sojourn.scribe.client import ScribeClient
from sojourn.testing.ledger import MemoryLedger

Ledger = MemoryLedger | ScribeClient


def change(name: str, seen: int | None = None, source: str = "here") -> Change:
    session = SessionId(f"s-{name}")
    return Change(stream=session_stream(session), event=CancelRequested(session=session, source=source), seen=seen)


def stream(name: str) -> StreamName:
    return StreamName(f"session/s-{name}")


def sealing(text: str, key: str = "k-1") -> Sealing:
    commitment = hashlib.sha256(text.encode()).hexdigest()
    return Sealing(
        commitment=commitment,
        ciphertext=text.encode(),
        key=SealingKey(key=key, subject="p-alice", recipient="auditors", wrapped=b"wrapped"),
    )


def tombstone(*keys: str) -> Change:
    event = KeysDestroyed(
        cause="sh-1", person=PersonId("p-alice"), record_class=RecordClass.REASON, keys=keys, values=len(keys)
    )
    return Change(stream=KEEPING, event=event, seen=None)


def refused(error: pytest.ExceptionInfo[SojournError]) -> tuple[Code, str | None]:
    return error.value.code, error.value.refusal.details.get("stream")


async def test_what_was_appended_is_read_back_in_order(ledger: Ledger) -> None:
    first = await ledger.append([change("a", 0, "one"), change("a", 1, "two")])
    second = await ledger.append([change("a", 2, "three")])
    assert (first.first, first.size, second.first, second.size) == (0, 2, 2, 3)
    found = await ledger.stream(stream("a"))
    assert [(one.seq, one.version, one.event) for one in found] == [
        (number, number + 1, change("a", source=text).event) for number, text in enumerate(["one", "two", "three"])
    ]
    assert [one.at for one in found] == [first.at, first.at, second.at]


async def test_a_stream_that_does_not_exist_is_empty(ledger: Ledger) -> None:
    assert await ledger.stream(stream("nobody")) == ()
    assert await ledger.size() == 0


async def test_places_run_over_all_streams_and_versions_within_each(ledger: Ledger) -> None:
    for name in "abab":
        await ledger.append([change(name)])
    everything = await ledger.read(0, 100)
    assert [(one.seq, one.stream, one.version) for one in everything] == [
        (0, stream("a"), 1),
        (1, stream("b"), 1),
        (2, stream("a"), 2),
        (3, stream("b"), 2),
    ]


@pytest.mark.parametrize("seen", [0, 2, 7])
async def test_a_stream_that_has_moved_on_refuses_the_append(ledger: Ledger, seen: int) -> None:
    await ledger.append([change("a", 0)])
    with pytest.raises(SojournError) as error:
        await ledger.append([change("a", seen)])
    assert refused(error) == (Code.RECORD_STALE, stream("a"))
    assert await ledger.size() == 1


async def test_a_guard_that_has_moved_on_refuses_the_append(ledger: Ledger) -> None:
    await ledger.append([change("a", 0)])
    with pytest.raises(SojournError) as error:
        await ledger.append([change("b", 0)], guards=[Guard(stream=stream("a"), seen=0)])
    assert refused(error) == (Code.RECORD_STALE, stream("a"))
    assert await ledger.stream(stream("b")) == ()
    await ledger.append([change("b", 0)], guards=[Guard(stream=stream("a"), seen=1), Guard(stream=stream("c"), seen=0)])
    assert await ledger.size() == 2


async def test_of_an_append_that_is_refused_nothing_is_recorded(ledger: Ledger) -> None:
    one = sealing("secret")
    with pytest.raises(SojournError):
        await ledger.append([change("a", 0), change("b", 5)], sealings=[one])
    assert await ledger.read(0, 10) == ()
    assert await ledger.matter([one.sealed.commitment]) == ()
    receipt = await ledger.append([change("a", 0)])
    assert receipt.first == 0


async def test_a_change_without_a_version_goes_to_the_end(ledger: Ledger) -> None:
    await asyncio.gather(*(ledger.append([change("a"), change("a")]) for _ in range(10)))
    assert [one.version for one in await ledger.stream(stream("a"))] == list(range(1, 21))


async def test_of_many_who_saw_the_same_version_exactly_one_wins(ledger: Ledger) -> None:
    outcomes = await asyncio.gather(
        *(ledger.append([change("a", 0, f"caller-{caller}")]) for caller in range(20)), return_exceptions=True
    )
    losers = [one for one in outcomes if isinstance(one, SojournError)]
    assert len(losers) == 19
    assert {one.code for one in losers} == {Code.RECORD_STALE}
    assert len(await ledger.stream(stream("a"))) == 1


async def test_sealed_values_and_their_keys_are_recorded_with_the_append(ledger: Ledger) -> None:
    first, second = sealing("one"), sealing("two")
    await ledger.append([change("a")], sealings=[first])
    await ledger.append([change("a")], sealings=[second])
    asked = [second.sealed.commitment, "0" * 64, first.sealed.commitment]
    assert await ledger.matter(asked) == ((second.matter, second.key), (first.matter, first.key))


async def test_a_tombstone_destroys_keys_and_only_the_entries_stay(ledger: Ledger) -> None:
    one, other = sealing("one", "k-1"), sealing("two", "k-2")
    await ledger.append([change("a")], sealings=[one, other])
    await ledger.append([tombstone("k-1")])
    assert await ledger.matter([one.sealed.commitment, other.sealed.commitment]) == ((other.matter, other.key),)
    assert [(key.key, key.destroyed) for key in await ledger.keys("p-alice")] == [("k-1", True), ("k-2", False)]
    for again in (tombstone("k-1"), tombstone("k-3")):
        with pytest.raises(SojournError) as error:
            await ledger.append([again])
        assert refused(error) == (Code.RECORD_STALE, "keeping")
    late = sealing("three", "k-1")
    await ledger.append([change("a")], sealings=[late])
    assert await ledger.matter([late.sealed.commitment]) == ()
    assert await ledger.size() == 3


async def test_an_attachment_is_found_by_its_hash(ledger: Ledger) -> None:
    content = bytes(range(256)) * 1000
    await ledger.append([change("a")], attachments=[content, b""])
    assert await ledger.attachment(hashlib.sha256(content).hexdigest()) == content
    assert await ledger.attachment(hashlib.sha256(b"").hexdigest()) == b""


async def test_reading_keeps_to_its_prefixes_its_start_and_its_limit(ledger: Ledger) -> None:
    for name in ["a1", "b1", "a2", "b2", "a3"]:
        await ledger.append([change(name)])
    assert [one.seq for one in await ledger.read(1, 10, ("session/s-a",))] == [2, 4]
    assert [one.seq for one in await ledger.read(0, 2, ("session/s-a",))] == [0, 2]
    assert [one.seq for one in await ledger.read(0, 10, ("session/s-b", "session/s-a3"))] == [1, 3, 4]
    assert await ledger.read(5, 10) == ()
    assert await ledger.read(0, 10, ("grant/",)) == ()


async def _follow(ledger: Ledger, start: int, prefixes: tuple[str, ...], count: int) -> list[Recorded]:
    found: list[Recorded] = []
    followed = cast("AsyncGenerator[tuple[Recorded, ...], None]", ledger.follow(start, prefixes))
    async with asyncio.timeout(20), aclosing(followed) as batches:
        async for batch in batches:
            found.extend(batch)
            if len(found) >= count:
                break
    return found


async def test_a_follower_gets_what_is_there_and_then_what_is_added(ledger: Ledger) -> None:
    await ledger.append([change("a")])
    everything = asyncio.ensure_future(_follow(ledger, 0, (), 21))
    only_a = asyncio.ensure_future(_follow(ledger, 1, ("session/s-a",), 10))
    for _ in range(10):
        await ledger.append([change("b")])
        await ledger.append([change("a")])
        await asyncio.sleep(0.002)
    assert [one.seq for one in await everything] == list(range(21))
    assert [one.seq for one in await only_a] == list(range(2, 21, 2))


async def test_a_follower_may_start_ahead_of_the_ledger(ledger: Ledger) -> None:
    waiting = asyncio.ensure_future(_follow(ledger, 3, (), 1))
    for number in range(5):
        await asyncio.sleep(0.002)
        await ledger.append([change(f"n{number}")])
    assert (await waiting)[0].seq == 3
