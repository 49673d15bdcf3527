"""Scribes to test: a log in this process, and real processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from sojourn.domain.events import CancelRequested
from sojourn.domain.identifiers import SessionId
from sojourn.ledger.merkle import leaf_hash
from sojourn.ledger.tiles import encode_bundle
from sojourn.scribe import codec
from sojourn.scribe.log import Log
from sojourn.scribe.protocol import Append, Draft
from sojourn.scribe.recovery import recover
from sojourn.scribe.rows import unpack
from sojourn.scribe.sqlite_schema import SCHEMA
from sojourn.scribe.sqlite_store import SqliteStore
from sojourn.settings import ScribeSettings
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.scribe import KEY, ScribeProcess


def draft(name: str = "a", seen: int | None = None, source: str = "here") -> Draft:
    """One entry for the stream `session/s-<name>`."""
    event = CancelRequested(session=SessionId(f"s-{name}"), source=source)
    return Draft(f"session/s-{name}", event.kind, codec.encode(event), seen)


def forge(path: Path, seq: int, change: Callable[[bytes], bytes], *, with_leaf: bool = False) -> bytes:
    """Alter one entry in a store file, as its owner could who knows how to drop a trigger; gives its new bytes."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER IF EXISTS batch_refuses_update")
    query = "SELECT first, count, leaves, entries FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1"
    row = connection.execute(query, (seq,)).fetchone()
    held = unpack(row)
    number = seq - row[0]
    data = change(held[number][2])
    leaves = [leaf_hash(data) if with_leaf and place == seq else leaf for place, leaf, _ in held]
    bundle = encode_bundle([data if place == seq else kept for place, _, kept in held])
    connection.execute("UPDATE batch SET leaves = ?, entries = ? WHERE first = ?", (b"".join(leaves), bundle, row[0]))
    connection.execute(SCHEMA["batch_refuses_update"])
    connection.commit()
    connection.close()
    return data


def log_end(path: Path) -> int:
    """Where the frames end that SQLite has written into a write-ahead log since it last began at its start.

    <https://www.sqlite.org/fileformat2.html#walformat>: a frame carries the salt of the log's header.
    """
    data = path.read_bytes()
    frame = 24 + int.from_bytes(data[8:12], "big")
    end = 32
    while data[end + 8 : end + 16] == data[16:24]:
        end += frame
    return end


def alter(path: Path, *statements: str) -> None:
    """Run statements on a store file whose triggers were dropped, and put the triggers back."""
    connection = sqlite3.connect(path)
    triggers = [name for name, made in SCHEMA.items() if made.startswith("CREATE TRIGGER")]
    for name in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for statement in statements:
        connection.execute(statement)
    for name in triggers:
        connection.execute(SCHEMA[name])
    connection.commit()
    connection.close()


@dataclass(slots=True)
class Desk:
    """A log over a store in this process, with a clock and a disk that the test controls."""

    root: Path
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    free: int = 1 << 40
    store: SqliteStore = field(init=False)
    log: Log = field(init=False)
    asked: int = 0

    def open(self, rehashed_max: int = 1_000_000) -> Log:
        self.store = SqliteStore(self.root / "ledger.db")
        self.log = recover(
            self.store,
            path=self.root / "ledger.db",
            anchor=self.root / "checkpoint",
            key=KEY,
            clock=self.clock.now,
            has_room=lambda arriving: self.free >= arriving,
            rehashed_max=rehashed_max,
        )
        return self.log

    def append(self, *drafts: Draft, **more: object) -> object:
        """The answer to one append."""
        self.asked += 1
        call = msgspec.structs.replace(Append(self.asked, list(drafts)), **more)
        return self.log.append([call], arriving=sum(len(one.body) for one in drafts))[0]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.open()
    yield made
    made.store.close()


@pytest.fixture
def scribe(tmp_path: Path) -> Iterator[ScribeProcess]:
    """A scribe process that has been started."""
    made = ScribeProcess(tmp_path, ScribeSettings(checkpoint_seconds=0.2))
    made.start()
    yield made
    if made.running is not None and made.running.poll() is None:
        made.kill()


@pytest.fixture
def draft_of() -> Callable[..., Draft]:
    return draft
