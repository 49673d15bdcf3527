"""What every store promises to the scribe: run on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.errors import SojournError
from sojourn.ledger import entry as entries
from sojourn.ledger.merkle import leaf_hash
from sojourn.scribe import sqlite_store
from sojourn.scribe.postgres_store import PostgresStore
from sojourn.scribe.protocol import Key, Matter
from sojourn.scribe.rows import EntryRow
from sojourn.scribe.sqlite_store import SqliteStore
from sojourn.scribe.store import Store, StoreError
from sojourn.testing.postgres import LedgerServer

AT = "2026-11-25T07:29:12.123456Z"
KEY = Key("k-1", "p-alice", "auditors", b"wrapped")
MATTER = Matter("ab" * 32, "k-1", b"ciphertext")
FAILURES = (sqlite3.Error, StoreError)


@dataclass(slots=True)
class Kept:
    """A store, how to open it again, and how to get at it behind the scribe's back."""

    store: Store
    open: Callable[[], Store]
    attack: Callable[[str], None]
    schema: str = ""

    def both(self) -> Iterator[Store]:
        """The store as it is, and then opened once more."""
        yield self.store
        yield self.again()

    def again(self) -> Store:
        """Close it and open it once more."""
        self.store.close()
        self.store = self.open()
        return self.store


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "sqlite":
        made = _sqlite(tmp_path / "ledger.db")
    else:
        made = _postgresql(request.getfixturevalue("ledger_server"))
    yield made
    made.store.close()


def _sqlite(path: Path) -> Kept:
    def attack(statement: str) -> None:
        connection = sqlite3.connect(path)
        try:
            with connection:
                connection.execute(statement)
        finally:
            connection.close()

    return Kept(store=SqliteStore(path), open=lambda: SqliteStore(path), attack=attack)


def _postgresql(server: LedgerServer) -> Kept:
    name = f"ledger_{secrets.token_hex(8)}"
    address = server.ledger(name)

    def attack(statement: str) -> None:
        # As the owner: what the role of the scribe may not do at all is another test.
        with server.owner(name) as connection:
            connection.execute(statement.encode())

    def connect() -> Store:
        return PostgresStore(address, writer=secrets.token_hex(8))

    return Kept(store=connect(), open=connect, attack=attack, schema="sojourn.")


def batch(store: Store, *streams: str) -> list[EntryRow]:
    """Entries for these streams, behind what the store holds."""
    rows: list[EntryRow] = []
    versions: dict[str, int] = {}
    first = store.size()
    for number, stream in enumerate(streams):
        version = versions[stream] = versions.get(stream, store.version(stream)) + 1
        data = entries.assemble(
            seq=first + number, at=AT, stream=stream, version=version, kind="a.b", body=b'{"n":%d}' % number
        )
        rows.append((first + number, stream, version, "a.b", leaf_hash(data), data))
    return rows


def write(store: Store, *streams: str, **more: object) -> list[EntryRow]:
    rows = batch(store, *streams)
    with store.writing():
        put(store, rows, **more)
    store.remember(rows[-1][0] + 1, rows[-1][4])
    return rows


def put(store: Store, rows: Sequence[EntryRow], **more: object) -> None:
    beside: dict[str, object] = {"keys": [], "matter": [], "attachments": [], "tiles": [], **more}
    store.insert(rows, **beside)  # type: ignore[arg-type]


def test_an_empty_store_holds_nothing(kept: Kept) -> None:
    store = kept.store
    assert (store.size(), store.extent(), store.gap(), store.version("a")) == (0, (0, 0, -1), None, 0)
    assert not list(store.rows(0, 10))
    assert not list(store.stream("a", 0))
    assert (store.entry(0), store.leaves(0, 10), store.tile(1, 0), store.last_checkpoint()) == (None, b"", None, None)


def test_what_was_written_is_read_back_and_is_there_when_opened_again(kept: Kept) -> None:
    first = write(kept.store, "a", "b", "a")
    second = write(kept.store, "b")
    for store in kept.both():
        assert list(store.rows(0, 10)) == first + second
        assert list(store.rows(1, 3)) == first[1:]
        assert list(store.hashed(2, 4)) == [(row[0], row[4], row[5]) for row in (first + second)[2:]]
        assert (store.size(), store.extent(), store.gap()) == (4, (4, 0, 3), None)
        assert store.entry(3) == second[0][5]
        assert store.entry(4) is None
        assert store.leaves(1, 2) == first[1][4] + first[2][4]


