"""Programs of other people that tests need: Debian's packages, installed where they are missing, once on a machine."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Only one process of this machine is in here at a time."""
    with (Path(tempfile.gettempdir()) / f"sojourn-tests-{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(needed: Mapping[str, str | Path]) -> None:
    """Install each of these packages whose file is not there, as root. `needed` maps a package to a file of it.

    Raises RuntimeError, with what apt said, where that is impossible.
    """
    if not _missing(needed):
        return
    with alone("apt"):
        if missing := _missing(needed):
            _apt("-q", "update")
            _apt("-qy", "--no-install-recommends", "install", *missing)


def _missing(needed: Mapping[str, str | Path]) -> list[str]:
    return [package for package, file in needed.items() if not Path(file).exists()]


def _apt(*arguments: str) -> None:
    # A new machine may be busy with packages of its own, and keep the lock meanwhile.
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"these packages have to be installed first; {' '.join(command)} said: {done.stderr[-500:]}")
