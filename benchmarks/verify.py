"""How fast `sojourn-verify` checks a whole published ledger, a directory of tiles: on one core, start-up included."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sojourn.domain.events import ActionCompleted, ActionIntended, Outcome
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.domain.sealed import Sealed
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import Tree, leaf_hash
from sojourn.ledger.tiles import TILE_WIDTH, encode_bundle, tile_path, tile_root
from sojourn.scribe import codec
from sojourn.testing.scribe import KEY

from .figures import Figure

SESSIONS = 200
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BETWEEN = timedelta(seconds=8.6)
"""As over a year of 3.67 million entries: no two are of the same moment."""


def _entry(seq: int) -> bytes:
    """What a busy gateway records: statements' intents and outcomes, in turns, of many sessions."""
    turn, place = divmod(seq, 2 * SESSIONS)
    session, number = SessionId(f"s-{place % SESSIONS:010d}"), turn + 1
    detail = Sealed(commitment=hashlib.sha256(b"%d" % seq).hexdigest(), key="k-0123456789")
    event: ActionIntended | ActionCompleted = ActionIntended(
        session=session,
        number=number,
        protocol="postgres",
        verb="read",
        may_write=False,
        objects=("shop.orders",),
        detail=detail,
    )
    if place >= SESSIONS:
        event = ActionCompleted(
            session=session,
            number=number,
            outcome=Outcome.COMPLETED,
            tags=("SELECT 12",),
            sqlstate="",
            rows=12,
            bytes_in=0,
            bytes_out=1234,
            duration_us=860,
            message=None,
        )
    return entries.assemble(
        seq=seq,
        at=entries.format_time(BEGAN + seq * BETWEEN),
        stream=session_stream(session),
        version=2 * turn + (2 if place >= SESSIONS else 1),
        kind=event.kind,
        body=codec.encode(event),
    )


def publish(root: Path, size: int) -> int:
    """Write a ledger of so many entries (a multiple of 65,536) as tiles; gives the bytes of its entries."""
    tree, above, total = Tree(), list[bytes](), 0

    def write(level: int | None, index: int, content: bytes) -> None:
        place = root / tile_path(level, index)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    for index in range(size // TILE_WIDTH):
        bundle = [_entry(seq) for seq in range(index * TILE_WIDTH, (index + 1) * TILE_WIDTH)]
        leaves = list(map(leaf_hash, bundle))
        tree.extend(leaves)
        write(None, index, encode_bundle(bundle))
        write(0, index, b"".join(leaves))
        above.append(tile_root(b"".join(leaves)))
        total += sum(map(len, bundle))
    roots = [tile_root(b"".join(above[at : at + TILE_WIDTH])) for at in range(0, len(above), TILE_WIDTH)]
    for index in range(len(roots)):
        write(1, index, b"".join(above[index * TILE_WIDTH : (index + 1) * TILE_WIDTH]))
    (root / f"{tile_path(2, 0)}.p").mkdir(parents=True)
    (root / tile_path(2, 0, len(roots))).write_bytes(b"".join(roots))
    note = checkpoints.sign(Checkpoint(origin=KEY.name, size=size, root=tree.root()), KEY)
    (root / "checkpoint").write_text(note)
    return total


def published(*, quick: bool) -> Iterator[Figure]:
    """Processor time is counted and not the clock's, so that what else runs on the machine shows less."""
    size = 65_536 if quick else 16 * 65_536
    with tempfile.TemporaryDirectory() as directory:
        total = publish(Path(directory), size)
        command = [sys.executable, "-m", "sojourn_verify", directory, "--key", KEY.vkey(), "--json"]
        before = os.times()
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        after = os.times()
    told = json.loads(done.stdout)
    if not told["ok"] or told["checked"]["entries"] != size:
        raise RuntimeError(f"the ledger does not verify: {told['problems'][:3]}")
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    name = f"verification of {size:,} published entries of {total // size} bytes"
    yield Figure(name=name, unit="entries/s", value=size / seconds)
    yield Figure(name="  processor time of an entry", unit="µs", value=seconds / size * 1e6)
