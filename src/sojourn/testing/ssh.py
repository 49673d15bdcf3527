"""A gateway's SSH door to test against, before a real host: people's keys, their accesses, and what is on record."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sojourn.domain.events import GrantCreated, GrantProvisioned, TokenIssued, TokenPurpose
from sojourn.domain.history import Change
from sojourn.domain.identifiers import (
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    TargetName,
    TokenId,
    grant_stream,
    token_stream,
)
from sojourn.domain.ssh import Host, HostAccess
from sojourn.domain.target import Role, Target, TargetKind
from sojourn.domain.window import Window
from sojourn.gateway.process import ServingLedger, SshListener, run_gateway
from sojourn.gateway.ssh.door import DoorKeys
from sojourn.gateway.tls import load_door
from sojourn.settings import GatewaySettings
from sojourn.targets.port import Claim, Removal
from sojourn.targets.ssh import SshDriver
from sojourn.targets.ssh.own_end import forget, release
from sojourn.vault.certificates import ensure_certificates
from sojourn.vault.keys import KeyPair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer
from sojourn.vault.ssh_authority import DOOR, GRANTS, PEOPLE, Authority, authority, ensure_authorities, ensure_door

from .gateway import GatewayUnderTest, RealClock
from .sshd import ACCOUNT, Sshd

TARGET = "web-1"
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program."""

    status: int
    out: bytes
    err: bytes


@dataclass(slots=True)
class SshUnderTest:
    """A running gateway with one SSH host, `web-1`. `record` reads what is on record."""

    record: GatewayUnderTest
    directory: Path
    host: Sshd
    driver: SshDriver
    port: int = 0
    _made: int = 0
    running: set[asyncio.Task[object]] = field(default_factory=set)

    async def key(self, person: str = "alice", *, life: timedelta = timedelta(hours=1)) -> Path:
        """A key pair of the person, registered; gives the private file."""
        self._made += 1
        path = self.directory / f"{person}-{self._made}"
        await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])
        await self.register(path.with_suffix(".pub").read_text(), person, life=life)
        return path

    async def register(self, public: str, person: str, *, life: timedelta = timedelta(hours=1)) -> TokenId:
        """Put a public key on record as the person's."""
        self._made += 1
        token = TokenId(f"t-ssh-{self._made}")
        event = TokenIssued(
            token=token,
            person=PersonId(person),
            purpose=TokenPurpose.SSH,
            secret_sha256=hashlib.sha256(base64.b64decode(public.split()[1])).hexdigest(),
            expires_at=RealClock().now() + life,
            source="test",
        )
        await self.record.ledger.append([Change(stream=token_stream(token), event=event, seen=0)])
        return token

    async def access(self, role: str = "operator", *, person: str = "alice", seconds: float = 600.0) -> GrantId:
        """An access that is made on the host for real."""
        self._made += 1
        name = GrantId(f"g-{secrets.token_hex(4)}")
        credential, password = f"sojourn_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
        window = Window.starting(RealClock().now(), timedelta(seconds=seconds))
        created = GrantCreated(
            grant=name,
            request=RequestId("r-1"),
            person=PersonId(person),
            target=TargetName(TARGET),
            role=RoleName(role),
            window=window,
            credential=credential,
            configuration_version=1,
        )
        await self.record.ledger.append([Change(stream=grant_stream(name), event=created, seen=0)])
        held = self.record.target.role(RoleName(role))
        assert held is not None
        claim = Claim(grant=name, credential=credential, ends=(window.end,), role=RoleName(role))
        made = await self.driver.grant(self.record.target, held, claim, password=password, secret="")
        sealing = self.record.sealer.seal(person, password.encode())
        event = GrantProvisioned(grant=name, observed=made.observed, identity=made.identity, secret=sealing.sealed)
        await self.record.ledger.append([Change(stream=grant_stream(name), event=event, seen=1)], sealings=[sealing])
        return name

    async def removed(self, grant: GrantId) -> Removal:
        """Take an access away on the host, as the enforcer would."""
        created = next(one for one in await self.found(GrantCreated, "grant/") if one.grant == grant)
        claim = Claim(grant=grant, credential=created.credential, ends=(created.window.end,), role=created.role)
        return await self.driver.revoke(self.record.target, claim, secret="")

    async def access_without_own_end(self, *, seconds: float) -> GrantId:
        """An access that the host does not end by itself: whatever ends then is ended by somebody else."""
        grant = await self.access(seconds=seconds)
        created = next(one for one in await self.found(GrantCreated, "grant/") if one.grant == grant)
        await run(["sh", "-c", release(created.credential) + forget(created.credential)])
        return grant

    async def found(self, kind: type[Kind], prefix: str = "session/") -> list[Kind]:
        """Everything of one kind on record, in streams with this prefix."""
        return [event for event in await self.record.events(prefix) if isinstance(event, kind)]

    def options(self, key: Path) -> list[str]:
        """What OpenSSH's programs need to come here with that key."""
        known = self.directory / "known_hosts"
        if not known.exists():
            gateways = (self.directory / "keys" / "ssh_gateways.pub").read_text()
            known.write_text(f"@cert-authority * {gateways}")
        settings = {
            "IdentityFile": key,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": known,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "User": TARGET,
            "Port": self.port,
            "LogLevel": "ERROR",
        }
        return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]

    async def shell(self, key: Path, *, stdin: bytes = b"", terminal: bool = False, seconds: float = 20.0) -> Ran:
        """Run a shell, with or without a terminal."""
        way = "-tt" if terminal else "-T"
        command = ["ssh", "-F", "none", *self.options(key), way, "127.0.0.1"]
        return await run(command, stdin=stdin, seconds=seconds)

    async def ssh(self, key: Path, *arguments: str, stdin: bytes = b"", seconds: float = 20.0) -> Ran:
        """Run a command by `ssh`: the last argument, after options of `ssh` that count before our own."""
        command = ["ssh", "-F", "none", *arguments[:-1], *self.options(key), "127.0.0.1", arguments[-1]]
        return await run(command, stdin=stdin, seconds=seconds)


