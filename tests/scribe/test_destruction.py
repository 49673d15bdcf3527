"""A tombstone destroys the keys that it names, in its own transaction and for good; nothing else destroys anything."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sojourn.codes import Code
from sojourn.domain.events import KeysDestroyed
from sojourn.domain.identifiers import PersonId
from sojourn.domain.sealed import RecordClass
from sojourn.scribe import codec
from sojourn.scribe.answers import answer
from sojourn.scribe.protocol import Append, Appended, Draft, Key, Keys, Matter, Matters, ReadKeys, ReadMatter, Refused

from .conftest import Desk, draft

SECRET = os.urandom(80)


def key(name: str, wrapped: bytes | None = None, subject: str = "alice/statement") -> Key:
    return Key(name, subject, "evidence", os.urandom(80) if wrapped is None else wrapped)


def matter(number: int, name: str) -> Matter:
    return Matter(f"{number:064x}", name, b"ciphertext")


def tombstone(*keys: str) -> Draft:
    event = KeysDestroyed(
        cause="sh-1", person=PersonId("alice"), record_class=RecordClass.STATEMENT, keys=keys, values=len(keys)
    )
    return Draft("keeping", event.kind, codec.encode(event), None)


def held(desk: Desk, subject: str = "") -> dict[str, bool]:
    found = answer(ReadKeys(1, subject, ""), desk.log)
    assert isinstance(found, Keys)
    return {name: gone for name, _, _, gone in found.found}


def opens(desk: Desk, number: int) -> bool:
    found = answer(ReadMatter(1, [f"{number:064x}"]), desk.log)
    assert isinstance(found, Matters)
    return bool(found.found)


def on_disk(root: Path, needle: bytes) -> list[str]:
    return [path.name for path in sorted(root.glob("ledger.db*")) if needle in path.read_bytes()]


@pytest.fixture
def sealed(desk: Desk) -> Iterator[Desk]:
    """A store with two keys and a value under each; the first one's wrapped secret is SECRET."""
    desk.append(draft("a"), keys=[key("k-1", SECRET), key("k-2")], matter=[matter(1, "k-1"), matter(2, "k-2")])
    yield desk


def test_a_tombstone_destroys_the_keys_that_it_names_and_no_others(sealed: Desk) -> None:
    assert isinstance(sealed.append(tombstone("k-1")), Appended)
    assert held(sealed) == {"k-1": True, "k-2": False}
    assert (opens(sealed, 1), opens(sealed, 2)) == (False, True)


def test_the_secret_is_gone_from_every_file_of_the_store(sealed: Desk) -> None:
    assert on_disk(sealed.root, SECRET)
    sealed.append(tombstone("k-1"))
    assert on_disk(sealed.root, SECRET) == []
    # No piece of it stays either, as it would if a page had been moved.
    assert [place for start in range(0, 80, 16) for place in on_disk(sealed.root, SECRET[start : start + 16])] == []
    sealed.store.close()
    assert on_disk(sealed.root, SECRET) == []
    sealed.open()


def test_among_thousands_of_keys_not_one_stays_behind(desk: Desk) -> None:
    secrets = {f"k-{number:05}": os.urandom(80) for number in range(3000)}
    for start in range(0, 3000, 500):
        part = list(secrets)[start : start + 500]
        desk.append(draft("a"), keys=[key(name, secrets[name]) for name in part])
    doomed = list(secrets)[::2]
    for start in range(0, len(doomed), 1000):
        desk.append(tombstone(*doomed[start : start + 1000]))
    content = b"".join(path.read_bytes() for path in sorted(desk.root.glob("ledger.db*")))
    assert [name for name in doomed if secrets[name] in content] == []
    assert all(secrets[name] in content for name in list(secrets)[1::2])


def test_while_somebody_reads_the_file_the_old_pages_are_forgotten_later(sealed: Desk) -> None:
    with sqlite3.connect(sealed.root / "ledger.db") as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sealing_key").fetchone()
        sealed.append(tombstone("k-1"))
        assert on_disk(sealed.root, SECRET) == ["ledger.db-wal"]
        reader.execute("COMMIT")
    reader.close()
    sealed.log.forget_old_pages()
    assert not sealed.log.old_pages
    assert on_disk(sealed.root, SECRET) == []


def test_a_start_forgets_old_pages_that_a_crash_left(sealed: Desk, tmp_path: Path) -> None:
    with sqlite3.connect(sealed.root / "ledger.db") as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sealing_key").fetchone()
        sealed.append(tombstone("k-1"))
        copy = Desk(tmp_path / "crashed")
        copy.root.mkdir()
        for path in sealed.root.glob("ledger.db*"):
            (copy.root / path.name).write_bytes(path.read_bytes())
    reader.close()
    assert on_disk(copy.root, SECRET)
    copy.open()
    assert on_disk(copy.root, SECRET) == []
    copy.store.close()


def test_what_is_stale_is_refused_and_destroys_nothing(sealed: Desk) -> None:
    before = sealed.log.size
    refused = sealed.append(tombstone("k-1"), guards=[("session/s-a", 7)])
    assert isinstance(refused, Refused) and refused.code == Code.RECORD_STALE
    assert (sealed.log.size, held(sealed)["k-1"], opens(sealed, 1)) == (before, False, True)


