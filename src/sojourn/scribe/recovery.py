"""What the scribe checks before it writes again.

- Places run from 0 without a gap, and every entry's bytes hash to its leaf.
- The stored tiles are those of the leaves, and the last signed checkpoint is ours and has the root of the leaves.
- The anchor, a copy of the last signed checkpoint kept apart from the store, is not ahead of the store and does
  not contradict it: a store that was rolled back or swapped is refused.

Anything else ends the start. A write-ahead log torn by a crash is SQLite's to mend: what was acknowledged is
in it whole, and what was not is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import leaf_hash
from sojourn.ledger.note import SigningKey, Verifier

from .log import Log, edges_from
from .store import Store

REHASHED_MAX = 2_000_000
"""Stores up to this many entries are hashed again from their bytes at every start (a few seconds at most); of
larger ones, what lies behind the last signed checkpoint. `sojourn-verify` checks everything at any size."""


def recover(
    store: Store,
    *,
    path: Path,
    anchor: Path,
    key: SigningKey,
    clock: Callable[[], datetime],
    has_room: Callable[[], bool],
) -> Log:
    """Check the store and give the log over it.

    Raises SojournError `record.damaged` or `record.behind`.
    """
    verifier = Verifier.parse(key.vkey())
    size = _check_places(store, path)
    signed = _last_signed(store, verifier, path)
    _check_anchor(anchor, verifier, size, path)
    start = 0 if size <= REHASHED_MAX else (signed.size if signed else 0)
    _check_bytes(store, start, size, path)
    tree, edges, tiles = edges_from(store.leaves(0, size))
    for level, tile_index, hashes in tiles:
        if store.tile(level, tile_index) != hashes:
            raise _damaged(path, f"tile {tile_index} of level {level} is not that of the entries")
    log = Log(
        store=store, key=key, clock=clock, has_room=has_room, tree=tree, edges=edges, signed_size=0, signed_note=""
    )
    for known in (signed, _read_anchor(anchor, verifier, path)):
        if known is not None and _root_at(log, known.size) != known.root:
            raise _damaged(path, f"the first {known.size} entries are not those that were signed")
    if signed is not None:
        last = store.last_checkpoint()
        assert last is not None
        log.signed_size, log.signed_note = last
    return log


def _root_at(log: Log, size: int) -> bytes:
    if size == log.tree.size:
        return log.tree.root()
    return edges_from(log.store.leaves(0, size))[0].root()


def _check_places(store: Store, path: Path) -> int:
    count, highest = store.size()
    if count != highest + 1:
        raise _damaged(path, f"{count} entries are there, but the highest place is {highest}")
    return count


def _check_bytes(store: Store, start: int, end: int, path: Path) -> None:
    for seq, stream, version, kind, leaf, data in store.rows(start, end):
        if leaf_hash(data) != leaf:
            raise _damaged(path, f"entry {seq} ({kind}, {stream} version {version}) was altered")


def _last_signed(store: Store, verifier: Verifier, path: Path) -> Checkpoint | None:
    last = store.last_checkpoint()
    if last is None:
        return None
    return _open(last[1], verifier, path, "the last checkpoint")


def _read_anchor(anchor: Path, verifier: Verifier, path: Path) -> Checkpoint | None:
    if not anchor.exists():
        return None
    return _open(anchor.read_text(), verifier, path, "the anchor file")


def _check_anchor(anchor: Path, verifier: Verifier, size: int, path: Path) -> None:
    held = _read_anchor(anchor, verifier, path)
    if held is not None and held.size > size:
        raise SojournError(Code.RECORD_BEHIND, held=str(size), anchor=str(anchor), seen=str(held.size))


def _open(note: str, verifier: Verifier, path: Path, what: str) -> Checkpoint:
    try:
        return checkpoints.open(note, verifier)
    except LedgerError as error:
        raise _damaged(path, f"{what} does not verify: {error}") from error


def _damaged(path: Path, problem: str) -> SojournError:
    return SojournError(Code.RECORD_DAMAGED, problem=problem, path=str(path))
