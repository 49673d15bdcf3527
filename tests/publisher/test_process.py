"""The publisher as a process of its own, as an installation runs it; killed at any moment it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.note import Verifier
from sojourn.ledger.tiles import tile_width
from sojourn.publisher.files import Files
from sojourn.publisher.tiles import Tiles
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout
from sojourn.testing.bucket import ACCESS_KEY, SECRET_KEY

from .conftest import changes

KILL_ROUNDS = int(os.environ.get("SOJOURN_KILL_ROUNDS", "12"))


@contextmanager
def process(root: Path, only: str) -> Iterator[subprocess.Popen[str]]:
    """One process of an installation, ended with the block. What it says lies in a file beside the data directory."""
    command = [sys.executable, "-m", "sojourn", "serve", "--data", str(root), "--only", only]
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": "us-east-1"}
    with (
        root.with_name("said").open("a") as said,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=said, text=True, start_new_session=True, env={**os.environ, **keys}
        ) as running,
    ):
        try:
            yield running
        finally:
            running.kill()


def check(root: Path) -> int:
    """Check everything that is published, as a stranger; gives its size."""
    layout = Layout(root=root)
    if not (root / "public" / "checkpoint").exists():
        return 0
    head = checkpoints.open(
        (root / "public" / "checkpoint").read_text(), Verifier.parse(layout.verifier_key.read_text())
    )
    tiles = Tiles(read=Files(root / "public").read, size=head.size)
    assert tiles.root() == head.root
    for tile_index in range(-(-head.size // 256)):
        tiles.check_bundle(tile_index)
        assert len(tiles.bundle(tile_index, tile_width(0, tile_index, head.size))) > 0
    return head.size


def installation(root: Path) -> Path:
    root.mkdir(mode=0o700)
    (root / "config").mkdir()
    (root / "run").mkdir(mode=0o700)
    (root / "config" / "settings.yaml").write_text("publisher: {seconds: 0.01}\n")
    return root


async def test_a_publisher_that_is_killed_at_any_moment_leaves_a_whole_log_and_goes_on(tmp_path: Path) -> None:
    root = installation(tmp_path / "data")
    with process(root, "scribe"):
        async with ScribeClient(Layout(root=root).scribe_socket) as ledger:
            await ledger.connected(20)
            sizes = [0]
            for round_ in range(KILL_ROUNDS):
                await ledger.append(changes(1500))
                with process(root, "publisher") as publisher:
                    until = time.monotonic() + 20
                    # Half of the kills come while it starts, the others in the midst of its work.
                    while round_ % 2 and check(root) <= sizes[-1] and time.monotonic() < until:
                        await ledger.append(changes(3))
                    time.sleep(0.013 * (round_ % 7) + (0 if round_ % 2 else 0.45))
                    publisher.send_signal(signal.SIGKILL)
                    publisher.wait()
                sizes.append(check(root))
            with process(root, "publisher"):
                want = (await ledger.head()).size
                until = time.monotonic() + 20
                while check(root) < want and time.monotonic() < until:
                    time.sleep(0.05)
            assert sizes == sorted(sizes)
            assert check(root) >= want
            found = await ledger.raw(range(want))
            tiles = Tiles(read=Files(root / "public").read, size=check(root))
            assert tiles.bundle(3, 256) == list(found[768:1024])


def test_two_things_end_the_publisher_in_order_its_signal_and_its_supervisors_death(tmp_path: Path) -> None:
    root = installation(tmp_path / "data")
    with process(root, "scribe"):
        for end in ("signal", "pipe"):
            with process(root, "publisher") as publisher:
                until = time.monotonic() + 20
                before = check(root)
                while check(root) <= before and time.monotonic() < until:
                    time.sleep(0.02)
                if end == "signal":
                    publisher.send_signal(signal.SIGTERM)
                else:
                    assert publisher.stdin is not None
                    publisher.stdin.close()
                assert publisher.wait(10) == 0
