"""What the scribe checks before it writes again.

- Places run from 0 without a gap, and the versions of each stream from 1 without a gap.
- Every entry's bytes hash to its leaf, and say the place at which they are found and the next version of their stream.
- The index of streams has no gap and leaves out no entry.
- The stored tiles are those of the leaves, and the last signed checkpoint is ours and has the root of the leaves.
- The anchor, a copy of the last signed checkpoint kept apart from the store, is not ahead of the store and does
  not contradict it, and neither is what others have seen: a store that was rolled back or swapped is refused.
- The last entry that this scribe acknowledged is there: a fail-over that lost it is refused.

Anything else ends the start. A write-ahead log torn by a crash is SQLite's to mend: what was acknowledged is
in it whole, and what was not is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.entry import at_of
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HASH_BYTES, Tree, leaf_hash
from sojourn.ledger.note import Signer, Verifier
from sojourn.ledger.tiles import split_hashes

from .anchor import Seen, Watermark, read_anchor, write_anchor
from .edges import Edges
from .log import Log
from .rows import EntryRow
from .store import Store

REHASHED_MAX = 1_000_000
"""Stores up to this many entries are hashed again from their bytes at every start (about 3 microseconds an entry); of
larger ones, what lies behind the last signed checkpoint. The leaves are gone through at any size (about 1 microsecond
an entry), and `sojourn-verify` checks everything at any size."""

PAGE = 4096


def recover(
    store: Store,
    *,
    path: Path,
    anchor: Path,
    key: Signer,
    clock: Callable[[], datetime],
    has_room: Callable[[int], bool],
    rehashed_max: int = REHASHED_MAX,
    seen: Sequence[Seen] = (),
    watermark: Watermark | None = None,
) -> Log:
    """Check the store and give the log over it. `seen` are checkpoints that lie with others.

    Raises SojournError `record.damaged` or `record.behind`.
    """
    verifier = Verifier.parse(key.vkey())
    size = _check_places(store, path)
    last = store.last_checkpoint()
    signed = None if last is None else _opened(last[1], verifier, path, "the last checkpoint")
    try:
        anchored = read_anchor(anchor, verifier)
    except LedgerError as error:
        raise _damaged(path, f"the anchor file {anchor} does not verify: {error}") from error
    own = () if anchored is None else (Seen(place=str(anchor), checkpoint=anchored),)
    for one in (*own, *seen):
        if one.checkpoint.size > size:
            raise SojournError(Code.RECORD_BEHIND, held=str(size), anchor=one.place, seen=str(one.checkpoint.size))
    _check_watermark(watermark, store, size)
    if signed is not None and signed.size > size:
        raise _damaged(path, f"{signed.size} entries were signed and {size} are there")
    gap = store.gap()
    if gap is not None:
        raise _damaged(path, gap)
    rehash_from = 0 if size <= rehashed_max else (signed.size if signed else 0)
    known = {one.checkpoint: one.place for one in (*seen, *own)}
    if signed is not None:
        known[signed] = str(path)
    edges, tree = _rebuild(store, size, known, rehash_from, path)
    newest = store.entry(size - 1) if size else None
    log = Log(store=store, anchor=anchor, key=key, clock=clock, has_room=has_room, edges=edges, read_back=tree)
    log.watermark = watermark
    log.last_at = "" if newest is None else at_of(newest)
    if last is not None:
        log.signed_size, log.signed_note = last
        if anchored is None or anchored.size < log.signed_size:
            # A crash between the two writes of the last signing left the anchor behind.
            write_anchor(anchor, log.signed_note)
    log.forget_old_pages()
    return log


def _check_watermark(watermark: Watermark | None, store: Store, size: int) -> None:
    """Whatever was acknowledged is there, to the last entry."""
    last = None if watermark is None else watermark.read()
    if watermark is None or last is None or not last.size:
        return
    if last.size > size or store.leaves(last.size - 1, 1) != last.leaf:
        raise SojournError(Code.RECORD_BEHIND, held=str(size), anchor=str(watermark.path), seen=str(last.size))


def _check_places(store: Store, path: Path) -> int:
    count, lowest, highest = store.extent()
    if lowest != 0 or count != highest + 1:
        raise _damaged(path, f"{count} entries are there, but their places run from {lowest} to {highest}")
    return count


def _rebuild(
    store: Store, size: int, known: Mapping[Checkpoint, str], rehash_from: int, path: Path
) -> tuple[Edges, Tree]:
    """Go through all leaves once, page by page; compare tiles, and the root at each size that was signed."""
    edges, tree, versions = Edges(), Tree(), dict[str, int]()
    stops = sorted({one.size for one in known} | {size})
    position = 0
    for stop in stops:
        while position < stop:
            end = min(position + PAGE, stop)
            if position < rehash_from:
                end = min(end, rehash_from)
                leaves = _stored_leaves(store, position, end, path)
            else:
                leaves = [_leaf(row, versions, path, whole=not rehash_from) for row in store.rows(position, end)]
            for level, tile_index, hashes in edges.extend(leaves):
                if store.tile(level, tile_index) != hashes:
                    raise _damaged(path, f"tile {tile_index} of level {level} is not that of the entries")
            tree.extend(leaves)
            position = end
        for one, place in known.items():
            if one.size == position and not one.root == edges.root() == tree.root():
                raise _damaged(path, f"the first {position} entries are not those that were signed, as {place} has it")
    _check_index(store, versions, size, path)
    return edges, tree


def _check_index(store: Store, versions: Mapping[str, int], size: int, path: Path) -> None:
    """The index holds every entry up to `size`, and beyond them no more than another scribe has added meanwhile."""
    indexed = {stream: store.version(stream) for stream in versions}
    _, _, highest = store.extent()
    added = Counter(row[1] for row in store.rows(size, highest + 1))
    for stream, version in versions.items():
        if not version <= indexed[stream] <= version + added[stream]:
            raise _damaged(path, f"the index of streams does not hold the {version} entries of {stream}")


def _stored_leaves(store: Store, start: int, end: int, path: Path) -> list[bytes]:
    joined = store.leaves(start, end - start)
    if len(joined) != (end - start) * HASH_BYTES:
        raise _damaged(path, f"a leaf of entries {start} to {end - 1} is no hash")
    return split_hashes(joined)


def _leaf(row: EntryRow, versions: dict[str, int], path: Path, *, whole: bool) -> bytes:
    """The leaf hash of an entry, once its bytes are those of the leaf and it is the next one of its stream.

    `versions` are those of the streams so far. Unless the store is read as a `whole`, a stream may begin anywhere.
    """
    seq, stream, version, kind, leaf, data = row
    if not stream or leaf_hash(data) != leaf:
        raise _damaged(path, f"entry {seq} ({kind}, {stream} version {version}) was altered")
    if version != versions.get(stream, 0 if whole else version - 1) + 1:
        raise _damaged(path, f"the versions of stream {stream} have a gap: entry {seq} is version {version}")
    versions[stream] = version
    return leaf


def _opened(note: str, verifier: Verifier, path: Path, what: str) -> Checkpoint:
    if type(note) is not str:
        raise _damaged(path, f"{what} is no text")
    try:
        return checkpoints.open(note, verifier)
    except LedgerError as error:
        raise _damaged(path, f"{what} does not verify: {error}") from error


def _damaged(path: Path, problem: str) -> SojournError:
    return SojournError(Code.RECORD_DAMAGED, problem=problem, path=str(path))