async def run(command: Sequence[str | Path], *, stdin: bytes = b"", seconds: float = 20.0) -> Ran:
    """Run a program to its end, within so many seconds."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ran(process.returncode, out, err)


def host_authority(directory: Path) -> Authority:
    """The authority that the host is to trust, made in `directory`/keys."""
    keys = directory / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    ensure_authorities(keys)
    return authority(keys, GRANTS)


def roles(**accesses: HostAccess) -> tuple[Role, ...]:
    """Roles of a host by name."""
    return tuple(Role(name=RoleName(name), host=access, connections_max=50) for name, access in accesses.items())


def shell(**more: object) -> HostAccess:
    """A shell in the host's account, and what else is said."""
    base = HostAccess(login=ACCOUNT, shell=True)  # noqa: S604 - a shell on the host, by configuration
    return replace(base, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def ssh_gateway(
    directory: Path,
    host: Sshd,
    ledger: ServingLedger,
    *,
    held: tuple[Role, ...],
    settings: GatewaySettings | None = None,
    port: int = 0,
    prepared: SshUnderTest | None = None,
) -> AsyncIterator[SshUnderTest]:
    """A gateway in this process before the host, while the context lasts. `port` is the host's, if not its own.

    With `prepared`, another run over the same record.
    """
    keys = directory / "keys"
    (directory / "spool").mkdir(exist_ok=True)
    ensure_door(keys, names=["127.0.0.1", "localhost", TARGET], now=RealClock().now())
    names = ["localhost", "127.0.0.1"]
    ensure_certificates(directory / "tls", names=names, now=RealClock().now())
    if prepared is None:
        prepared = await _prepare(directory, host, ledger, held, port)
    under_test = replace(prepared)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    people = " ".join((keys / f"{PEOPLE}.pub").read_text().split()[:2])
    door = DoorKeys(
        host_key=keys / DOOR, host_certificate=keys / f"{DOOR}-cert.pub", people=people, spool=directory / "spool"
    )
    task = asyncio.get_running_loop().create_task(
        run_gateway(
            settings=settings or GatewaySettings(port=0, ssh=True, ssh_port=0, warn_seconds=0),
            ledger=ledger,
            sealer=Sealer("evidence", prepared.record.records.pair.public, secrets.token_bytes),
            open_value=prepared.record.opener.open_value,
            tls=load_door(directory / "tls" / "server.crt", directory / "tls" / "server.key"),
            clock=RealClock(),
            new_id=lambda prefix: f"{prefix}-{secrets.token_hex(5)}",
            random_bytes=secrets.token_bytes,
            node="gateway-test",
            build="test",
            started=lambda *_: None,
            ssh=SshListener(keys=door, started=lambda _, bound: listening.set_result(bound)),
        )
    )
    under_test.record.stop = task.cancel
    task.add_done_callback(lambda _: listening.cancel())
    try:
        async with asyncio.timeout(20):
            under_test.port = await listening
        yield under_test
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _prepare(
    directory: Path, host: Sshd, ledger: ServingLedger, held: tuple[Role, ...], port: int
) -> SshUnderTest:
    to_gateway = KeyPair(recipient="gateway", private=X25519PrivateKey.generate())
    to_auditor = KeyPair(recipient="evidence", private=X25519PrivateKey.generate())
    target = Target(
        name=TargetName(TARGET),
        kind=TargetKind.SSH,
        host=host.address,
        port=port or host.port,
        database="",
        administrator="root",
        administrator_secret="",
        roles=held,
        ssh=Host(keys=(host.host_key,), revoked=str(host.revoked), log=str(host.log)),
    )
    record = GatewayUnderTest(
        ledger=ledger,
        sealer=Sealer("gateway", to_gateway.public, secrets.token_bytes),
        opener=Opener(to_gateway),
        records=Opener(to_auditor),
        target=target,
    )
    await record.adopt(["alice", "bob"])
    driver = SshDriver(authority(directory / "keys", GRANTS), RealClock())
    return SshUnderTest(record=record, directory=directory, host=host, driver=driver)
