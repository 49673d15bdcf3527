"""One bit of the store's file is wrong: it is noticed before anything is written behind it, or it changes nothing.

The flips are drawn from a fixed seed, so that every run tries the same ones.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.ledger.tiles import TILE_WIDTH
from sojourn.scribe import sqlite_store
from sojourn.scribe.protocol import Draft, Key, Matter

from .conftest import Desk

MakeDraft = Callable[..., Draft]
FLIPS = 150


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20_261_130)


@contextmanager
def _flipped(path: Path, place: int, bit: int) -> Iterator[None]:
    """The file with one bit turned over, while the context lasts."""
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[place] ^= 1 << bit
    path.write_bytes(broken)
    try:
        yield
    finally:
        path.write_bytes(whole)
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)


def _whole(desk: Desk) -> tuple[bytes, list[bytes]]:
    """The root and all entries, once the store has been opened and let go again."""
    log = desk.open()
    found = log.edges.root(), [data for _, _, data in log.store.hashed(0, 1 << 40)]
    desk.store.close()
    return found


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(
    desk: Desk, draft_of: MakeDraft, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "INDEXED_EVERY", 200)
    key = Key("k-1", "alice/statement", "evidence", bytes(range(80)))
    for start in range(0, 600, 30):
        value = Matter(f"{start:064x}", "k-1", b"sealed")
        drafts = [draft_of("a" if number % 3 else "b") for number in range(start, start + 30)]
        desk.append(*drafts, keys=[key], matter=[value])
        desk.log.sign()
    desk.store.close()
    path = desk.root / "ledger.db"
    before = _whole(desk)
    size, refused = path.stat().st_size, 0
    for _ in range(FLIPS):
        with _flipped(path, dice.randrange(size), dice.randrange(8)):
            try:
                assert _whole(desk) == before
            except (SojournError, sqlite3.Error):
                desk.store.close()
                refused += 1
    assert refused > FLIPS // 2, "most of the file is entries and what follows from them"


def test_a_flipped_bit_in_a_tile_is_refused(desk: Desk, draft_of: MakeDraft, dice: random.Random) -> None:
    for _ in range(0, TILE_WIDTH * TILE_WIDTH, 4096):
        desk.append(*[draft_of("a") for _ in range(4096)])
    desk.log.sign()
    tile = desk.store.tile(1, 0)
    desk.store.close()
    assert tile is not None
    path = desk.root / "ledger.db"
    # A tile is longer than a page, so it lies in the file in pieces.
    pieces = [path.read_bytes().find(tile[start : start + 64]) for start in range(0, len(tile), 1024)]
    for piece in dice.sample([one for one in pieces if one >= 0], 3):
        with _flipped(path, piece + dice.randrange(64), dice.randrange(8)):
            with pytest.raises(SojournError) as error:
                desk.open()
            assert error.value.code is Code.RECORD_DAMAGED
            assert "tile 0 of level 1" in str(error.value)
            desk.store.close()
