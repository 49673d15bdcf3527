"""A gateway's SSH door before a real host, with OpenSSH's own programs as clients."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sojourn.domain.ssh import Files, HostAccess
from sojourn.testing.gateway import RealClock, SlowLedger
from sojourn.testing.ssh import SshUnderTest, host_authority, roles, shell, ssh_gateway
from sojourn.testing.sshd import ACCOUNT, Sshd, sshd

ROLES = roles(
    operator=shell(files=Files.WRITE),
    restarter=HostAccess(login=ACCOUNT, commands=("echo restarted", "id -un")),
    reader=HostAccess(login=ACCOUNT, files=Files.READ),
)


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A directory for all tests of this folder in this process."""
    directory = Path(tempfile.mkdtemp(prefix="sojourn-ssh-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def host(place: Path) -> Iterator[Sshd]:
    """A real host."""
    with sshd(place / "host", authority=host_authority(place).public) as running:
        yield running


@pytest.fixture
def ledger() -> SlowLedger:
    """A record in memory that may be slow."""
    return SlowLedger(clock=RealClock())


@pytest.fixture
async def door(place: Path, host: Sshd, ledger: SlowLedger) -> AsyncIterator[SshUnderTest]:
    """A gateway before the host."""
    async with ssh_gateway(place, host, ledger, held=ROLES) as running:
        yield running
