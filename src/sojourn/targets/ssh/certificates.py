"""The certificates of one access: each says to the host itself what it may be used for.

- A role with a shell, or with forwarding, has one certificate. A role with a list of commands has one for each, which
  forces just that command: the host runs nothing else, whatever is asked of it. So does the one of a menu.
- Files by SFTP without a shell are a certificate that forces the host's own SFTP server, read-only if the role is.
- The key is made from the secret that is sealed to the gateway. The certificates are no secret; they stand in the
  record as what was read back, and the gateway takes them from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, ssh

from sojourn.domain.ssh import CERTIFICATE, FORWARDING, SFTP, SFTP_READ_ONLY, Files, HostAccess
from sojourn.vault.ssh_authority import Authority, Certificate, grant_key, public_line


def certificates_of(
    authority: Authority,
    access: HostAccess,
    serial: int,
    *,
    account: str,
    credential: str,
    password: str,
    source_addresses: tuple[str, ...],
    since: datetime,
    until: datetime,
) -> tuple[str, ...]:
    """The certificates of an access, one line each. `serial` is their number, which the host writes into its log."""
    public = public_line(grant_key(password))
    lines = []
    for command, permits in _uses(access):
        certificate = Certificate(
            key_id=credential,
            principals=(account,),
            since=since,
            until=until,
            force_command=command,
            source_addresses=source_addresses,
            permits=permits,
        )
        lines.append(authority.certify(public, certificate, serial=serial))
    return tuple(lines)


def _uses(access: HostAccess) -> Iterable[tuple[str, tuple[str, ...]]]:
    """What each certificate forces, and what it permits."""
    forwarding = ("permit-port-forwarding",) if access.forward_to or access.listen_on else ()
    agent = ("permit-agent-forwarding",) if access.agent else ()
    windows = ("permit-X11-forwarding",) if access.x11 else ()
    lent = (*agent, *windows)
    if access.shell:
        yield "", ("permit-pty", *forwarding, *lent)
    else:
        for command in dict.fromkeys((*filter(None, (access.menu,)), *access.commands)):
            yield command, ("permit-pty", *lent)
        if forwarding:
            # Nothing can be run by it: it is for the channels that need no command.
            yield FORWARDING, forwarding
    if access.files is not Files.NONE:
        yield SFTP if access.files is Files.WRITE else SFTP_READ_ONLY, ()


def prolonged(authority: Authority, lines: Iterable[str], until: datetime) -> tuple[str, ...]:
    """The same certificates with a later end. Raises ValueError for what is none."""
    renewed = []
    for line in lines:
        held = ssh.load_ssh_public_identity(line.encode())
        if not isinstance(held, ssh.SSHCertificate):
            raise ValueError("this is no certificate")
        public = held.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        certificate = Certificate(
            key_id=held.key_id.decode(),
            principals=tuple(one.decode() for one in held.valid_principals),
            since=datetime.fromtimestamp(held.serial, UTC),
            until=until,
            force_command=held.critical_options.get(b"force-command", b"").decode(),
            source_addresses=tuple(filter(None, held.critical_options.get(b"source-address", b"").decode().split(","))),
            permits=tuple(one.decode() for one in held.extensions),
        )
        renewed.append(authority.certify(public, certificate, serial=held.serial))
    return tuple(renewed)


def said(lines: Iterable[str]) -> tuple[str, ...]:
    """Certificates as lines of what was observed."""
    return tuple(f"{CERTIFICATE}{line}" for line in lines)


def found(observed: Iterable[str]) -> tuple[str, ...]:
    """The certificates among the lines of what was observed."""
    return tuple(line.removeprefix(CERTIFICATE) for line in observed if line.startswith(CERTIFICATE))
