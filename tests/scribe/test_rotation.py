"""The scribe changes its key: on record before anything is signed, with both keys, and never by a key out of turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from sojourn.app.verifying import verify_file
from sojourn.codes import Code
from sojourn.domain.events import CancelRequested, LedgerKeyRotated
from sojourn.domain.history import Change
from sojourn.domain.identifiers import LEDGER, SessionId, session_stream
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import rotation as rotations
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey, Verifier
from sojourn.scribe import codec
from sojourn.scribe.client import ScribeClient
from sojourn.scribe.protocol import Append, Draft
from sojourn.scribe.recovery import recover
from sojourn.scribe.rotation import check_followed
from sojourn.scribe.sqlite_store import SqliteStore
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.scribe import KEY, ScribeProcess

NEW = SigningKey.generate(KEY.name, b"\x08" * 32)
NEWEST = SigningKey.generate(KEY.name, b"\x09" * 32)


def change(name: str = "a", source: str = "here") -> Change:
    session = SessionId(f"s-{name}")
    return Change(stream=session_stream(session), event=CancelRequested(session=session, source=source), seen=None)


@asynccontextmanager
async def started(scribe: ScribeProcess, *keys: SigningKey) -> AsyncIterator[ScribeClient]:
    """The scribe with these keys, ended in order with the block."""
    scribe.keys = keys
    scribe.start()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as client:
            await client.connected(20)
            yield client
        code, said = await asyncio.to_thread(scribe.stop)
        assert code == 0, said
    finally:
        if scribe.running is not None and scribe.running.poll() is None:
            scribe.kill()


def refused_start(scribe: ScribeProcess, *keys: SigningKey) -> str:
    scribe.keys = keys
    scribe.start()
    code, said = scribe.stop()
    assert code == 1, said
    return said


def verified(scribe: ScribeProcess, key: SigningKey) -> bool:
    return verify_file(scribe.layout.ledger, keys=[key.vkey()]).sound


def signers(note: str) -> set[Verifier]:
    found = set()
    for key in (KEY, NEW, NEWEST):
        with suppress(LedgerError):
            checkpoints.open(note, key.verifier())
            found.add(key.verifier())
    return found


async def test_a_key_is_changed_step_by_step_and_the_change_is_on_record_once(tmp_path: Path) -> None:
    scribe = ScribeProcess(tmp_path)
    async with started(scribe, KEY) as client:
        await client.append([change()] * 3)
        assert signers(await client.sign()) == {KEY.verifier()}
    for _ in range(2):  # with a restart in the midst of it
        async with started(scribe, KEY, NEW) as client:
            await client.append([change()])
            assert signers(await client.sign()) == {KEY.verifier(), NEW.verifier()}
        assert verified(scribe, KEY) and verified(scribe, NEW)
    async with started(scribe, NEW) as client:
        await client.append([change()])
        assert signers(await client.sign()) == {NEW.verifier()}
        (recorded,) = await client.stream(LEDGER)
        assert isinstance(recorded.event, LedgerKeyRotated)
        turn = rotations.parse(recorded.event.statement)
        assert (turn.size, turn.old, turn.new) == (recorded.seq, KEY.verifier(), NEW.verifier())
        assert recorded.seq == 3, "before anything else was written"
    assert verified(scribe, KEY) and verified(scribe, NEW) and not verified(scribe, NEWEST)
    async with started(scribe, NEW, NEWEST) as client:
        assert len(await client.stream(LEDGER)) == 2
    assert all(verified(scribe, key) for key in (KEY, NEW, NEWEST))


async def test_a_key_out_of_turn_does_not_start(tmp_path: Path) -> None:
    scribe = ScribeProcess(tmp_path)
    async with started(scribe, KEY) as client:
        await client.append([change()])
    assert "record.damaged" in refused_start(scribe, NEW), "before its turn"
    async with started(scribe, KEY, NEW):
        pass
    assert "signing.changed" in refused_start(scribe, KEY), "alone, after the new one's turn has begun"
    assert "signing.changed" in refused_start(scribe, KEY, NEWEST), "beside another than the one on record"
    async with started(scribe, NEW) as client:
        await client.append([change()])
    assert "record.damaged" in refused_start(scribe, KEY), "after the overlap"
    assert "record.damaged" in refused_start(scribe, KEY, NEW), "after the overlap"
    assert "signing.changed" in refused_start(scribe, NEW, KEY), "a second time"
    assert verified(scribe, KEY) and verified(scribe, NEW)


async def test_a_change_under_load_with_kills_loses_nothing_and_signs_nothing_out_of_turn(
    scribe: ScribeProcess,
) -> None:
    acknowledged: dict[str, int] = {}
    writing = True

    async def write(client: ScribeClient, writer: int) -> None:
        number = 0
        while writing:
            text, number = f"{writer}-{number}", number + 1
            with suppress(SojournError):
                acknowledged[text] = (await client.append([change(f"w{writer}", text)])).first
                continue
            await asyncio.sleep(0.01)

    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(20)
        writers = [asyncio.ensure_future(write(client, writer)) for writer in range(8)]
        for keys in ((KEY, NEW), (KEY, NEW), (NEW,), (NEW, NEWEST), (NEWEST,)):
            await asyncio.sleep(0.3)
            if keys[0] != scribe.keys[0]:
                await client.sign()  # both have signed before the new one signs alone
            await asyncio.to_thread(scribe.kill)
            scribe.keys = keys
            scribe.start()
            await client.connected(20)
        await asyncio.sleep(0.2)
        writing = False
        await asyncio.gather(*writers)
        assert len(await client.stream(LEDGER)) == 2
        found = {data.decode().split('"source":"')[1].split('"')[0]: seq for seq, data in
                 enumerate(await client.raw(range((await client.head()).size))) if b'"source"' in data}  # fmt: skip
        assert {text: found.get(text) for text in acknowledged} == acknowledged and acknowledged
    assert (await asyncio.to_thread(scribe.stop))[0] == 0
    assert all(verified(scribe, key) for key in (KEY, NEW, NEWEST))


async def test_nobody_but_the_scribe_records_a_change_of_its_key(scribe: ScribeProcess) -> None:
    forged = LedgerKeyRotated(statement=rotations.sign(0, KEY, NEW))
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(20)
        with pytest.raises(SojournError) as error:
            await client.append([Change(stream=LEDGER, event=forged, seen=None)])
        assert error.value.code is Code.INPUT_INVALID
        assert (await client.head()).size == 0


GOOD = rotations.sign(1, KEY, NEW)
FORGED = {
    "the new key did not sign": "".join(GOOD.splitlines(keepends=True)[:-1]),
    "the old key did not sign": "".join(GOOD.splitlines(keepends=True)[:-2] + GOOD.splitlines(keepends=True)[-1:]),
    "another size": GOOD.replace("from 1", "from 0"),
    "another key": GOOD.replace(NEW.vkey(), NEWEST.vkey()),
    "something behind it": GOOD + "x",
    "nothing": "",
}


@pytest.mark.parametrize("statement", FORGED.values(), ids=FORGED.keys())
def test_a_start_over_a_forged_change_is_refused(statement: str, tmp_path: Path) -> None:
    scribe = ScribeProcess(tmp_path)
    layout = scribe.layout
    store = SqliteStore(layout.ledger)
    log = recover(
        store,
        path=layout.ledger,
        anchor=layout.anchor,
        key=KEY,
        clock=SimulatedClock().now,
        has_room=lambda _: True,
    )
    log.by_itself = True
    body = codec.encode(LedgerKeyRotated(statement=statement))
    log.append([Append(1, [Draft(LEDGER, LedgerKeyRotated.kind, body, None)])], arriving=0)
    log.sign()
    data = store.entry(0)
    store.close()
    for keys in ((KEY,), (KEY, NEW)):
        assert "record.damaged" in refused_start(scribe, *keys)
    assert data is not None
    with pytest.raises(SojournError) as error:
        check_followed(data, (KEY, NEW))
    assert error.value.code is Code.RECORD_DAMAGED
