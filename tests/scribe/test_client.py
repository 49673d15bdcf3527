"""The client: what it sends, and what it does when the scribe is away."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import cast

import pytest

from sojourn.codes import Code
from sojourn.domain.history import Recorded
from sojourn.domain.sealed import Sealing, SealingKey
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from sojourn.ledger.note import Verifier
from sojourn.scribe import connection, protocol
from sojourn.scribe.client import ScribeClient
from sojourn.testing.scribe import KEY, ScribeProcess

from .test_process import change, connected


def sealing(text: str, key: str = "k-1") -> Sealing:
    commitment = hashlib.sha256(text.encode()).hexdigest()
    return Sealing(
        commitment=commitment,
        ciphertext=text.encode(),
        key=SealingKey(key=key, subject="p-alice", recipient="auditors", wrapped=b"wrapped"),
    )


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_without_a_scribe_every_call_fails_at_once(tmp_path: Path) -> None:
    async with ScribeClient(tmp_path / "nobody.sock") as client:
        for call in (client.append([change("a")]), client.read(0, 1), client.sign(), client.connected(0.05)):
            with pytest.raises(SojournError) as error:
                async with asyncio.timeout(2):
                    await call
            assert error.value.code is Code.RECORD_UNAVAILABLE


async def test_it_connects_again_by_itself_and_a_call_in_flight_fails(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        await client.append([change("a", 0)])
        assert scribe.running is not None
        scribe.running.send_signal(signal.SIGSTOP)
        in_flight = client.append_nowait([change("a", 1)])
        await asyncio.sleep(0.05)
        assert not in_flight.done()
        await asyncio.to_thread(scribe.kill)
        with pytest.raises(SojournError) as error:
            await in_flight
        assert error.value.code is Code.RECORD_UNAVAILABLE
        scribe.start()
        await client.connected(20)
        size = await client.size()
        assert (await client.append([change("a", size)])).first == size


async def test_a_scribe_that_does_not_answer_is_not_waited_for_without_end(
    scribe: ScribeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SWEEP_SECONDS", 0.2)
    async with connected(scribe) as client:
        await client.append([change("a")])
        assert scribe.running is not None
        scribe.running.send_signal(signal.SIGSTOP)
        with pytest.raises(SojournError) as error:
            async with asyncio.timeout(5):
                await client.append([change("a")])
        assert error.value.code is Code.RECORD_UNAVAILABLE
        scribe.running.send_signal(signal.SIGCONT)
        assert (await client.append([change("b")])).first == 2, "the append that was given up on was recorded"


async def test_closing_hangs_up_and_fails_what_is_in_flight(scribe: ScribeProcess) -> None:
    client = ScribeClient(scribe.layout.scribe_socket)
    await client.start()
    await client.connected(20)
    before = _descriptors()
    assert scribe.running is not None
    scribe.running.send_signal(signal.SIGSTOP)
    in_flight = client.append_nowait([change("a")])
    await client.close()
    with pytest.raises(SojournError):
        await in_flight
    await asyncio.sleep(0)
    assert _descriptors() == before - 1
    with pytest.raises(SojournError):
        await client.append([change("a")])


async def test_a_follower_loses_and_repeats_nothing_over_restarts(scribe: ScribeProcess) -> None:
    found: list[Recorded] = []
    done = asyncio.Event()

    async def follow(client: ScribeClient) -> None:
        followed = cast("AsyncGenerator[tuple[Recorded, ...], None]", client.follow(0, ("session/s-a",)))
        async with aclosing(followed) as batches:
            async for batch in batches:
                found.extend(batch)
                if batch[-1].event == change("a", source="last").event:
                    done.set()
                    return

    async with connected(scribe) as follower, connected(scribe) as writer:
        task = asyncio.ensure_future(follow(follower))
        for _ in range(4):
            for _ in range(20):
                await asyncio.gather(writer.append([change("a")]), writer.append([change("b")]))
            await asyncio.to_thread(scribe.kill)
            with pytest.raises(SojournError):
                while True:
                    await writer.head()
            scribe.start()
            await writer.connected(20)
        await writer.append([change("a", source="last")])
        async with asyncio.timeout(20):
            await done.wait()
        await task
        expected = [one.seq for one in await writer.read(0, 2000, ("session/s-a",))]
    assert [one.seq for one in found] == expected
    assert [one.version for one in found] == list(range(1, 82))


async def test_followers_that_were_given_up_leave_the_scribe_usable(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        for _ in range(20):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    async for _ in client.follow(0):
                        pass
        assert (await client.append([change("a")])).first == 0
        async with asyncio.timeout(5):
            async for batch in client.follow(0):
                assert batch[0].seq == 0
                break


async def test_appends_sent_one_after_the_other_are_recorded_in_that_order(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        sent = [client.append_nowait([change(f"n{number % 7}")]) for number in range(3000)]
        receipts = await asyncio.gather(*sent)
        assert [one.first for one in receipts] == list(range(3000))
        assert len({one.at for one in receipts}) < 300, "appends in flight together share their commits"


async def test_a_sealing_key_is_sent_once_on_a_connection(
    scribe: ScribeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    def counting(call: protocol.Call) -> bytes:
        if isinstance(call, protocol.Append):
            sent.append(len(call.keys))
        return protocol.frame(call)

    monkeypatch.setattr("sojourn.scribe.client.frame", counting)
    async with connected(scribe) as client:
        await client.append([change("a")], sealings=[sealing("one"), sealing("two")])
        await client.append([change("a")], sealings=[sealing("three")])
        with pytest.raises(SojournError):
            await client.append([change("a", 99)], sealings=[sealing("four", "k-2")])
        await client.append([change("a")], sealings=[sealing("four", "k-2")])
        assert sent == [1, 0, 1, 1]
        assert (
            len(await client.matter([sealing(text).sealed.commitment for text in ("one", "two", "three", "four")])) == 4
        )


async def test_large_matter_and_many_entries_come_back_in_pages(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        texts = [f"{number}-" + "x" * 1_500_000 for number in range(12)]
        for text in texts:
            await client.append([change("a", source="y" * 50_000)] * 20, sealings=[sealing(text)])
        found = await client.matter([sealing(text).sealed.commitment for text in texts])
        assert [matter.ciphertext.decode() for matter, _ in found] == texts
        assert len(await client.raw_stream(change("a").stream)) == 240
        assert len(await client.raw(range(240))) == 240
        assert len([one async for one in _pages(client, 240)]) > 1


async def _pages(client: ScribeClient, size: int) -> AsyncIterator[tuple[Recorded, ...]]:
    start = 0
    while start < size:
        page = await client.read(start, size)
        yield page
        start = page[-1].seq + 1


async def test_a_rare_stream_is_found_however_far_away_it_is(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        for _ in range(9):
            await client.append([change("a")] * 5000)
        receipt = await client.append([change("rare")])
        (found,) = await client.read(0, 5, ("session/s-rare",))
        assert found.seq == receipt.first == 45_000
        async with asyncio.timeout(10):
            async for batch in client.follow(0, ("session/s-rare",)):
                assert [one.seq for one in batch] == [45_000]
                break


async def test_a_frame_over_the_bound_is_refused_before_it_is_sent(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        with pytest.raises(SojournError) as error:
            await client.append([change("a")], attachments=[bytes(protocol.FRAME_BYTES_MAX)])
        assert error.value.code is Code.RECORD_TOO_LARGE
        await client.append([change("a")])


async def test_a_missing_attachment_is_an_error(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        with pytest.raises(SojournError) as error:
            await client.attachment("0" * 64)
        assert error.value.code is Code.RECORD_DAMAGED


async def test_proofs_from_the_scribe_lead_to_its_signed_checkpoint(scribe: ScribeProcess) -> None:
    async with connected(scribe) as client:
        await client.append([change("a")] * 300)
        old = await client.head()
        await client.append([change("a")] * 217)
        signed = checkpoints.open(await client.sign(), Verifier.parse(KEY.vkey()))
        head = await client.head()
        assert (signed.size, signed.root) == (head.size, head.root)
        places = [299, 0, 255, 256, 516, *range(200)]
        proofs = await client.prove(places, signed.size)
        for place, leaf, proof in zip(places, map(leaf_hash, await client.raw(places)), proofs, strict=True):
            verify_inclusion(leaf=leaf, index=place, size=signed.size, proof=proof, root=signed.root)
        steps = await client.consistency(old.size, signed.size)
        verify_consistency(old=old.size, new=signed.size, old_root=old.root, new_root=signed.root, proof=steps)
        with pytest.raises(SojournError) as error:
            await client.prove([600], signed.size)
        assert error.value.code is Code.INPUT_INVALID


async def test_a_scribe_that_hangs_up_at_once_is_not_asked_in_a_tight_circle(tmp_path: Path) -> None:
    path = tmp_path / "rude.sock"
    taken = 0
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(100)
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        async with ScribeClient(path):
            until = loop.time() + 0.5
            while loop.time() < until:
                try:
                    async with asyncio.timeout_at(until):
                        accepted, _ = await loop.sock_accept(listener)
                except TimeoutError:
                    break
                accepted.close()
                taken += 1
    assert 1 <= taken <= 15
