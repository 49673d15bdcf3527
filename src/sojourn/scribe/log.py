"""The log: decides which appends of a batch may be written, writes them together, and signs what was written.

- A batch is one transaction. An append whose stream has moved on is refused alone; the others go on.
- Every entry of a batch carries the same time. Order is by place, never by time.
- The root is signed only after a second way, over bytes read back from the store, has come to the same root.
- An error of the store is not handled here: the process ends, and start-up looks at what is really there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.canonical import MAX_ENTRY_BYTES
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import (
    HASH_BYTES,
    HashReader,
    Tree,
    leaf_hash,
    root_of_range,
)
from sojourn.ledger.note import SigningKey
from sojourn.ledger.tiles import TILE_WIDTH, hash_reader, split_hashes, tile_root

from .protocol import Append, Appended, Draft, Key, Matter, Refused
from .store import EntryRow, Store

VERSIONS_KEPT = 100_000
SIGNING_PAGE = 4096


@dataclass(slots=True)
class Edges:
    """The right edge of each level of tiles: the hashes of the tile that is not full yet, lowest level first."""

    levels: list[list[bytes]] = field(default_factory=lambda: [[]])

    def extend(self, leaves: Sequence[bytes], size: int) -> list[tuple[int, int, bytes]]:
        """Add leaves on the right of a tree of `size`; give the tiles of level 1 and up that became full."""
        full: list[tuple[int, int, bytes]] = []
        for offset, leaf in enumerate(leaves, start=size + 1):
            self.levels[0].append(leaf)
            level, hashes = 0, self.levels[0]
            while len(hashes) == TILE_WIDTH:
                joined = b"".join(hashes)
                if level:
                    full.append((level, (offset >> (8 * (level + 1))) - 1, joined))
                hashes.clear()
                level += 1
                if level == len(self.levels):
                    self.levels.append([])
                hashes = self.levels[level]
                hashes.append(tile_root(joined))
        return full


class UnacceptableError(Exception):
    """An append that will not be written; carries the answer."""

    def __init__(self, code: Code, **details: str) -> None:
        self.code, self.details = code, details
        super().__init__(code)


@dataclass(slots=True)
class _Batch:
    """What the accepted appends of one batch add up to."""

    rows: list[EntryRow] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    matter: list[Matter] = field(default_factory=list)
    attachments: list[tuple[str, bytes]] = field(default_factory=list)
    answers: list[Appended | Refused] = field(default_factory=list)


@dataclass(slots=True)
class Log:
    """The ledger as the scribe holds it while it runs."""

    store: Store
    key: SigningKey
    clock: Callable[[], datetime]
    has_room: Callable[[], bool]
    tree: Tree
    edges: Edges
    signed_size: int
    signed_note: str
    _versions: dict[str, int] = field(default_factory=dict)

    def append(self, calls: Sequence[Append]) -> list[Appended | Refused]:
        """Write a batch and give one answer for each call, in order. Durable when it returns.

        Raises `sqlite3.Error` when the store fails; nothing of the batch may be acknowledged then.
        """
        if not self.has_room():
            return [Refused(call.id, Code.RECORD_FULL, {"directory": "the data directory"}) for call in calls]
        at = entries.format_time(self.clock())
        batch = _Batch()
        for call in calls:
            try:
                self._accept(call, at, batch)
            except UnacceptableError as error:
                batch.answers.append(Refused(call.id, error.code, error.details))
        if batch.rows:
            self._write(batch)
        return batch.answers

    def _accept(self, call: Append, at: str, batch: _Batch) -> None:
        """Add one append to the batch, or raise UnacceptableError and leave the batch as it was."""
        if not call.drafts:
            raise UnacceptableError(Code.INPUT_INVALID, problem="An append without entries", expected="one at least")
        versions: dict[str, int] = {}
        for stream, seen in call.guards:
            if self._version(stream, batch) != seen:
                raise UnacceptableError(Code.RECORD_STALE, stream=stream)
        rows: list[EntryRow] = []
        first = self.tree.size + len(batch.rows)
        for draft in call.drafts:
            version = versions.get(draft.stream)
            if version is None:
                version = self._version(draft.stream, batch)
            if draft.seen is not None and draft.seen != version:
                raise UnacceptableError(Code.RECORD_STALE, stream=draft.stream)
            rows.append(_row(draft, seq=first + len(rows), version=version + 1, at=at))
            versions[draft.stream] = version + 1
        for key in call.keys:
            held = batch.keys.get(key.key) or self.store.key(key.key)
            if held is not None and held != key:
                raise UnacceptableError(Code.INPUT_INVALID, problem="A key id is taken", expected="a fresh key id")
        batch.keys.update((key.key, key) for key in call.keys)
        batch.rows.extend(rows)
        batch.versions.update(versions)
        batch.matter.extend(call.matter)
        batch.attachments.extend((hashlib.sha256(content).hexdigest(), content) for content in call.attachments)
        batch.answers.append(Appended(call.id, first, first + len(rows), at))

    def _version(self, stream: str, batch: _Batch) -> int:
        version = batch.versions.get(stream)
        if version is None:
            version = self._versions.get(stream)
        if version is None:
            version = self._versions[stream] = self.store.version(stream)
        return version

    def _write(self, batch: _Batch) -> None:
        leaves = [row[4] for row in batch.rows]
        tiles = self.edges.extend(leaves, self.tree.size)
        with self.store.transaction():
            self.store.insert(
                batch.rows,
                keys=batch.keys.values(),
                matter=batch.matter,
                attachments=batch.attachments,
                tiles=tiles,
            )
        self.tree.extend(leaves)
        self._versions.update(batch.versions)
        while len(self._versions) > VERSIONS_KEPT:
            del self._versions[next(iter(self._versions))]

    def sign(self) -> str:
        """A signed checkpoint over everything written so far.

        Raises SojournError `record.damaged` when what is in the store is not what was written; nothing is signed
        then, and the process must end.
        """
        size, root = self.tree.size, self.tree.root()
        if size == self.signed_size and self.signed_note:
            return self.signed_note
        self._check_read_back(self.signed_size, size)
        if root_of_range(0, size, self.reader(size)) != root:
            raise _damaged("the stored tree has another root than what was written")
        note = checkpoints.sign(Checkpoint(origin=self.key.name, size=size, root=root), self.key)
        with self.store.transaction():
            self.store.insert_checkpoint(size, note)
        self.signed_size, self.signed_note = size, note
        return note

    def _check_read_back(self, start: int, end: int) -> None:
        for seq, _, _, _, leaf, data in self.store.rows(start, end):
            if seq != start or leaf_hash(data) != leaf:
                raise _damaged(f"entry {start} was not read back as it was written")
            start += 1
        if start != end:
            raise _damaged(f"entry {start} is missing from the store")

    def reader(self, size: int) -> HashReader:
        """Reads subtree hashes of the tree of `size` entries out of the store and the right edge."""

        def tile(level: int, tile_index: int, width: int) -> bytes:
            if level == 0:
                return self.store.leaves(tile_index * TILE_WIDTH, width)
            stored = self.store.tile(level, tile_index)
            if stored is None:
                stored = b"".join(self.edges.levels[level])
            return stored[: width * HASH_BYTES]

        return hash_reader(size, tile)


def _damaged(problem: str) -> SojournError:
    return SojournError(Code.RECORD_DAMAGED, problem=problem, path="ledger.db")


def _row(draft: Draft, *, seq: int, version: int, at: str) -> EntryRow:
    try:
        # Bodies come from our own encoder; writing them again catches one that is not canonical. The verifier
        # checks the rest (key alphabet, numbers) of every entry.
        if msgspec.json.encode(msgspec.json.decode(draft.body), order="sorted") != draft.body:
            raise UnacceptableError(Code.INPUT_INVALID, problem="A body is not canonical JSON", expected="sorted keys")
        data = entries.assemble(seq=seq, at=at, stream=draft.stream, version=version, kind=draft.kind, body=draft.body)
    except LedgerError as error:
        if len(draft.body) + 512 > MAX_ENTRY_BYTES:
            raise UnacceptableError(
                Code.RECORD_TOO_LARGE, size=str(len(draft.body)), limit=str(MAX_ENTRY_BYTES)
            ) from error
        raise UnacceptableError(Code.INPUT_INVALID, problem=str(error), expected="an entry") from error
    except msgspec.DecodeError as error:
        raise UnacceptableError(Code.INPUT_INVALID, problem="A body is not JSON", expected="an object") from error
    return (seq, draft.stream, version, draft.kind, leaf_hash(data), data)


def edges_from(leaves: bytes) -> tuple[Tree, Edges, list[tuple[int, int, bytes]]]:
    """The tree, its right edge and its full tiles (level 1 and up), rebuilt from all leaf hashes joined."""
    tree, edges = Tree(), Edges()
    split = split_hashes(leaves)
    tiles = edges.extend(split, 0)
    tree.extend(split)
    return tree, edges, tiles