def test_a_stream_is_read_from_any_version_over_all_commits(kept: Kept) -> None:
    rows = [row for _ in range(5) for row in write(kept.store, "a", "b", "a")]
    expected = [(row[2], row[5]) for row in rows if row[1] == "a"]
    for store in kept.both():
        for after in (0, 1, 2, 9, 10, 99):
            assert list(store.stream("a", after)) == expected[after:]
        assert (store.version("a"), store.version("b"), store.version("c")) == (10, 5, 0)


def test_a_large_commit_is_written_whole(kept: Kept) -> None:
    rows = write(kept.store, *(f"s{number % 7}" for number in range(1100)))
    assert list(kept.store.rows(0, 2000)) == rows
    assert kept.store.leaves(250, 300) == b"".join(row[4] for row in rows[250:550])
    assert [seq for seq, _ in kept.store.matching(0, 2000, ["s6"])] == list(range(6, 1100, 7))
    assert [data for _, data in kept.store.stream("s0", 0)] == [row[5] for row in rows[::7]]
    assert kept.again().gap() is None


def test_matching_keeps_to_prefixes_of_the_stream_and_not_of_the_body(kept: Kept) -> None:
    write(kept.store, "session/a", "session/b", "grant/a")
    assert [seq for seq, _ in kept.store.matching(0, 3, ["session/"])] == [0, 1]
    assert [seq for seq, _ in kept.store.matching(1, 3, ["session/", "grant/a"])] == [1, 2]
    assert [seq for seq, _ in kept.store.matching(0, 3, [])] == [0, 1, 2]


def test_what_fails_in_the_middle_is_not_written_at_all(kept: Kept) -> None:
    write(kept.store, "a")
    rows = batch(kept.store, "a", "b")
    with pytest.raises(ZeroDivisionError), kept.store.writing():
        put(kept.store, rows, keys=[KEY], matter=[MATTER])
        raise ZeroDivisionError
    store = kept.again()
    assert (store.size(), store.version("a"), store.version("b"), store.key("k-1")) == (1, 1, 0, None)


def test_a_single_entry_is_written_whole_or_not_at_all_as_well(kept: Kept) -> None:
    with pytest.raises(ZeroDivisionError), kept.store.writing():
        put(kept.store, batch(kept.store, "a"))
        raise ZeroDivisionError
    assert kept.again().size() == 0
    with pytest.raises(ZeroDivisionError), kept.store.writing():
        kept.store.insert_checkpoint(0, "a note")
        raise ZeroDivisionError
    assert kept.again().last_checkpoint() is None


def test_nothing_at_all_may_be_written(kept: Kept) -> None:
    with kept.store.writing() as size:
        assert size == 0
    with pytest.raises(ZeroDivisionError), kept.store.writing():
        raise ZeroDivisionError
    write(kept.store, "a")
    assert kept.again().size() == 1


def test_writing_tells_how_many_entries_are_on_record(kept: Kept) -> None:
    for expected in range(3):
        with kept.store.writing() as size:
            assert size == expected
        write(kept.store, "a")


@pytest.mark.parametrize("first", [0, 1, 3])
def test_entries_cannot_leave_a_gap_nor_be_written_twice(kept: Kept, first: int) -> None:
    rows = write(kept.store, "a", "a")
    wrong = [(first, *rows[0][1:2], 3, *rows[0][3:])]
    with pytest.raises(FAILURES), kept.store.writing():
        put(kept.store, wrong)


def test_sealed_values_their_keys_and_attachments_are_kept(kept: Kept) -> None:
    write(kept.store, "a", keys=[KEY], matter=[MATTER], attachments=[("cd" * 32, b"content")])
    write(kept.store, "a", attachments=[("cd" * 32, b"content")])
    store = kept.again()
    assert (store.key("k-1"), store.key("k-2")) == (KEY, None)
    assert (store.ciphertext(MATTER.commitment), store.ciphertext("00" * 32)) == (MATTER, None)
    assert (store.matter(MATTER.commitment), store.matter("00" * 32)) == ((MATTER, KEY), None)
    assert (store.attachment("cd" * 32), store.attachment("00" * 32)) == (b"content", None)
    assert (store.usable_key("k-1"), store.usable_key("k-2")) == (True, False)


