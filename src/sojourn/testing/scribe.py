"""A real scribe process to test against: `python -m sojourn.testing.scribe DIRECTORY` and a handle on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sojourn.errors import SojournError
from sojourn.ledger.note import SigningKey
from sojourn.scribe import process
from sojourn.settings import Layout, ScribeSettings

KEY = SigningKey.generate("test.localhost/ledger", b"\x07" * 32)
"""The key that every test ledger is signed with."""


@dataclass(slots=True)
class ScribeProcess:
    """One scribe over one directory; may be killed and started again. `environment` is added to ours.

    `keys` are the ledger's key and, while it is being changed, the one that follows it.
    """

    root: Path
    settings: ScribeSettings = field(default_factory=ScribeSettings)
    environment: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[str] | None = None
    keys: tuple[SigningKey, ...] = (KEY,)

    @property
    def layout(self) -> Layout:
        """Where everything lies."""
        return Layout(root=self.root)

    def start(self) -> None:
        """Start it; clients wait until it listens."""
        self.layout.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [sys.executable, "-m", "sojourn.testing.scribe", str(self.root)]
        environment = {**os.environ, **self.environment}
        limits = [str(self.settings.checkpoint_seconds), str(self.settings.free_bytes_min), self.settings.store]
        limits += [key.format() for key in self.keys]
        self.running = subprocess.Popen(
            [*command, *limits],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=environment,
        )

    def kill(self) -> None:
        """End it at once, as a crash would."""
        assert self.running is not None
        self.running.send_signal(signal.SIGKILL)
        self.running.communicate()

    def stop(self) -> tuple[int, str]:
        """Let it end in order. Returns its exit code and what it said."""
        assert self.running is not None
        if self.running.stdin is not None and not self.running.stdin.closed:
            self.running.stdin.close()
            self.running.stdin = None
        _, said = self.running.communicate(timeout=20)
        return self.running.returncode, said


def _main() -> int:
    root, checkpoint_seconds, free_bytes_min, store, *keys = sys.argv[1:]
    key, new_key = (*map(SigningKey.parse, keys), None)[:2]
    assert key is not None
    settings = ScribeSettings(
        checkpoint_seconds=float(checkpoint_seconds),
        free_bytes_min=int(free_bytes_min),
        store=store,
    )
    try:
        return process.run(
            Layout(root=Path(root)),
            settings,
            key,
            lambda: datetime.now(UTC),
            stop_descriptor=sys.stdin.fileno(),
            new_key=new_key,
        )
    except SojournError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(_main())
