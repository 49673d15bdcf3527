"""Programs that other people wrote, to check what we write: they are installed where they are missing, once.

Nothing here is skipped for want of a program: a machine on which it cannot be installed fails, and says why.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = Path("/usr/share/gocode")
"""Where Debian's golang-golang-x-mod-dev lies."""


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Only one test process of this machine is in here at a time."""
    path = Path(tempfile.gettempdir()) / f"sojourn-tests-{name}.lock"
    with path.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(*packages: str) -> None:
    """Install Debian packages, as root."""
    with alone("apt"):
        options = ["-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        attempt = subprocess.run(["apt-get", "install", *options, *packages], env=environment, capture_output=True)
        if attempt.returncode:
            subprocess.run(["apt-get", "-qq", "update"], env=environment, capture_output=True)
            attempt = subprocess.run(["apt-get", "install", *options, *packages], env=environment, capture_output=True)
        assert attempt.returncode == 0, (
            f"These tests need the Debian packages {' '.join(packages)}; install them first. "
            f"apt-get said: {attempt.stderr.decode(errors='replace')[-500:]}"
        )


def go_compiler() -> str:
    """Go: the machine's own, or Debian's."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if found is None:
        install("golang-go")
        found = shutil.which("go")
    assert found is not None, "golang-go is installed and there is still no `go`"
    return found


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of `stranger.go`, built with Go's own sumdb/note and sumdb/tlog."""
    if not (MODULES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        install("golang-golang-x-mod-dev")
    program = tmp_path_factory.mktemp("stranger") / "stranger"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(MODULES), "GOFLAGS": "", "CGO_ENABLED": "0"}
    cache = Path(tempfile.gettempdir()) / "sojourn-tests-go"
    environment["GOCACHE"] = str(cache)
    build = subprocess.run(
        [go_compiler(), "build", "-o", str(program), str(HERE / "stranger.go")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert build.returncode == 0, build.stderr
    return program