def test_a_destroyed_key_is_zeros_and_its_id_is_never_free_again(kept: Kept) -> None:
    other = Key("k-2", "p-bob", "auditors", b"other")
    write(kept.store, "a", keys=[KEY, other], matter=[MATTER])
    with kept.store.writing():
        kept.store.destroy_keys(["k-1"])
    assert kept.store.forget_old_pages()
    assert kept.store.key("k-1") == Key("k-1", "p-alice", "auditors", bytes(7))
    assert kept.store.matter(MATTER.commitment) is None
    assert (kept.store.usable_key("k-1"), kept.store.usable_key("k-2")) == (False, True)
    assert kept.store.keys("", "", 10) == [("k-1", "p-alice", "auditors", True), ("k-2", "p-bob", "auditors", False)]
    assert kept.store.keys("p-b", "", 10) == kept.store.keys("", "k-1", 10) == [("k-2", "p-bob", "auditors", False)]
    assert len(kept.store.keys("", "", 1)) == 1


def test_tiles_and_the_first_checkpoint_of_a_size_stay(kept: Kept) -> None:
    tile = bytes(range(256)) * 32
    write(kept.store, "a", tiles=[(1, 0, tile)])
    for size, note in ((1, "first"), (1, "other"), (2, "later")):
        with kept.store.writing():
            kept.store.insert_checkpoint(size, note)
    assert kept.store.tile(1, 0) == tile
    assert kept.store.tile(1, 1) is None
    assert kept.store.last_checkpoint() == (2, "later")


def test_a_sealed_value_is_found_before_and_after_it_is_in_the_index(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 3)
    values = [Matter(f"{number:064x}", KEY.key, b"%d" % number) for number in range(20)]
    for number, value in enumerate(values):
        write(kept.store, "a", keys=[] if number else [KEY], matter=[value])
        for store in kept.both():
            assert store.gap() is None
            asked = {one.commitment for one in values}
            assert store.taken(asked) == {one.commitment for one in values[: number + 1]}
            assert [store.ciphertext(one.commitment) for one in values[: number + 2]] == [
                *values[: number + 1],
                *[None] * (number < 19),
            ]
            assert store.matter(value.commitment) == (value, KEY)


RECORD = ["batch", "stream_part", "tile", "checkpoint", "attachment", "sealed"]
COLUMNS = dict(zip(RECORD, ["count", "version", "level", "note", "sha256", "key_id"], strict=True))


@pytest.mark.parametrize("table", RECORD)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_nobody_changes_or_deletes_a_row_of_the_record_not_even_its_owner(
    kept: Kept, table: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 1)
    more = {"keys": [KEY], "matter": [MATTER], "attachments": [("cd" * 32, b"x")], "tiles": [(1, 0, bytes(8192))]}
    rows = write(kept.store, "a", **more)
    with kept.store.writing():
        kept.store.insert_checkpoint(1, "note")
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="append-only"):
        kept.attack(verb.format(kept.schema + table, COLUMNS[table]))
    assert list(kept.again().rows(0, 10)) == rows


@pytest.mark.parametrize("statement", ["UPDATE {}sealing_key SET wrapped = wrapped", "DELETE FROM {}sealing_key"])
def test_a_sealing_key_can_be_destroyed_and_nothing_else(kept: Kept, statement: str) -> None:
    write(kept.store, "a", keys=[KEY])
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException)):
        kept.attack(statement.format(kept.schema))
    assert kept.store.key("k-1") == KEY


def test_an_index_that_points_elsewhere_is_found_by_whoever_reads_through_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 1)
    write(kept.store, "a", "b")
    # The table refuses to change, so a forger adds: a stream that names another's entry.
    zero = "x'0000000000000000'" if not kept.schema else "'\\x0000000000000000'"
    kept.attack(f"INSERT INTO {kept.schema}stream_part VALUES ('c', 1, {zero})")
    with pytest.raises(SojournError, match="entry 0 is not version 1 of c"):
        list(kept.store.stream("c", 0))
    assert "index of streams" in str(kept.again().gap())


@given(commits=st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=9), min_size=1, max_size=12))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_however_entries_are_spread_over_commits_they_read_the_same(
    kept: Kept, commits: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One store for all examples: each goes on where the last one stopped.
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 13)
    start = kept.store.size()
    before = {stream: kept.store.version(stream) for stream in "abcde"}
    rows = [row for streams in commits for row in write(kept.store, *streams)]
    store = kept.again()
    assert list(store.rows(start, start + len(rows))) == rows
    for stream in "abcde":
        mine = [(row[2], row[5]) for row in rows if row[1] == stream]
        assert list(store.stream(stream, before[stream])) == mine
        assert store.version(stream) == before[stream] + len(mine)
    assert store.gap() is None
