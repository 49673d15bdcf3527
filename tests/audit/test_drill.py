"""`sojourn audit drill`: whatever is done to a clone of the ledger is caught, and an untouched one is not."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import sojourn_verify
from sojourn.app.drill import ATTACKS, BESIDE, COSIGNED, SCRIBE, VERIFIER, VERIFIER_SINCE, drill, forging
from sojourn.app.self_check import check_itself
from sojourn.domain.events import CancelRequested
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.errors import Code, SojournError
from sojourn.ledger.canonical import MAX_ENTRY_BYTES
from sojourn.ledger.entry import assemble, parse
from sojourn.scribe.client import ScribeClient
from sojourn.settings import ScribeSettings
from sojourn.testing.postgres import LedgerServer
from sojourn.testing.scribe import KEY, ScribeProcess
from sojourn.testing.timestamp import TimestampAuthority

from . import bound
from .conftest import Kept

HOLDERS_OF_A_CHECKPOINT = {VERIFIER_SINCE, SCRIBE, COSIGNED}
SEED = bytes(range(32))
EVERYBODY = {VERIFIER, BESIDE, *HOLDERS_OF_A_CHECKPOINT}
CAUGHT_BY = {
    **dict.fromkeys(("flip", "alter", "delete", "reorder", "backdate"), EVERYBODY),
    "truncate": {VERIFIER, *HOLDERS_OF_A_CHECKPOINT},
    "roll-back": HOLDERS_OF_A_CHECKPOINT,
    "fork": {BESIDE, *HOLDERS_OF_A_CHECKPOINT},
    "sealed-altered": {BESIDE},
    "sealed-swapped": {BESIDE},
    "sealed-missing": {BESIDE},
    "attachment-missing": {BESIDE},
    "attachment-altered": {VERIFIER, VERIFIER_SINCE, BESIDE, COSIGNED},
    "cosignature-forged": {BESIDE, COSIGNED},
    "stamp-backdated": {BESIDE},
}
"""Who notices what: a verifier that holds nothing cannot see what the thief of the key signed, and so on."""


def test_every_attack_is_caught_and_by_whom_is_shown(whole: Kept) -> None:
    before = whole.layout.ledger.read_bytes()
    told = whole.ask("drill")
    assert (told["passed"], told["untried"]) == (True, [])
    assert {look["by"]: look["problem"] for look in told["untouched"]} == dict.fromkeys(EVERYBODY, "")
    caught = {one["name"]: {look["by"] for look in one["looks"] if look["problem"]} for one in told["attacks"]}
    assert caught == CAUGHT_BY
    assert set(CAUGHT_BY) == set(ATTACKS)
    assert whole.layout.ledger.read_bytes() == before


def test_a_ledger_in_postgresql_is_cloned_there_and_every_attack_is_caught(
    ledger_server: LedgerServer, authority: TimestampAuthority, tmp_path: Path
) -> None:
    address = ledger_server.ledger("drilled")
    layout = asyncio.run(bound.fill(tmp_path / "d", authority, store=address))
    (layout.configuration / "settings.yaml").write_text(f"scribe:\n  store: {address}\n")
    maker = f"host={ledger_server.data} port={ledger_server.port} user=postgres dbname=postgres"
    (tmp_path / "clones").mkdir()
    with pytest.raises(SojournError) as refused:
        drill(layout, directory=tmp_path / "clones", seed=SEED)
    assert refused.value.code is Code.INPUT_INVALID
    (tmp_path / "others").mkdir()
    told = drill(layout, directory=tmp_path / "others", seed=SEED, maker=maker)
    assert [look.problem for look in told.untouched] == [""] * len(EVERYBODY)
    caught = {one.name: {look.by for look in one.looks if look.problem} for one in told.attacks}
    assert (told.store, told.passed, told.untried, caught) == ("postgresql", True, (), CAUGHT_BY)
    with ledger_server.owner() as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'sojourn_drill%'").fetchall()
    assert left == []
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT size FROM sojourn.head").fetchone() == (told.size,)


def test_the_result_is_on_record_and_signed_so_that_anybody_can_check_it_offline(whole: Kept, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    assert whole.run("drill", "--result", str(file)).returncode == 1, "nothing runs that could sign"
    assert not file.exists()
    scribe = ScribeProcess(whole.layout.root)
    scribe.start()
    try:
        until = time.monotonic() + 30
        while not whole.layout.scribe_socket.exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        told = whole.ask("drill", "--result", str(file))
    finally:
        scribe.stop()
    proof, entry = file.with_name("result.json.tlog-proof"), file.with_name("result.json.entry")
    assert sojourn_verify.main([str(proof), "--entry", str(entry), "--key", KEY.vkey()]) == 0
    named = json.loads(entry.read_bytes())
    assert (named["kind"], named["seq"]) == ("ledger.drilled", told["seq"])
    assert named["body"]["result_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [one["name"] for one in named["body"]["attacks"]] == list(ATTACKS)
    assert all(one["caught_by"] for one in named["body"]["attacks"])
    result = json.loads(file.read_bytes())
    assert (result["passed"], len(result["attacks"])) == (True, len(ATTACKS))
    assert check_itself(whole.layout).sound
    file.with_name("result.json.entry").write_bytes(entry.read_bytes().replace(b'"passed":true', b'"passed":null'))
    assert sojourn_verify.main([str(proof), "--entry", str(entry), "--key", KEY.vkey()]) == 1


def test_what_a_ledger_gives_no_occasion_for_is_told_and_not_counted(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "clones").mkdir()
    told = drill(kept.layout, directory=tmp_path / "clones", seed=SEED)
    assert told.passed is True
    untried = {one.name: one.why for one in told.untried}
    assert set(untried) == {"sealed-altered", "sealed-swapped", "sealed-missing", "stamp-backdated"}
    assert untried["stamp-backdated"] == "nothing of this ledger is time-stamped"
    assert len(told.attacks) == len(ATTACKS) - len(untried)


@pytest.mark.parametrize("different", [False, True], ids=["all alike", "one unlike the others"])
def test_a_ledger_whose_entries_are_alike_is_reordered_only_where_that_makes_a_difference(
    different: bool, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    scribe = ScribeProcess(root, ScribeSettings(checkpoint_seconds=60))
    layout = scribe.layout
    scribe.start()
    asyncio.run(alike(scribe, different))
    assert scribe.stop()[0] == 0
    layout.configuration.mkdir()
    root.chmod(0o700)
    layout.verifier_key.write_text(KEY.vkey() + "\n")
    (tmp_path / "clones").mkdir()
    told = drill(layout, directory=tmp_path / "clones", seed=SEED)
    untried = {one.name: one.why for one in told.untried}
    assert told.passed is True
    if different:
        assert "reorder" in {one.name for one in told.attacks}
    else:
        assert untried["reorder"] == "all its entries say the same at the same time"


async def alike(scribe: ScribeProcess, different: bool) -> None:
    """Twenty entries in one commit that say the same; before them, if asked for, one that does not."""
    async with ScribeClient(scribe.layout.scribe_socket) as ledger:
        await ledger.connected(20)
        first = recorded_by("there") if different else recorded_by("here")
        await ledger.append([first, *([recorded_by("here")] * 19)])


def recorded_by(source: str) -> Change:
    session = SessionId("s-1")
    return Change(stream=session_stream(session), event=CancelRequested(session=session, source=source), seen=None)


def test_an_entry_of_full_length_is_altered_as_well() -> None:
    whole = assemble(
        seq=3, at="2026-11-25T07:29:12.123456Z", stream="a/b", version=2, kind="a.b",
        body=b'{"altered":"by the drill","text":"' + b"x" * 65_300 + b'"}',
    )  # fmt: skip
    padded = whole.replace(b'"text":"', b'"text":"' + b"x" * (MAX_ENTRY_BYTES - len(whole)))
    assert len(padded) == MAX_ENTRY_BYTES
    for data in (whole, padded):
        assert forging.altered(data) != data and parse(forging.altered(data)).seq == 3


def test_clones_are_kept_where_it_is_asked_for_and_differ_from_the_ledger(whole: Kept, tmp_path: Path) -> None:
    done = whole.run("drill", "--keep", str(tmp_path / "clones"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ATTACKS)} of {len(ATTACKS)} attacks" in done.stdout
    assert {path.name for path in (tmp_path / "clones").iterdir()} == {"untouched", *ATTACKS}
    contents = {_contents(path / "ledger.db") for path in (tmp_path / "clones").iterdir()}
    assert len(contents) == len(ATTACKS) - 1, "alter, fork and a forged cosignature hold the same; all others differ"
    again = whole.run("drill", "--keep", str(tmp_path / "clones"))
    assert (again.returncode, again.stderr.split(":")[0]) == (2, "input.invalid")


def test_nothing_is_tried_on_a_ledger_that_is_damaged_already(kept: Kept) -> None:
    forging.flip(kept.layout.ledger, 100)
    told = kept.ask("drill")
    assert (told["passed"], told["attacks"]) == (False, [])
    assert any(look["problem"] for look in told["untouched"])
    done = kept.run("drill")
    assert done.returncode == 1
    assert "not sound as it is" in done.stdout


def _contents(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        queries = ("SELECT entries FROM batch ORDER BY 1", "SELECT ciphertext FROM sealed ORDER BY commitment")
        attachments = "SELECT sha256 || hex(bytes) FROM attachment ORDER BY sha256"
        rows = [row for query in (*queries, attachments) for row in connection.execute(query)]
        return b"".join(row[0] if isinstance(row[0], bytes) else row[0].encode() for row in rows)
