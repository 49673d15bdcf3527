"""The gateway as a client of a host: under the access's own certificates, one connection for each that is used.

The key comes from the secret that is sealed to the gateway, the certificates from the record. The host has to show a
key that is pinned in the configuration, or a certificate of an authority that is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import asyncssh
from asyncssh.public_key import SSHOpenSSHCertificate

from sojourn.domain.ssh import CERTIFICATE
from sojourn.domain.target import Target
from sojourn.errors import Code, SojournError
from sojourn.vault.ssh_authority import grant_key, private_file
from sojourn.vault.ssh_hosts import trusted

from .algorithms import COMPRESSION, ENCRYPTION, KEX, MAC, REKEY_BYTES, REKEY_SECONDS
from .host_connection import connect
from .windows import Show

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 30


@dataclass(slots=True)
class Upstreams:
    """The connections of one session to its host. `connected` is told the port by which the host sees each."""

    target: Target
    key: asyncssh.SSHKey
    certificates: dict[str, SSHOpenSSHCertificate]
    connected: Callable[[int], None]
    lost: Callable[[], None]
    agent: Callable[[], str]
    show: Show
    _open: dict[tuple[str, bool], asyncio.Task[asyncssh.SSHClientConnection]] = field(default_factory=dict)
    _closing: bool = False

    @property
    def account(self) -> str:
        """The account on the host."""
        return str(next(iter(self.certificates.values())).principals[0])

    async def reach(self, force: str) -> asyncssh.SSHClientConnection:
        """The connection whose certificate forces this. Raises SojournError `target.…`."""
        agent = self.agent()
        place = (force, bool(agent))
        task = self._open.get(place)
        if task is None:
            task = self._open[place] = asyncio.get_running_loop().create_task(self._connect(force, agent))
        try:
            return await asyncio.shield(task)
        except SojournError:
            self._open.pop(place, None)
            raise

    async def _connect(self, force: str, agent: str) -> asyncssh.SSHClientConnection:
        certificate = self.certificates.get(force)
        if certificate is None:
            problem = "the access has no certificate for this"
            raise SojournError(Code.TARGET_REFUSED, target=self.target.name, problem=problem)
        assert self.target.ssh is not None, "a session is of an SSH host"
        watcher = _Watcher(self._gone)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await connect(
                    asyncssh.SSHClientConnectionOptions(
                        host=self.target.host,
                        port=self.target.port,
                        client_factory=lambda: watcher,
                        username=self.account,
                        client_keys=[(self.key, certificate)],
                        known_hosts=trusted(self.target.ssh),
                        config=None,
                        agent_path=None,
                        agent_forwarding=agent or False,
                        preferred_auth="publickey",
                        kex_algs=KEX,
                        encryption_algs=ENCRYPTION,
                        mac_algs=MAC,
                        compression_algs=COMPRESSION[:1],
                        rekey_bytes=REKEY_BYTES,
                        rekey_seconds=REKEY_SECONDS,
                        keepalive_interval=KEEPALIVE_SECONDS,
                    ),
                    self.show,
                )
        except asyncssh.HostKeyNotVerifiable as error:
            raise SojournError(Code.HOST_KEY_CHANGED, target=self.target.name) from error
        except asyncssh.PermissionDenied as error:
            problem = f"the host does not take the certificate for {self.account}"
            raise SojournError(Code.TARGET_REFUSED, target=self.target.name, problem=problem) from error
        except (OSError, TimeoutError, asyncssh.Error) as error:
            problem = str(error) or type(error).__name__
            raise SojournError(Code.TARGET_UNREACHABLE, target=self.target.name, problem=problem) from error
        watcher.connected = True
        if self._closing:
            connection.abort()
        self.connected(int(connection.get_extra_info("sockname")[1]))
        return connection

    def _gone(self) -> None:
        if not self._closing:
            self.lost()

    def close(self) -> None:
        """Hang up, without waiting for the host."""
        self._closing = True
        for task in self._open.values():
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().abort()
            else:
                task.cancel()


class _Watcher(asyncssh.SSHClient):
    """Says when the host hangs up."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self.connected = False

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncssh. What never came about is told by whoever tried."""
        if self.connected:
            self._lost()


def key_of(password: str) -> asyncssh.SSHKey:
    """The key of an access."""
    return asyncssh.import_private_key(private_file(grant_key(password)))


def certificates_of(observed: Sequence[str]) -> dict[str, SSHOpenSSHCertificate]:
    """The certificates of an access by what they force on the host, from what was read back of it."""
    held: dict[str, SSHOpenSSHCertificate] = {}
    for line in observed:
        if line.startswith(CERTIFICATE):
            certificate = asyncssh.import_certificate(line.removeprefix(CERTIFICATE))
            assert isinstance(certificate, SSHOpenSSHCertificate), "control signs no other kind"
            held[str(certificate.options.get("force-command") or "")] = certificate
    return held
