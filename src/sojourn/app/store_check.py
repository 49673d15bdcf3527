"""Verifies a ledger's store on SQLite, the scribe's own working file, with what the offline verifier is made of.

A stranger is given static files, which `sojourn-verify` reads alone; a store is what an installation looks at itself.
Every entry is read, the tree is grown from them alone, and each signed root and recorded hash is compared with it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from sojourn_verify import WIDTH, Note, Signed, Trust, Verification, need, read_entry, root_of, split_bundle

LEVELS = 9
ROTATED = b"ledger.key_rotated"


class _Growing:
    """The tree over the entries so far, compared with each signed root and each recorded tile as it grows."""

    def __init__(self, notes: Iterable[Signed], tiles: dict[tuple[int, int], bytes], run: Verification) -> None:
        self.notes = sorted((note for _, note in notes), key=lambda note: note.size, reverse=True)
        self.tiles, self.run, self.size, self.good, self.whole = tiles, run, 0, 0, True
        self.edge = [b""] * LEVELS  # of each level of tiles, the hashes that fill no tile yet
        self.compare_roots()

    def grow(self, leaves: bytes) -> None:
        """Add leaves, compare each full tile with what was recorded, and the root at each signed size."""
        while leaves:
            due = self.notes[-1].size - self.size if self.notes else WIDTH
            room = min(WIDTH - len(self.edge[0]) // 32, due) * 32
            self.edge[0] += leaves[:room]
            self.size, leaves, level = self.size + len(leaves[:room]) // 32, leaves[room:], 0
            while len(self.edge[level]) == WIDTH * 32:
                self.compare_tile(level)
                self.edge[level + 1] += root_of(self.edge[level])
                self.edge[level], level = b"", level + 1
            self.compare_roots()

    def compare_roots(self) -> None:
        """Compare the root with what was signed for this size."""
        while self.notes and self.notes[-1].size <= self.size:
            note, root = self.notes.pop(), b""
            for row in self.edge:
                root = root_of(row + root) if row or root else b""
            if self.whole and root_of(root) != note.root:
                where, self.whole = f"entries {self.good} to {self.size - 1}", False
                self.run.need(False, "root.altered", where, f"the root signed for {note.size} differs")
            self.good = self.size

    def compare_tile(self, level: int) -> None:
        """Compare a full tile with what was recorded of it."""
        index = (self.size - 1 >> 8 * level) // WIDTH
        if level and self.whole:
            with self.run.at(f"tile {index} of level {level}"):
                told = self.tiles.pop((level, index), b"")
                need(told != b"", "tile.missing", "it is not there")
                need(told == self.edge[level], "tile.altered", "its hashes are not those of what lies below it")


@contextmanager
def open_store(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store without changing it or its folder. A write-ahead log beside it is part of it."""
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    logged = log.exists() and log.stat().st_size
    # Where nobody has it open, it is read without locks, and the index of the log is made in memory alone.
    alone = f"&vfs={'win32' if os.name == 'nt' else 'unix'}-none" if not index.exists() else ""
    mode = alone if logged else "&immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro{mode}", uri=True)) as connection:
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.text_factory = bytes
        yield connection


def verify_store(path: Path, trust: Trust, since: Sequence[Signed]) -> Verification:
    """Verify a store; whatever is wrong with it, or cannot be read, becomes a problem of the result."""
    run = Verification(trust, since)
    with run.at(str(path)):
        try:
            with open_store(path) as connection:
                verify_rows(connection, run)
        except sqlite3.Error as error:
            raise ValueError(str(error)) from error
    return run


def verify_rows(connection: sqlite3.Connection, run: Verification) -> None:
    """Check each entry, the order, every signed root, the tiles, and what lies beside the entries."""
    views = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'view'").fetchone()
    need(views == (0,), "input.store", "a ledger store has no views")
    with run.at("store"):
        sound = connection.execute("PRAGMA integrity_check(1)").fetchone()
        need(sound == (b"ok",), "store.damaged", f"its pages or its index contradict each other: {sound!a}")
    notes = [*_signed(connection, run), *run.since]
    _list_beside(connection, run)
    tiles: dict[tuple[int, int], bytes] = {row[:2]: row[2] for row in connection.execute("SELECT * FROM tile")}
    (total,) = connection.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()
    tree = _Growing(notes, tiles, run)
    for row in connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first"):
        need(list(map(type, row)) == [int, int, bytes, bytes], "input.store", "its rows are not those of a ledger")
        first, count, leaves, bundle = row
        if first != tree.size:
            run.need(False, "store.gap", f"entries {tree.size} to {first - 1}", "they are missing from the store")
            tree.size, tree.whole = first, False
        with run.at(f"entries {first} to {first + count - 1}"):
            need(count == len(leaves) / 32, "row.damaged", "there are more or fewer of them than it says")
            run.take(bundle, leaves, first)
            tree.grow(leaves)
        run.progress(tree.size, total)
    for note in tree.notes[:1]:
        run.need(False, "store.truncated", f"entries {tree.size} to {note.size - 1}", "signed, but missing")
    for name, what in run.beside.items():
        run.need(False, "store.unbound", f"{what} {name!a}", "no entry of the ledger names it")
    for place in tiles:
        run.need(False, "tile.unknown", f"tile {place}", "it is none of this ledger")
    run.checked["entries"] = tree.size
    run.checked["entries not yet signed"] = tree.size - run.head.size if run.head else 0


def _signed(connection: sqlite3.Connection, run: Verification) -> list[Signed]:
    """Every checkpoint, signed by the key whose turn it was; entries say when the key has changed."""
    turned = "SELECT entries FROM batch WHERE instr(entries, ?) ORDER BY first"
    for data in (one for (bundle,) in connection.execute(turned, (ROTATED,)) for one in split_bundle(bundle)):
        *_, kind, _, body = read_entry(data) if ROTATED in data else (b"", b"", {})
        run.trust.turn(str(body.get("statement")).encode() if kind == ROTATED else b"")
    notes = list[Signed]()
    for size, data in connection.execute("SELECT size, note FROM checkpoint ORDER BY size"):
        with run.at(f"checkpoint of size {size}"):
            run.head = head = Note(data if isinstance(data, bytes) else b"")
            need(head.size == size, "checkpoint.misplaced", f"what was signed is of size {head.size}")
            run.trust.check(head)
            notes.append((f"checkpoint of size {size}", head))
    run.checked["checkpoints"] = len(notes)
    need(notes, "checkpoint.missing", "the store holds no checkpoint signed by the trusted key")
    for where, note in run.since:
        with run.at(where):
            run.trust.check(note)
    return notes


def _list_beside(connection: sqlite3.Connection, run: Verification) -> None:
    """Attachments and sealed values, each of which some entry has to name."""
    for (name,) in connection.execute("SELECT commitment FROM sealed NOT INDEXED"):
        run.beside[name] = "sealed value"
    for name, data in connection.execute("SELECT sha256, bytes FROM attachment"):
        run.beside[name] = "attachment"
        good = type(data) is bytes and sha256(data).hexdigest().encode() == name
        run.need(good, "attachment.altered", f"attachment {name!a}", "its content is not the one named")
