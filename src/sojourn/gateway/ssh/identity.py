"""Who is at the other end of a connection: the person whose key signed, and nobody whose key was merely shown.

- A key is good while the record has a live token for it: one that `sojourn login` was given a certificate for, or one
  that was registered.
- A certificate of ours counts as its key, if its authority, its time, its person and its addresses are right.
- Which key it was is settled by the signature, not by what a client asked about before (CVE-2024-45337).
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import AnyStr

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.public_key import SSHOpenSSHCertificate
from cryptography.hazmat.primitives.serialization import ssh

from sojourn.domain.account import Token
from sojourn.gateway.live import LiveView

from .packets import CarefulConnection
from .windows import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A key that the record knows, as a client showed it. `blob` is the public key itself."""

    token: Token
    blob: bytes


def recognise(live: LiveView, shown: bytes, *, authority: str, source: str, now: datetime) -> Shown | None:
    """Whose key or certificate this is, or None. It proves nothing yet."""
    person, blob = "", shown
    if b"-cert-v01@openssh.com" in shown[:64]:
        certified = _certified(shown, authority=authority, source=source, now=now)
        if certified is None:
            return None
        person, blob = certified
    token = live.key(hashlib.sha256(blob).hexdigest(), now)
    if token is None or person not in ("", token.issued.person):
        return None
    return Shown(token=token, blob=blob)


def _certified(shown: bytes, *, authority: str, source: str, now: datetime) -> tuple[str, bytes] | None:
    """The person and the key that a certificate of ours is for, or None if it is none, or not good here and now."""
    try:
        certificate = asyncssh.import_certificate(_line(shown))
        held = ssh.load_ssh_public_identity(_line(shown).encode())
    except (ValueError, asyncssh.KeyImportError):
        return None
    if not isinstance(certificate, SSHOpenSSHCertificate) or not isinstance(held, ssh.SSHCertificate):
        return None
    if held.type is not ssh.SSHCertificateType.USER:
        return None
    if certificate.signing_key.export_public_key().split()[:2] != authority.encode().split()[:2]:
        return None
    if not held.valid_after <= now.timestamp() < held.valid_before or set(held.critical_options) - {b"source-address"}:
        return None
    if b"permit-pty" not in held.extensions:
        # Ours all have it. What restricts its holder otherwise is not followed here, so it opens nothing.
        return None
    networks = held.critical_options.get(b"source-address", b"").decode("ascii", "replace")
    if networks and not _within(source, networks):
        return None
    if len(held.valid_principals) != 1:
        return None
    return held.valid_principals[0].decode("ascii", "replace"), bytes(certificate.key.public_data)


def _within(source: str, networks: str) -> bool:
    try:
        address = ipaddress.ip_address(source)
        return any(address in ipaddress.ip_network(one, strict=False) for one in networks.split(","))
    except ValueError:
        return False


def _line(blob: bytes) -> str:
    size = int.from_bytes(blob[:4], "big")
    return f"{blob[4 : 4 + size].decode('ascii', 'replace')} {base64.b64encode(blob).decode()}"


class Connection(CarefulConnection, asyncssh.SSHServerConnection):
    """A client's connection that says which key signed. `source` is its address and port."""

    recognise: Callable[[bytes], Shown | None]
    proved: Callable[[Shown], None]
    lends_agent: Callable[[], Awaitable[bool]]
    shows_windows: Callable[[], Awaitable[bool]]
    screens: dict[object, Screen]

    async def validate_public_key(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """Whether the key may be used and, with a signature, whether it has signed: only that says who it is."""
        shown = self.recognise(key_data)
        if shown is None:
            return False
        if not await super().validate_public_key(username, shown.blob, msg, signature):
            return False
        if msg:
            self.proved(shown)
        return True

    async def create_agent_listener(self) -> bool:
        """Lend the person's agent to the host, if the role says so."""
        return await self.lends_agent() and await super().create_agent_listener()

    async def attach_x11_listener(
        self, chan: asyncssh.SSHServerChannel[AnyStr], auth_proto: bytes, auth_data: bytes, screen: int
    ) -> str | None:
        """Note which screen the channel's programs are to be shown on, if the role says that they may be."""
        if not await self.shows_windows():
            return None
        self.screens[chan] = Screen(auth_proto, auth_data, screen)
        return str(screen)

    def detach_x11_listener(self, chan: SSHChannel[AnyStr]) -> None:
        """The channel is over."""
        self.screens.pop(chan, None)
