"""How Sojourn itself works on an SSH host: as its administrator, with a certificate of one minute.

No password and no key of the host is kept anywhere. The host proves who it is by a pinned key or by a certificate.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sojourn.domain.ssh import Host
from sojourn.domain.target import Target
from sojourn.errors import Code, SojournError
from sojourn.vault.ssh_authority import Authority, Certificate, private_file, public_line
from sojourn.vault.ssh_hosts import trusted
from sojourn.workflow.ports import Clock

from .observing import OWN_SERIAL

LIFE = timedelta(minutes=1)
CONNECT_SECONDS = 10.0
OUTPUT_MAX = 64 * 1024
_AS_ROOT = 'test "$(id -u)" = 0 && exec sh -s "$SSH_CONNECTION" || exec sudo -n sh -s "$SSH_CONNECTION"'
"""A script is told by which connection it came: its first argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What it takes to work on hosts."""

    authority: Authority
    clock: Clock
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @asynccontextmanager
    async def connect(
        self, target: Target, *, account: str, key_id: str
    ) -> AsyncIterator[asyncssh.SSHClientConnection]:
        """A connection to the host under a fresh certificate. Raises SojournError `target.…`."""
        host = of(target)
        now = self.clock.now()
        line = self.authority.certify(
            public_line(self.private),
            Certificate(
                key_id=key_id,
                principals=(account,),
                since=now,
                until=now + LIFE,
                source_addresses=host.source_addresses,
            ),
            serial=OWN_SERIAL,
        )
        async with log_in(target, account=account, key=private_file(self.private), certificate=line) as connection:
            yield connection

    async def run(self, target: Target, script: str, *, limit: int = OUTPUT_MAX) -> str:
        """Run a script of sh as root; gives what it printed, up to `limit` bytes.

        Raises SojournError `target.unreachable`, or `target.refused` with what it said if it failed.
        """
        host = of(target)
        async with self.connect(target, account=host.administrator, key_id="sojourn") as connection:
            done = await connection.run(_AS_ROOT, input=script, encoding="utf-8", errors="replace")
        if done.exit_status != 0:
            problem = str(done.stderr or "").strip()[-400:] or f"the script ended with {done.exit_status}"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
        return str(done.stdout or "")[:limit]


def of(target: Target) -> Host:
    """What the target has as an SSH host."""
    assert target.ssh is not None, "the configuration gives every SSH host one"
    return target.ssh


@asynccontextmanager
async def log_in(
    target: Target, *, account: str, key: bytes, certificate: str
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection to the host as `account`. Raises SojournError `target.unreachable` or `target.refused`."""
    pair = (asyncssh.import_private_key(key), asyncssh.import_certificate(certificate))
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await asyncssh.connect(
                target.host,
                target.port,
                username=account,
                client_keys=[pair],
                known_hosts=trusted(of(target)),
                config=None,
                agent_path=None,
                preferred_auth="publickey",
            )
    except asyncssh.PermissionDenied as error:
        problem = f"the host does not let {account} in by a certificate of ours: `sojourn target ssh-setup` says why"
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem) from error
    except asyncssh.HostKeyNotVerifiable as error:
        problem = "the host shows another key than the one that is pinned in targets.yaml"
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem) from error
    except (OSError, TimeoutError, asyncssh.Error) as error:
        problem = str(error) or type(error).__name__
        raise SojournError(Code.TARGET_UNREACHABLE, target=target.name, problem=problem) from error
    try:
        yield connection
    finally:
        connection.abort()