@pytest.mark.parametrize("names", [("k-1", "k-1"), ("k-1", "k-9")])
def test_a_tombstone_for_what_is_not_there_is_refused_whole(sealed: Desk, names: tuple[str, ...]) -> None:
    refused = sealed.append(tombstone(*names))
    assert isinstance(refused, Refused) and refused.code == Code.RECORD_STALE
    assert held(sealed) == {"k-1": False, "k-2": False}


def test_a_key_is_destroyed_once(sealed: Desk) -> None:
    sealed.append(tombstone("k-1"))
    again = sealed.append(tombstone("k-1"))
    assert isinstance(again, Refused) and again.code == Code.RECORD_STALE
    calls = [Append(number, [tombstone("k-2")]) for number in (10, 11)]
    assert [type(one) for one in sealed.log.append(calls, arriving=0)] == [Appended, Refused]


@pytest.mark.parametrize("resent", [True, False])
def test_a_value_that_was_on_its_way_is_as_unreadable_as_the_others(sealed: Desk, resent: bool) -> None:
    """A shredding must not break what others record in the same append."""
    sealed.append(tombstone("k-1"))
    keys = [key("k-1", SECRET)] if resent else []
    assert isinstance(sealed.append(draft("a"), keys=keys, matter=[matter(3, "k-1")]), Appended)
    assert on_disk(sealed.root, SECRET) == []
    assert held(sealed)["k-1"]
    assert not opens(sealed, 3)


@pytest.mark.parametrize("resent", [True, False])
def test_whoever_goes_on_sealing_under_a_destroyed_key_is_refused(sealed: Desk, resent: bool) -> None:
    sealed.append(tombstone("k-1"))
    sealed.clock.advance(timedelta(seconds=30))
    keys = [key("k-1", SECRET)] if resent else []
    refused = sealed.append(draft("a"), keys=keys, matter=[matter(3, "k-1")])
    assert isinstance(refused, Refused) and refused.code == Code.RECORD_STALE
    assert on_disk(sealed.root, SECRET) == []


def test_in_the_batch_of_the_tombstone_it_is_so_too(sealed: Desk) -> None:
    calls = [
        Append(10, [draft("a")], matter=[matter(4, "k-1")]),
        Append(11, [tombstone("k-1")]),
        Append(12, [draft("a")], keys=[key("k-1", SECRET)], matter=[matter(5, "k-1")]),
        Append(13, [draft("a")], keys=[key("k-5", SECRET)], matter=[matter(6, "k-5")]),
        Append(14, [tombstone("k-5")]),
        Append(15, [draft("a")], matter=[matter(7, "k-5")]),
    ]
    assert {type(one) for one in sealed.log.append(calls, arriving=0)} == {Appended}
    assert not any(opens(sealed, number) for number in (4, 5, 6, 7))
    assert on_disk(sealed.root, SECRET) == []


def test_after_a_restart_the_key_is_still_destroyed_and_the_ledger_still_whole(sealed: Desk) -> None:
    sealed.append(tombstone("k-1"))
    sealed.log.sign()
    sealed.store.close()
    sealed.open()
    assert held(sealed) == {"k-1": True, "k-2": False}
    refused = sealed.append(draft("a"), matter=[matter(3, "k-1")])
    assert isinstance(refused, Refused) and refused.code == Code.RECORD_STALE


def test_keys_are_listed_by_whom_they_are_about(sealed: Desk) -> None:
    sealed.append(draft("a"), keys=[key("k-3", subject="alice/reason"), key("k-4", subject="alicia/statement")])
    assert list(held(sealed, "alice/")) == ["k-1", "k-2", "k-3"]
    assert list(held(sealed, "alice/reason")) == ["k-3"]
    assert list(held(sealed)) == ["k-1", "k-2", "k-3", "k-4"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sealing_key SET wrapped = x'00' WHERE key_id = 'k-2'",
        "UPDATE sealing_key SET wrapped = zeroblob(80), subject = 'bob/statement'",
        "UPDATE sealing_key SET key_id = 'k-9', wrapped = zeroblob(80) WHERE key_id = 'k-2'",
        "UPDATE sealing_key SET wrapped = (SELECT wrapped FROM sealing_key WHERE key_id = 'k-2')",
        "DELETE FROM sealing_key",
        "DELETE FROM sealed",
        "UPDATE sealed SET ciphertext = x'00'",
        "INSERT OR REPLACE INTO sealing_key VALUES ('k-1', 'alice/statement', 'evidence', x'01')",
        "INSERT OR REPLACE INTO sealed SELECT place, commitment, key_id, x'00' FROM sealed",
    ],
)
def test_the_store_refuses_every_other_change(sealed: Desk, statement: str) -> None:
    def rows() -> list[list[tuple[object, ...]]]:
        with sqlite3.connect(sealed.root / "ledger.db") as connection:
            found = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("sealing_key", "sealed")]
        connection.close()
        return found

    before = rows()
    try:
        with sqlite3.connect(sealed.root / "ledger.db") as connection:
            connection.execute(statement)
    except sqlite3.IntegrityError as error:
        assert "destroyed" in str(error) or "append-only" in str(error) or "next place" in str(error)
    connection.close()
    assert rows() == before
