"""Sojourn's own SSH certificate authorities, and the certificates that they sign (OpenSSH PROTOCOL.certkeys).

Three keys, so that no certificate can be used for what another is for:

- `people`: short-lived certificates with which people show a gateway who they are. No host trusts it.
- `grants`: the certificates of accesses. Hosts trust it, and nothing else of ours; only control holds it.
- `gateways`: the host certificates of gateways, so that nobody has to accept a key unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import ssh

from sojourn.errors import Code, SojournError

from .files import create_private, read_private, write_private

PEOPLE = "ssh_people"
GRANTS = "ssh_grants"
GATEWAYS = "ssh_gateways"
DOOR = "ssh_gateway"
"""The gateway's own host key."""

HOST_LIFE = timedelta(days=397)
RENEW_BEFORE = timedelta(days=30)
BACKDATE = timedelta(minutes=5)
"""Clocks of hosts and clients may be a little behind."""

ALL_PERMITS = ("permit-pty", "permit-port-forwarding", "permit-agent-forwarding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate is to say. `permits` are its extensions; all else that OpenSSH knows stays forbidden."""

    key_id: str
    principals: tuple[str, ...]
    since: datetime
    until: datetime
    force_command: str = ""
    source_addresses: tuple[str, ...] = ()
    permits: tuple[str, ...] = ()
    host: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """One of the three keys."""

    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        """Its public key, in one line."""
        return public_line(self.private)

    def certify(self, public_key: str, certificate: Certificate, *, serial: int) -> str:
        """A certificate for the key, in one line. Raises ValueError for a key that none can be made for."""
        key = ssh.load_ssh_public_key(public_key.encode())
        kind = ssh.SSHCertificateType.HOST if certificate.host else ssh.SSHCertificateType.USER
        builder = (
            ssh.SSHCertificateBuilder()
            .public_key(key)  # type: ignore[arg-type]  # what it cannot take it says
            .serial(serial)
            .type(kind)
            .key_id(certificate.key_id.encode())
            .valid_principals([one.encode() for one in certificate.principals])
            .valid_after(int((certificate.since - BACKDATE).timestamp()))
            .valid_before(int(certificate.until.timestamp()))
        )
        if certificate.force_command:
            builder = builder.add_critical_option(b"force-command", certificate.force_command.encode())
        if certificate.source_addresses:
            listed = ",".join(certificate.source_addresses).encode()
            builder = builder.add_critical_option(b"source-address", listed)
        for permit in certificate.permits:
            builder = builder.add_extension(permit.encode(), b"")
        return builder.sign(self.private).public_bytes().decode()


def public_line(private: Ed25519PrivateKey) -> str:
    """The public half, as `ssh-ed25519 AAAA…`."""
    openssh = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.public_key().public_bytes(*openssh).decode()


def private_file(private: Ed25519PrivateKey) -> bytes:
    """The private half as OpenSSH keeps it."""
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def grant_key(password: str) -> Ed25519PrivateKey:
    """The key pair of an access, from the secret that is sealed to the gateway."""
    return Ed25519PrivateKey.from_private_bytes(
        hashlib.sha256(b"sojourn/ssh-grant-key/v1\x00" + password.encode()).digest()
    )


def ensure_authorities(directory: Path) -> None:
    """Make the three keys in `directory` (0600) unless they are there, and put each public half beside it."""
    for name in (PEOPLE, GRANTS, GATEWAYS):
        create_private(directory / name, private_file(Ed25519PrivateKey.generate()))
        public = directory / f"{name}.pub"
        if not public.exists():
            write_private(public, f"{authority(directory, name).public} sojourn-{name}\n".encode())


def authority(directory: Path, name: str) -> Authority:
    """One of the keys. Raises SojournError `data.directory_open`, `configuration.invalid`, or OSError."""
    return Authority(private=_read_key(directory / name))


def public_authority(directory: Path, name: str) -> str:
    """The public half of one of the keys, without the comment. Raises OSError."""
    return " ".join((directory / f"{name}.pub").read_text().split()[:2])


def ensure_door(directory: Path, *, names: Sequence[str], now: datetime) -> None:
    """Make the gateway's host key and a certificate of it for these `names`, unless they are there and current."""
    create_private(directory / DOOR, private_file(Ed25519PrivateKey.generate()))
    path = directory / f"{DOOR}-cert.pub"
    if _is_current(path, names, now):
        return
    certificate = Certificate(
        key_id=f"gateway {names[0]}", principals=tuple(names), since=now, until=now + HOST_LIFE, host=True
    )
    public = public_line(_read_key(directory / DOOR))
    serial = int(now.timestamp())
    write_private(path, authority(directory, GATEWAYS).certify(public, certificate, serial=serial).encode() + b"\n")


def _is_current(path: Path, names: Sequence[str], now: datetime) -> bool:
    try:
        held = ssh.load_ssh_public_identity(path.read_bytes())
    except (OSError, ValueError):
        return False
    if not isinstance(held, ssh.SSHCertificate):
        return False
    same = held.valid_principals == [one.encode() for one in names]
    return same and held.valid_before - now.timestamp() > RENEW_BEFORE.total_seconds()


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = ssh.load_ssh_private_key(read_private(path), None)
    except ValueError as error:
        raise _unfit(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unfit(path)
    return key


def _unfit(path: Path) -> SojournError:
    return SojournError(
        Code.CONFIGURATION_INVALID,
        file=str(path),
        line="1",
        column="1",
        problem="It is no Ed25519 key of OpenSSH",
        expected="the key that was written there; restore it from a backup",
    )
