"""The log: decides which appends of a batch may be written, writes them together, and signs what was written.

- A batch is one transaction. An append whose stream has moved on is refused alone; the others go on.
- Every entry of a batch carries the same time. Order is by place; a time is never before that of the entry before
  it, so while a clock that was set back lags behind, entries carry the last time.
- What another scribe has written meanwhile is read first, and checked, before anything is decided.
- The root is signed only after a second way, over bytes read back from the store, has come to the same root.
- A tombstone is obeyed in the transaction that writes it: there is no destruction without its entry, nor the reverse.
- When room is short, nothing is written and nothing signed; reading goes on.
- An error of the store is not handled here: the process ends, and start-up looks at what is really there. Only what
  the store knows not to have been written is decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sojourn.domain.events import KeysDestroyed, LedgerKeyRotated
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import HASH_BYTES, HashReader, Tree, leaf_hash, leaf_hashes
from sojourn.ledger.note import LineSigner, Signer
from sojourn.ledger.tiles import TILE_WIDTH, hash_reader

from .anchor import Watermark, write_anchor
from .batch import Batch, UnacceptableError, accept
from .edges import Edges, Tile
from .plain import accept_all
from .protocol import Append, Appended, Refused
from .rotation import check_followed
from .rows import EntryRow, damaged
from .store import NotWrittenError, Store, StoreError

NOT_SIGNED_NOW = frozenset({Code.RECORD_FULL, Code.SIGNING_UNAVAILABLE})
"""Why `Log.sign` may be refused and work later."""

VERSIONS_KEPT = 100_000
KEYS_KEPT = 10_000
WRITE_TRIES = 5
PAGE = 4096
ON_ITS_WAY = timedelta(seconds=30)
"""Whoever follows the record has let go of a destroyed key long before this."""

Kept = TypeVar("Kept")


@dataclass(slots=True)
class Log:
    """The ledger as the scribe holds it while it runs.

    `has_room(bytes)` tells whether the disk can take so many bytes and keep its reserve. `read_back` is the tree over
    the bytes that were read from the store again; it is never ahead of `edges`. `last_at` is the time of the last
    entry. `new_key` follows `key`, and both sign for a while; `second_key` adds a signature of another kind.
    `by_itself` is set while the scribe records something of its own. `old_pages` says that the write-ahead log may
    still hold a key that was destroyed, perhaps by the process before this one.
    """

    store: Store
    anchor: Path
    key: Signer
    clock: Callable[[], datetime]
    has_room: Callable[[int], bool]
    edges: Edges
    read_back: Tree
    new_key: Signer | None = None
    second_key: LineSigner | None = None
    by_itself: bool = False
    signed_size: int = 0
    signed_note: str = ""
    unchecked_tiles: list[Tile] = field(default_factory=list)
    last_at: str = ""
    watermark: Watermark | None = None
    written: Sequence[EntryRow] = ()
    old_pages: bool = True
    _versions: dict[str, int] = field(default_factory=dict)
    _keys: dict[str, None] = field(default_factory=dict)
    _destroyed: dict[str, datetime] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of entries on record."""
        return self.edges.size

    def append(self, calls: Sequence[Append], *, arriving: int, at: int | None = None) -> list[Appended | Refused]:
        """Write a batch of about `arriving` bytes and give one answer for each call, in order.

        It is durable when this returns; its rows are in `written` then, behind those of other scribes that were not
        known here yet. With `at`, all of it is refused (`record.stale`) unless exactly so many entries are on record.
        Raises what the store raises when it fails; nothing of the batch may be acknowledged then.
        """
        self.written = ()
        if not self.has_room(arriving):
            return [Refused(call.id, Code.RECORD_FULL, {"directory": self.store.directory}) for call in calls]
        for _ in range(WRITE_TRIES):
            try:
                with self.store.writing() as size:
                    self.catch_up(size)
                    if at not in (None, size):
                        return [
                            Refused(call.id, Code.RECORD_STALE, {"stream": call.drafts[0].stream}) for call in calls
                        ]
                    batch = self._decided(calls)
                    edges = self.edges.copy()
                    tiles = edges.extend([row[4] for row in batch.rows])
                    if batch.rows:
                        self._insert(batch, tiles)
            except NotWrittenError:
                continue
            self._grow(batch.rows, edges, tiles)
            if batch.rows and self.watermark is not None:
                self.watermark.write(self.edges.size, batch.rows[-1][4])
            _remember(self._keys, dict.fromkeys(batch.keys), KEYS_KEPT)
            if batch.destroyed:
                self._forget(batch.destroyed)
            return batch.answers
        raise StoreError(f"the store took nothing in {WRITE_TRIES} tries")

    def _decided(self, calls: Sequence[Append]) -> Batch:
        commitments = {one.commitment for call in calls for one in call.matter}
        batch = Batch(
            at=max(entries.format_time(self.clock()), self.last_at),
            first=self.edges.size,
            taken=self.store.taken(commitments) if commitments else frozenset(),
        )
        if not accept_all(calls, batch, self):
            for call in calls:
                try:
                    accept(call, batch, self)
                except UnacceptableError as error:
                    batch.answers.append(Refused(call.id, error.code, error.details))
        return batch

    def _insert(self, batch: Batch, tiles: Sequence[Tile]) -> None:
        self.store.insert(
            batch.rows,
            keys=batch.keys.values(),
            matter=batch.matter.values(),
            attachments=batch.attachments.items(),
            tiles=tiles,
        )
        if batch.destroyed:
            self.store.destroy_keys(batch.destroyed)

    def _grow(self, rows: Sequence[EntryRow], edges: Edges, tiles: Sequence[Tile]) -> None:
        """Take over what is durable now."""
        if not rows:
            return
        self.edges = edges
        self.unchecked_tiles.extend(tiles)
        self.last_at = entries.at_of(rows[-1][5])
        self.store.remember(edges.size, rows[-1][4])
        self.written = [*self.written, *rows] if self.written else rows
        _remember(self._versions, {row[1]: row[2] for row in rows}, VERSIONS_KEPT)

    def catch_up(self, size: int) -> None:
        """Read what others have written up to `size`, and add it to `written`.

        Raises SojournError `record.damaged` when the store holds less than it did, or an entry is not what its leaf
        says.
        """
        if size < self.edges.size:
            raise damaged(f"{self.edges.size} entries were there, and now {size}")
        while self.edges.size < size:
            rows = list(self.store.rows(self.edges.size, min(size, self.edges.size + PAGE)))
            places = [row[0] for row in rows]
            if places != list(range(self.edges.size, self.edges.size + len(rows))) or not rows:
                raise damaged(f"entry {self.edges.size} or one of those behind it is missing from the store")
            for seq, stream, _, kind, leaf, data in rows:
                if not stream or leaf_hash(data) != leaf:
                    raise damaged(f"entry {seq} is not what its leaf says")
                if kind == KeysDestroyed.kind:
                    self._keys.clear()
                if kind == LedgerKeyRotated.kind:
                    check_followed(data, self._signers())
            edges = self.edges.copy()
            self._grow(rows, edges, edges.extend([row[4] for row in rows]))

    def follow(self) -> None:
        """Read what other scribes have written since; it is in `written` then."""
        self.written = ()
        if self.store.shared:
            self.catch_up(self.store.size())

    def version(self, stream: str) -> int:
        """The version of a stream on record."""
        version = self._versions.get(stream)
        if version is None:
            version = self.store.version(stream)
            _remember(self._versions, {stream: version}, VERSIONS_KEPT)
        return version

    def knows_key(self, key: str) -> bool:
        """Whether a sealing key is on record and was not destroyed."""
        if key not in self._keys:
            if not self.store.usable_key(key):
                return False
            _remember(self._keys, {key: None}, KEYS_KEPT)
        return True

    def just_destroyed(self, key: str) -> bool:
        """Whether a sealing key was destroyed so lately that values under it may still be on their way."""
        at = self._destroyed.get(key)
        return at is not None and abs(self.clock() - at) < ON_ITS_WAY

    def _forget(self, destroyed: Mapping[str, None]) -> None:
        for key in destroyed:
            self._keys.pop(key, None)
        _remember(self._destroyed, dict.fromkeys(destroyed, self.clock()), KEYS_KEPT)
        self.old_pages = True
        self.forget_old_pages()

    def forget_old_pages(self) -> None:
        """See that the write-ahead log keeps no copy of a destroyed key. Tried again while somebody reads the file."""
        if self.old_pages and self.store.forget_old_pages():
            self.old_pages = False

    def check_back(self, limit: int) -> None:
        """Read up to `limit` entries back from the store and hash them from their bytes, a second time.

        Raises SojournError `record.damaged` when they are not what was written; the process must end.
        """
        start = self.read_back.size
        end = min(start + limit, self.edges.size)
        leaves: list[bytes] = []
        for first, joined, entries_there in self.store.bundles(start, end):
            computed = leaf_hashes(entries_there)
            if first != start + len(leaves) or b"".join(computed) != joined:
                good = 0 if first != start + len(leaves) else _agreeing(computed, joined)
                raise damaged(f"entry {start + len(leaves) + good} was not read back as it was written")
            leaves.extend(computed)
        if start + len(leaves) != end:
            raise damaged(f"entry {start + len(leaves)} is missing from the store")
        self.read_back.extend(leaves)

    def sign(self) -> str:
        """A signed checkpoint over everything written so far; the newest one if nothing was added.

        Raises SojournError `record.full` when there is no room for it, `signing.unavailable` when the key does not
        sign, and `record.damaged` when what is in the store is not what was written; nothing is signed then, and after
        `record.damaged` the process must end.
        """
        if self.signed_note and self.edges.size == self.signed_size:
            return self.signed_note
        if not self.has_room(0):
            raise SojournError(Code.RECORD_FULL, directory=self.store.directory)
        size, root = self.edges.size, self.edges.root()
        self.check_back(size)
        if self.read_back.root() != root:
            raise damaged("the entries in the store have another root than what was written")
        for level, tile_index, hashes in self.unchecked_tiles:
            if self.store.tile(level, tile_index) != hashes:
                raise damaged(f"tile {tile_index} of level {level} was not read back as it was written")
        # Looked at once: while the key is away this is done again and again.
        self.unchecked_tiles.clear()
        beside = () if self.second_key is None else (self.second_key,)
        note = checkpoints.sign(Checkpoint(origin=self.key.name, size=size, root=root), *self._signers(), *beside)
        self._keep_checkpoint(size, note)
        write_anchor(self.anchor, note)
        self.signed_size, self.signed_note = size, note
        return note

    def _signers(self) -> tuple[Signer, ...]:
        return (self.key,) if self.new_key is None else (self.key, self.new_key)

    def _keep_checkpoint(self, size: int, note: str) -> None:
        for _ in range(WRITE_TRIES):
            try:
                with self.store.writing():
                    self.store.insert_checkpoint(size, note)
            except NotWrittenError:
                continue
            return
        raise StoreError(f"the store took no checkpoint in {WRITE_TRIES} tries")

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


def _agreeing(computed: Sequence[bytes], joined: bytes) -> int:
    """How many leaf hashes from the first on are those that are joined."""
    stored = [joined[place : place + HASH_BYTES] for place in range(0, len(joined), HASH_BYTES)]
    return next((number for number, pair in enumerate(zip(computed, stored, strict=False)) if pair[0] != pair[1]), 0)


def _remember(known: dict[str, Kept], fresh: dict[str, Kept], limit: int) -> None:
    """Add to what is kept in memory and forget the oldest beyond the limit; all of it is in the store too."""
    known.update(fresh)
    while len(known) > limit:
        del known[next(iter(known))]
