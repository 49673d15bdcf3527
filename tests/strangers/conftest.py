"""Programs that other people wrote, to check what we write: they are installed where they are missing, once.

Nothing here is skipped for want of a program: a machine on which it cannot be installed fails, and says why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from sojourn.testing.packages import install

HERE = Path(__file__).parent
MODULES = Path("/usr/share/gocode")
"""Where Debian's golang-golang-x-mod-dev lies."""


def go_compiler() -> str:
    """Go: the machine's own, or Debian's."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if found is None:
        install({"golang-go": "/usr/bin/go"})
        found = shutil.which("go")
    assert found is not None, "golang-go is installed and there is still no `go`"
    return found


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of `stranger.go`, built with Go's own sumdb/note and sumdb/tlog."""
    install({"golang-golang-x-mod-dev": MODULES / "src/golang.org/x/mod/sumdb/tlog"})
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
