"""A real witness: its directory, and its process when it runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx2

from sojourn.ledger.cosignature import Cosigner, CosigningKey
from sojourn.ledger.note import Verifier
from sojourn.witness.layout import WitnessLayout, add_log, create

START_SECONDS = 30.0


@dataclass(slots=True)
class WitnessProcess:
    """One `sojourn witness`, made with `make`."""

    layout: WitnessLayout
    cosigner: Cosigner
    port: int = 0
    running: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, root: Path, *logs: Verifier, name: str = "witness.example/w1") -> WitnessProcess:
        """Make its directory with a key that its name stands for, and let it know these logs."""
        key = CosigningKey.generate(name, sha256(name.encode()).digest())
        layout = WitnessLayout(root=root)
        create(layout, key)
        for log in logs:
            add_log(layout, log)
        return cls(layout=layout, cosigner=key.cosigner())

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> WitnessProcess:
        """Start it, on the port it had before if it had one, and wait until it answers."""
        command = [sys.executable, "-m", "sojourn", "witness", "serve", "--data", str(self.layout.root)]
        self.layout.address.unlink(missing_ok=True)
        self.running = subprocess.Popen([*command, "--port", str(self.port)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.running.poll() is None, f"the witness ended with {self.running.returncode}"
            with suppress(OSError, ValueError, httpx2.HTTPError):
                self.port = json.loads(self.layout.address.read_text())["port"]
                httpx2.get(self.url, timeout=1)
                return self
            time.sleep(0.02)
        raise AssertionError("the witness did not start")

    def stop(self) -> int:
        """Tell it to stop; gives its exit code."""
        assert self.running is not None
        self.running.send_signal(signal.SIGTERM)
        code = self.running.wait(20)
        self.running = None
        return code

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None

    def post(self, body: bytes) -> httpx2.Response:
        """Send a submission."""
        return httpx2.post(f"{self.url}/add-checkpoint", content=body, timeout=10)
