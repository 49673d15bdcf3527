"""What the API answers about SSH."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SshKeyShown:
    """A key of the caller's that opens the gateway until `expires_at`.

    `certificate` is empty for a registered key. `authority` signs the host keys of gateways, for `known_hosts`.
    """

    token: str
    person: str
    fingerprint: str
    expires_at: str
    certificate: str
    authority: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confined:
    """Whom the host itself is to keep within a folder: `match` is the criterion of a Match block of sshd_config."""

    match: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSetup:
    """What a host needs: `authority` is the public key that it is to trust, `revoked` the path of its list."""

    target: str
    authority: str
    administrator: str
    revoked: str
    accounts: tuple[str, ...]
    source_addresses: tuple[str, ...]
    confined: tuple[Confined, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartShown:
    """Part of a recording: lines of asciicast v3. One that was destroyed by key is not `readable`."""

    part: int
    size: int
    readable: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingShown:
    """The recording of one action. `recorded` are the actions of the session that have one."""

    session: str
    action: int
    recorded: tuple[int, ...]
    verb: str
    parts: tuple[PartShown, ...]
    more: bool
    closed: bool
