"""A real witness: its directory, and its process when it runs."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx2
import uvicorn

from sojourn.ledger.cosignature import Cosigner, CosigningKey
from sojourn.ledger.note import Verifier
from sojourn.witness.layout import WitnessLayout, add_log, create, known_logs, read_key
from sojourn.witness.rate import RateLimit
from sojourn.witness.server import build
from sojourn.witness.service import Witness
from sojourn.witness.store import Store

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


@dataclass(slots=True)
class WitnessHere:
    """A witness on a real socket in a thread of this process: starts in no time, and can be stopped and altered."""

    layout: WitnessLayout
    key: CosigningKey
    listener: socket.socket
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @classmethod
    def make(cls, root: Path, *logs: Verifier, name: str = "witness.example/w1") -> WitnessHere:
        """Make its directory and its port; it does not run yet."""
        made = WitnessProcess.make(root, *logs, name=name)
        return cls(layout=made.layout, key=read_key(made.layout), listener=socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def vkey(self) -> str:
        """Its public key."""
        return self.key.cosigner().vkey()

    def start(self) -> WitnessHere:
        """Serve until `stop`."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(START_SECONDS)
        return self

    def stop(self) -> None:
        """Stop serving; the port stays taken, and who connects hears nothing."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_SECONDS)
            self._server = self._thread = None

    def close(self) -> None:
        """Stop, and give the port back."""
        self.stop()
        self.listener.close()

    def latest(self) -> str:
        """The newest checkpoint that it tells, or ""."""
        name = next(iter(known_logs(self.layout)))
        answer = httpx2.get(f"{self.url}/checkpoint/{name}", timeout=10)
        return answer.text if answer.status_code == 200 else ""

    def _run(self, ready: threading.Event) -> None:
        store = Store(self.layout.database)
        witness = Witness(layout=self.layout, key=self.key, store=store, clock=self.clock)
        limit = RateLimit(per_second=1000, burst=1000, monotonic=time.monotonic)
        application = build(witness, limit=limit, failed=lambda: None)
        self._server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off", ws="none"))
        asyncio.run(self._serve(ready))
        store.close()

    async def _serve(self, ready: threading.Event) -> None:
        assert self._server is not None
        serving = asyncio.ensure_future(self._server.serve(sockets=[self.listener.dup()]))
        while not self._server.started:
            await asyncio.sleep(0.005)
        ready.set()
        await serving
