"""A gateway's SSH door before a real host, with OpenSSH's own programs as clients."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sojourn.demo.production import Production
from sojourn.domain.ssh import Files, HostAccess, Leftovers
from sojourn.testing.gateway import RealClock, SlowLedger
from sojourn.testing.ssh import SshUnderTest, host_authority, roles, shell, ssh_gateway
from sojourn.testing.sshd import ACCOUNT, Sshd, sshd

from .whole import Whole, whole

ROLES = roles(
    operator=shell(files=Files.WRITE),
    restarter=HostAccess(login=ACCOUNT, commands=("echo restarted", "id -un")),
    forwarder=shell(
        # Root's sshd may make the agent's socket in any directory for temporary files.
        login="root",
        forward_to=("127.0.0.1:*", "/tmp/sojourn-test.sock"),
        listen_on=("localhost:0",),
        agent=True,
    ),
    forwarding_only=HostAccess(login=ACCOUNT, forward_to=("127.0.0.1:*",)),
    reader=HostAccess(login=ACCOUNT, files=Files.READ),
    developer=shell(files=Files.WRITE, forward_to=("127.0.0.1:*", "localhost:*"), x11=True),
    reported=shell(leftovers=Leftovers.REPORTED),
    sudoer=shell(sudo=("(root) NOPASSWD: /usr/bin/id -u",)),
    guest=HostAccess(temporary=True, shell=True, groups=("games",)),
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


@dataclass(frozen=True)
class Place:
    """Two directories: one `here`, and one `there` that the host's account may write to."""

    here: Path
    there: Path


@pytest.fixture
def files() -> Iterator[Place]:
    """Directories for files that are sent and fetched."""
    with tempfile.TemporaryDirectory(prefix="sojourn-files-") as directory:
        place = Place(Path(directory) / "here", Path(directory) / "there")
        Path(directory).chmod(0o755)
        for one in (place.here, place.there):
            one.mkdir()
            one.chmod(0o777)
        yield place


@pytest.fixture
def ledger() -> SlowLedger:
    """A record in memory that may be slow."""
    return SlowLedger(clock=RealClock())


@pytest.fixture
async def door(place: Path, host: Sshd, ledger: SlowLedger) -> AsyncIterator[SshUnderTest]:
    """A gateway before the host."""
    async with ssh_gateway(place, host, ledger, held=ROLES) as running:
        yield running


@pytest.fixture(scope="module")
def served(production: Production) -> Iterator[Whole]:
    """An installation that serves SSH, and its host."""
    with whole(production) as running:
        yield running
