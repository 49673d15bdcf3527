"""What passes through does not stay: the gateway's memory does not grow with what is transferred."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from .whole import Whole, access, process_of, ssh_command

SIZE = 100_000_000
GROWTH_MAX = 40_000_000
"""Windows, buffers of sockets and what waits for its record, and less than half of what is transferred."""


@pytest.fixture(scope="module")
def way(served: Whole) -> list[str]:
    """How `ssh` gets to the host."""
    found, _ = served
    access(found, "operator")
    return ssh_command(found, "-l", "web-1+operator", "web-1")


def _peak(process: int, *, anew: bool = False) -> int:
    """The most memory that the process has had, since it was last asked for `anew`."""
    if anew:
        Path(f"/proc/{process}/clear_refs").write_text("5")
    (line,) = (one for one in Path(f"/proc/{process}/status").read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _down(way: list[str], size: int) -> None:
    subprocess.run([*way, f"head -c {size} /dev/zero"], check=True, stdout=subprocess.DEVNULL, timeout=120)


def _up(way: list[str], size: int) -> None:
    with subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE) as source:
        subprocess.run([*way, "cat >/dev/null"], check=True, stdin=source.stdout, timeout=120)


def _files(way: list[str], size: int) -> None:
    with Path("/var/tmp/sojourn-large").open("wb") as file:
        file.truncate(size)
    batch = f"put {file.name} /dev/null\nget {file.name} /dev/null\n"
    try:
        sftp = ["sftp", *way[1:-3], "-o", f"User={way[-2]}", "-b", "-", way[-1]]
        subprocess.run(sftp, input=batch.encode(), check=True, stdout=subprocess.DEVNULL, timeout=120)
    finally:
        Path(file.name).unlink()


def _unread(way: list[str], size: int) -> None:
    """A client that does not read, until nothing more can be on its way to it."""
    with subprocess.Popen([*way, f"head -c {size} /dev/zero"], stdout=subprocess.PIPE) as client:
        time.sleep(3)
        client.terminate()


@pytest.mark.parametrize("transfer", [_down, _up, _files, _unread], ids=["down", "up", "files", "not read"])
def test_what_is_transferred_does_not_stay_in_memory(served: Whole, way: list[str], transfer: object) -> None:
    gateway = process_of(served[0], "gateway")
    assert callable(transfer)
    transfer(way, SIZE // 10)
    before = _peak(gateway, anew=True)
    transfer(way, SIZE)
    assert _peak(gateway) - before < GROWTH_MAX
