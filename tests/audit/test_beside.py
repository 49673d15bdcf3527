"""What lies beside the entries is bound by them: whatever is done to it is found by `sojourn audit verify`."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sojourn.app.beside import attachments_of
from sojourn.app.database_check import TARGET
from sojourn.app.drill import forging
from sojourn.app.drill.database import DatabaseTables
from sojourn.app.self_check import check_itself
from sojourn.domain.events import KINDS
from sojourn.testing.postgres import LedgerServer
from sojourn.testing.timestamp import TimestampAuthority

from . import bound
from .conftest import Kept

HASHES_OF_NOTHING_KEPT = {
    ("account.invited", "code_sha256"),
    ("token.issued", "secret_sha256"),
    ("evidence.given", "sha256"),
    ("process.started", "settings_sha256"),
    ("account.recovered", "code_sha256"),
    ("account.identity_linked", "subject_sha256"),
    ("report.delivered", "sha256"),
    ("report.delivered", "manifest_sha256"),
    ("sample.drawn", "manifest_sha256"),
    ("call.begun", "body_sha256"),
}
"""Fields that end in sha256 and name no attachment."""


def altered(whole: Kept, *statements: str) -> dict[str, list[str]]:
    """What is found after somebody who owns the file changed it: the codes of problems, by where was looked."""
    with forging.opened(whole.layout.ledger) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    return {
        one.target.rpartition("/")[2]: [two["code"] for two in one.problems]
        for one in check_itself(whole.layout).verdicts
    }


def test_what_is_bound_is_counted_and_opened(whole: Kept) -> None:
    told = check_itself(whole.layout)
    assert told.sound
    checked = {one.target.rpartition("/")[2]: one.checked for one in told.verdicts}
    assert checked["beside the ledger"] == {"attachments": 4, "sealed values": 4, "of them readable": 4}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE sealed SET ciphertext = x'00' || substr(ciphertext, 2)", "sealed.altered"),
        ("UPDATE sealed SET ciphertext = (SELECT max(ciphertext) FROM sealed)", "sealed.altered"),
        ("UPDATE sealed SET key_id = (SELECT max(key_id) FROM sealed)", "sealed.altered"),
        ("DELETE FROM sealed WHERE rowid = (SELECT max(rowid) FROM sealed)", "sealed.missing"),
        ("DELETE FROM sealing_key", "sealed.missing"),
        ("UPDATE sealing_key SET wrapped = zeroblob(length(wrapped))", "sealed.destroyed"),
        ("UPDATE sealing_key SET wrapped = (SELECT max(wrapped) FROM sealing_key)", "sealed.altered"),
        ("DELETE FROM attachment WHERE rowid = (SELECT max(rowid) FROM attachment)", "attachment.missing"),
    ],
)
def test_what_is_done_beside_the_entries_is_found(whole: Kept, statement: str, code: str) -> None:
    found = altered(whole, statement)
    assert set(found["beside the ledger"]) == {code}
    assert found["ledger.db"] == [], "the entries are what they were"


def test_an_attachment_that_is_another_is_found_by_the_verifier_already(whole: Kept) -> None:
    found = altered(whole, "UPDATE attachment SET bytes = x'00' WHERE rowid = (SELECT max(rowid) FROM attachment)")
    assert found == {"ledger.db": ["attachment.altered"]}


def test_a_ledger_in_postgresql_is_verified_where_it_lies(
    ledger_server: LedgerServer, authority: TimestampAuthority, tmp_path: Path
) -> None:
    address = ledger_server.ledger("verified")
    layout = asyncio.run(bound.fill(tmp_path / "d", authority, store=address))
    (layout.configuration / "settings.yaml").write_text(f"scribe:\n  store: {address}\n")
    told = check_itself(layout)
    assert (told.sound, [one.target for one in told.verdicts]) == (True, [TARGET, "beside the ledger", "time stamps"])
    tables = DatabaseTables(f"host={ledger_server.data} port={ledger_server.port} user=postgres dbname=verified")
    history = forging.read_from(tables)
    assert told.verdicts[0].checked == {"entries": len(history), "entries not yet signed": 0}
    for forged in (
        [*history[:-1], forging.altered(history[-1])],
        history[:-1],
        forging.renumbered([*history[:100], *history[101:]]),
    ):
        forging.rewrite_in(tables, forged)
        (found,) = check_itself(layout).verdicts
        assert [one["code"] for one in found.problems] == ["database.altered"]
    forging.rewrite_in(tables, history)
    assert check_itself(layout).sound
    forging.flip_in(tables, 50)
    assert not check_itself(layout).sound


def test_every_hash_that_an_event_may_hold_is_known_to_name_an_attachment_or_not(whole: Kept) -> None:
    with closing(sqlite3.connect(whole.layout.ledger)) as connection:
        assert connection.execute("SELECT count(*) FROM attachment").fetchone() == (4,)
    fields = {
        (kind, one.name) for kind, event in KINDS.items() for one in dataclasses.fields(event) if "sha256" in one.name
    }
    named = {
        ("configuration.adopted", "catalogue_sha256"),
        ("configuration.proposed", "catalogue_sha256"),
        ("configuration.adopted", "settings_sha256"),
        ("configuration.proposed", "settings_sha256"),
        ("ledger.drilled", "result_sha256"),
        ("controls.proved", "result_sha256"),
        ("witness.policy_adopted", "sha256"),
        *(("publication.stamped", f"{one}_sha256") for one in ("checkpoint", "token", "root")),
    }
    assert fields == named | HASHES_OF_NOTHING_KEPT, f"tell {attachments_of.__name__} what a new field names"
