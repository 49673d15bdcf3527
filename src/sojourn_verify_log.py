"""What `sojourn_verify` takes for a whole ledger: a published one, which is a directory of tiles, or a store.

Every entry is read, the tree is grown from them alone, and each signed root and recorded hash is compared with it.
"""

import os
import re
import sqlite3
import struct
from argparse import Namespace
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from copy import copy
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sojourn_verify import (
    ENTRY_BYTES,
    FILE_BYTES,
    FRAME,
    HEX64,
    NOTE_BYTES,
    STREAM,
    CheckError,
    Files,
    Note,
    Report,
    Signed,
    Trust,
    content,
    list_files,
    named,
    need,
    read_entry,
    root_of,
    verify_target,
)

WIDTH, SHAPES, SHAPE_BYTES = 256, 64, 4096
TILE = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
DAY = (  # that exists; the 29th of February is left to the calendar
    r"(?!0000)\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
PLAIN, NUMERIC = r'"[ !#-\[\]-~]*+"', r"(?:[1-9]\d{0,14}+|0)"  # whatever is such a text or number is canonical
OTHER = f"(?:null|true|false|{PLAIN}|{NUMERIC})"
SCALARS = {'"': PLAIN, **dict.fromkeys("tfn", OTHER)}  # by their first byte; else it is a number
KEY_OR_SCALAR = re.compile(r'("[^"]*":)|"[^"]*"|(?:\\-)?\d+|true|false|null')
STREAM_NAME = re.compile((STREAM + '"').encode())
ROTATED, BEGUN_ANEW = b"ledger.key_rotated", b"ledger.begun_anew"
Columns = tuple[list[bytes], list[int], list[bytes], list[int]]  # of entries: their bytes, seq, stream and version


def split_bundle(data: bytes) -> list[bytes]:
    """Take a bundle apart: entries, each behind its length, a big-endian uint16."""
    entries, end = list[bytes](), 0
    while end + 2 <= len(data):
        start = end + 2
        end = start + data[end] * 256 + data[end + 1]
        entries.append(data[start:end])
    need(end == len(data), "bundle.form", "it is no bundle of entries")
    return entries


class Shapes:
    """Reads entries. Most are like earlier ones: the first of each shape is parsed and written again.

    What fits the pattern made of it has the same keys in the same places, and canonical scalars: so it is canonical
    too, and is not parsed.
    """

    def __init__(self) -> None:
        self.shapes, self.known, self.streams = dict[str, None](), re.compile(b"$^"), set[bytes]()

    def read(self, bundle: bytes) -> Columns:
        """Read all entries of a bundle. What is none has version 0, which no entry has."""
        # Split at the entries that are known, a bundle leaves their lengths, if there is nothing else in it.
        parts = self.known.split(bundle)
        entries, lengths = parts[1::5], parts[:-1:5]
        told = struct.unpack(f">{len(lengths)}H", b"".join(lengths)) if set(map(len, lengths)) == {2} else ()
        if parts[-1] == b"" and told == tuple(map(len, entries)) and all(map(self.is_stream, {*parts[3::5]})):
            return entries, list(map(int, parts[2::5])), parts[3::5], list(map(int, parts[4::5]))
        entries = split_bundle(bundle)
        seqs, streams, versions = zip(*map(self.parse, entries), strict=True) if entries else ((), (), ())
        return entries, list(seqs), list(streams), list(versions)

    def is_stream(self, name: bytes) -> bool:
        """Whether this is the name of a stream. Each is looked at once."""
        if name not in self.streams and STREAM_NAME.fullmatch(name + b'"'):
            self.streams.add(name)
        return name in self.streams

    def parse(self, data: bytes) -> tuple[int, bytes, int]:
        """Read one entry, and remember its shape; gives its seq, stream and version."""
        if (match := self.known.fullmatch(data)) and self.is_stream(match[3]):
            return int(match[2]), match[3], int(match[4])
        try:
            seq, stream, version, kind, body, _ = read_entry(data)
        except CheckError:
            return -1, b"", 0
        if data.isascii() and b"\\" not in data and len(self.shapes) < SHAPES and len(data) < SHAPE_BYTES:
            escaped = re.escape(body.decode())
            shape = KEY_OR_SCALAR.sub(lambda one: one[1] or SCALARS.get(one[0][0], NUMERIC), escaped)
            self.shapes[f'{shape},"kind":"{re.escape(kind.decode())}'] = None
            self.known = re.compile(("(" + FRAME % (DAY, f"(?:{'|'.join(self.shapes)})", '[^"]++') + ")").encode())
        return seq, stream, version


class Walk:
    """Goes through a whole ledger: reads each entry, grows the tree, and compares the root with each signed one."""

    def __init__(self, notes: Iterable[Signed], read: Any, beside: dict[bytes, str], report: Report) -> None:
        self.notes = sorted((note for _, note in notes), key=lambda note: note.size, reverse=True)
        self.read, self.beside, self.report, self.size, self.good, self.whole = read, beside, report, 0, 0, True
        self.edge = [list[bytes]() for _ in range(9)]  # of each level of tiles, the hashes that fill no tile yet
        self.shapes, self.versions = Shapes(), dict[bytes, int]()
        self.compare_roots()

    def take(self, bundle: bytes, leaves: bytes, count: int) -> None:
        """Check the next entries, and that they are those of which these leaves were recorded."""
        entries, seqs, streams, versions = self.shapes.read(bundle)
        need(len(entries) == count == len(leaves) / 32, "row.damaged", "there are more or fewer of them than it says")
        found = [sha256(b"\x00" + data).digest() for data in entries]
        first, seen = self.size, self.versions
        recorded = found if b"".join(found) == leaves else [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
        wrong = {at: "" for at, leaf in enumerate(found) if leaf != recorded[at]} if recorded is not found else {}
        if seqs != [*range(first, first + count)]:
            wrong |= {at: "" for at, seq in enumerate(seqs) if seq != first + at}
        for at, stream in enumerate(streams):
            due = seen.get(stream, 0) + 1
            seen[stream] = versions[at]
            if versions[at] != due:
                wrong[at] = f"its place is version {due}"
        for at, gap in sorted(wrong.items()):
            with self.report.at(named(entries[at], first + at)):
                need(found[at] == recorded[at], "entry.altered", "its bytes do not hash to its recorded leaf")
                seq, *_ = read_entry(entries[at])
                need(seq == first + at, "entry.misplaced", f"it says that it is entry {seq}")
                need(not gap, "stream.gap", gap)
        if first == 0:
            self.report.before = named_before(entries[0])
        for mention in HEX64.findall(bundle) if self.beside else ():
            self.beside.pop(mention, None)
        self.grow(recorded)

    def grow(self, leaves: list[bytes]) -> None:
        """Add leaves to the tree, compare each full tile with what was recorded, and the root at each signed size."""
        while leaves:
            room = min(WIDTH - len(self.edge[0]), self.notes[-1].size - self.size if self.notes else WIDTH)
            self.edge[0] += leaves[:room]
            self.size, leaves, level = self.size + len(leaves[:room]), leaves[room:], 0
            while len(self.edge[level]) == WIDTH:
                self.compare_tile(level)
                self.edge[level + 1].append(root_of(self.edge[level]))
                self.edge[level], level = [], level + 1
            self.compare_roots()

    def compare_roots(self) -> None:
        """Compare the root with what was signed for this size."""
        while self.notes and self.notes[-1].size <= self.size:
            note, root = self.notes.pop(), list[bytes]()
            for row in self.edge:
                root = [root_of(row + root)] if row or root else []
            if self.whole and root_of(root) != note.root:
                where, self.whole = f"entries {self.good} to {self.size - 1}", False
                self.report.problem("root.altered", where, f"the root signed for {self.size} differs")
            self.good = self.size

    def compare_tile(self, level: int) -> None:
        """Compare the newest tile of a level with what was recorded of it."""
        row, index = self.edge[level], (self.size - 1 >> 8 * level) // WIDTH
        if level and row and self.whole:
            with self.report.at(f"tile {index} of level {level}"):
                told = self.read(level, index, len(row))
                need(told != b"", "tile.missing", "it is not there")
                need(told in (b"".join(row), None), "tile.altered", "its hashes are not those of what lies below it")

    def end(self) -> None:
        """Check what can be known only when all has been seen."""
        for level in range(len(self.edge)):
            self.compare_tile(level)
        for note in self.notes[:1]:
            self.report.problem("store.truncated", f"entries {self.size} to {note.size - 1}", "signed, but missing")
        for name, what in self.beside.items():
            self.report.problem("store.unbound", f"{what} {name!a}", "no entry of the ledger names it")
        self.report.checked["entries"] = self.size


def named_before(data: bytes) -> Note | None:
    """The checkpoint of the ledger before this one that the first entry of one that was begun anew names."""
    if BEGUN_ANEW not in data:
        return None
    *_, kind, _, body = read_entry(data)
    return Note(str(body.get("checkpoint")).encode()) if kind == BEGUN_ANEW else None


def verify_before(follows: str | None, trust: Trust, report: Report) -> None:
    """Check what the first entry of a ledger that was begun anew says of the one before it, and that one if given."""
    note, where, state = report.before, "the checkpoint in entry 0", "not checked, for no key of it was given"
    need(note or not follows, "follows.missing", "the first entry of this ledger names none before it")
    if note is None:
        return
    if follows:
        old, state = Report(), "verified up to there"
        with old.at(follows):
            verify_target(Path(follows), Namespace(entry=None, follows=None), trust, [(where, note)], old)
        report.found += old.found - len(old.problems)
        for one in old.problems:
            report.problem(one["code"], f"{follows}: {one['where']}", one["text"])
    elif note.origin in {key.name for key in trust.keys}:
        state = "signed by its key"
        with report.at(where):
            trust.check(note)
            need(trust.witnessed >= 0, "checkpoint.unwitnessed", "no quorum has cosigned it")
    report.follows = {"origin": note.origin, "size": note.size, "root": b64encode(note.root).decode(), "state": state}


def verify_ledger(target: Path, follows: str | None, trust: Trust, since: list[Signed], report: Report) -> None:
    """Verify a published ledger or a store, and what it says of the one before it."""
    of_before = copy(trust)  # which knows of no change of keys and of no cosignature yet
    of_before.turns = []
    if target.is_dir():
        # What a publisher makes before it moves it to its place is passed over.
        names = list_files(target, None, report, ".staging")
        verify_tiles({name: partial(open_tile, f"{target}/{name}") for name in names}, trust, since, report)
    else:
        try:
            with open_store(target) as connection:
                verify_store(connection, trust, since, report)
        except sqlite3.Error as error:
            raise CheckError("input.unreadable", f"it cannot be read: {error}") from error
    verify_before(follows, of_before, report)


def check_signers(notes: Iterable[Signed], trust: Trust, report: Report) -> None:
    """Check who signed each checkpoint."""
    for where, note in notes:
        with report.at(where):
            trust.check(note)


def open_tile(path: str) -> Any:
    """Open a file; for a part of a tile that a publisher has filled meanwhile, the full one."""
    with suppress(FileNotFoundError):
        return open(path, "rb", 0)  # noqa: PTH123 - tens of thousands of them are opened
    return open(path.partition(".p/")[0], "rb", 0)  # noqa: PTH123


def verify_tiles(files: Files, trust: Trust, since: list[Signed], report: Report) -> None:
    """Check a published ledger: each entry, each file of each tile, the signed roots, and what is published beside."""
    names = ["checkpoint", *(["cosigned"] if trust.witnesses and "cosigned" in files else [])]
    notes = [(name, Note(content(files, name, NOTE_BYTES))) for name in names]
    report.head = note = max((note for _, note in notes), key=lambda note: note.size)
    trust.turn(content(files, "rotations", FILE_BYTES) if "rotations" in files else b"")
    check_signers([*notes, *since], trust, report)
    places, beside = defaultdict[tuple[str, int], dict[int, str]](dict), dict[bytes, str]()
    for path in files:
        with report.at(path):
            match = TILE.fullmatch(path)
            need(match or not path.startswith("tile/"), "tile.unknown", "this is not the name of a tile")
            if match:
                places[match[1], int(re.sub("[x/]", "", match[2]))][int(match[3] or WIDTH)] = path
            elif path.startswith("attachment/"):
                good = sha256(content(files, path, FILE_BYTES)).hexdigest() == path[11:]
                need(good, "attachment.altered", "its content is not the one it is named for")
                beside[path[11:].encode()] = path
    report.checked["attachments"] = len(beside)

    def tile(level: int | str, index: int, width: int) -> bytes:  # as all files have it that begin it
        best, counted = b"", level == "entries"
        for told, path in sorted(places.pop((str(level), index), {}).items(), reverse=True):
            with report.at(path):
                data = content(files, path, WIDTH * (ENTRY_BYTES + 2))
                items = len(data) / 32 if not counted else WIDTH if told == WIDTH else len(split_bundle(data))
                need(items in (told, WIDTH), "tile.form", f"it does not hold {told} items")
                best = best or data
                need(best.startswith(data), "tile.altered", "it is not the beginning of the same tile")
        if counted and width < WIDTH:
            return b"".join(len(one).to_bytes(2) + one for one in split_bundle(best)[:width])
        return best if counted else best[: 32 * width]

    walk = Walk([*notes, *since], tile, beside, report)
    for first in range(0, note.size, WIDTH):
        width, index = min(WIDTH, note.size - first), first // WIDTH
        with report.at(f"entries {first} to {first + width - 1}"):
            bundle, leaves = tile("entries", index, width), tile(0, index, width)
            need(bundle and leaves, "tile.missing", "the tile of their hashes or the bundle of them is not there")
            walk.take(bundle, leaves, width)
        if walk.size != first + width:
            break  # nothing that follows could be compared with anything
        report.progress(walk.size, note.size)
    walk.end()
    report.checked["files not yet signed"] = sum(map(len, places.values()))


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


def read_rows(connection: sqlite3.Connection) -> Iterator[tuple[int, int, bytes, bytes]]:
    """The rows of a store, each of the place of its first entry, their number, their leaves and their bundle."""
    for row in connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first"):
        need(list(map(type, row)) == [int, int, bytes, bytes], "input.store", "its rows are not those of a ledger")
        yield row


def verify_store(connection: sqlite3.Connection, trust: Trust, since: list[Signed], report: Report) -> None:
    """Check a whole store: each entry, the order, every signed root, the tiles, and what lies beside the entries."""
    views = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'view'").fetchone()
    need(views == (0,), "input.store", "a ledger store has no views")
    with report.at("store"):
        sound = connection.execute("PRAGMA integrity_check(1)").fetchone()
        need(sound == (b"ok",), "store.damaged", f"its pages or its index contradict each other: {sound!a}")
    turned = "SELECT entries FROM batch WHERE instr(entries, ?) ORDER BY first"
    for data in (data for (bundle,) in connection.execute(turned, (ROTATED,)) for data in split_bundle(bundle)):
        *_, kind, _, body = read_entry(data) if ROTATED in data else (b"", b"", None)
        trust.turn(str(body.get("statement")).encode() if kind == ROTATED else b"")
    notes = list[Signed]()
    for size, data in connection.execute("SELECT size, note FROM checkpoint ORDER BY size"):
        with report.at(f"checkpoint of size {size}"):
            report.head = head = Note(data if isinstance(data, bytes) else b"")
            need(head.size == size, "checkpoint.misplaced", f"what was signed is of size {head.size}")
            trust.check(head)
            notes.append((f"checkpoint of size {size}", head))
    report.checked["checkpoints"] = len(notes)
    need(notes, "checkpoint.missing", "the store holds no checkpoint signed by the trusted key")
    check_signers(since, trust, report)
    beside = {name: "sealed value" for (name,) in connection.execute("SELECT commitment FROM sealed NOT INDEXED")}
    for name, data in connection.execute("SELECT sha256, bytes FROM attachment"):
        beside[name] = "attachment"
        if type(data) is not bytes or sha256(data).hexdigest().encode() != name:
            report.problem("attachment.altered", f"attachment {name!a}", "its content is not the one named")
    tiles: dict[Any, bytes] = {row[:2]: row[2] for row in connection.execute("SELECT * FROM tile")}
    (total,) = connection.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()
    full = lambda level, index, width: tiles.pop((level, index), b"") if width == WIDTH else None  # noqa: E731
    walk = Walk([*notes, *since], full, beside, report)
    for first, count, leaves, bundle in read_rows(connection):
        if first != walk.size:
            report.problem("store.gap", f"entries {walk.size} to {first - 1}", "they are missing from the store")
            walk.size, walk.whole = first, False
        with report.at(f"entries {first} to {first + count - 1}"):
            walk.take(bundle, leaves, count)
        report.progress(walk.size, total)
    walk.end()
    for place in tiles:
        report.problem("tile.unknown", f"tile {place}", "it is none of this ledger")
    report.checked["entries not yet signed"] = walk.size - report.head.size if report.head else 0
