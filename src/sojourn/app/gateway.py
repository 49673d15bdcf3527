"""The gateway, wired."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import secrets
import ssl
from pathlib import Path

import msgspec
import structlog

from sojourn.configuration import fingerprint, settings_digest
from sojourn.errors import Code, SojournError
from sojourn.gateway.mark import Mark
from sojourn.gateway.process import SshListener, run_gateway
from sojourn.gateway.ssh.door import DoorKeys
from sojourn.gateway.tls import DoorTls, load_door
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer
from sojourn.vault.ssh_authority import DOOR, PEOPLE, public_authority

from .ambient import BUILD, SystemClock, new_id, node
from .descriptors import allow_sessions
from .installation import EVIDENCE, GATEWAY, SSH_PLACE, announce, key_pair, same_port
from .keeping import forget_destroyed

log = structlog.get_logger("gateway")

OBJECTS_PER_COLLECTION = 20_000
"""Sessions make few cycles and many short-lived objects; Python's own 700 would be reached with each batch of them."""


def _collect_seldom() -> None:
    """Never look again through what was there at the start, and seldom through the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_COLLECTION, 10, 10)


async def run_gateway_process(layout: Layout, settings: Settings) -> None:
    """Serve as this installation's gateway until cancelled."""
    tls = _door(layout, settings)
    place = layout.run / "gateway.json"
    gateway = dataclasses.replace(
        settings.gateway,
        port=same_port(place, settings.gateway.port),
        ssh_port=same_port(layout.run / SSH_PLACE, settings.gateway.ssh_port),
        link=settings.gateway.link or settings.notify.link,
    )
    room = allow_sessions(gateway.connections_max)
    if room < gateway.connections_max:
        log.warning("the system lets the gateway open too few files", sessions=room, wanted=gateway.connections_max)
    sealer = Sealer(EVIDENCE, key_pair(layout, EVIDENCE).public, os.urandom, SystemClock().now)
    opener = Opener(key_pair(layout, GATEWAY))
    async with ScribeClient(layout.scribe_socket) as ledger, asyncio.TaskGroup() as tasks:
        tasks.create_task(forget_destroyed(ledger, (sealer, opener)))
        _collect_seldom()
        await run_gateway(
            settings=gateway,
            ledger=ledger,
            sealer=sealer,
            open_value=opener.open_value,
            tls=tls,
            clock=SystemClock(),
            new_id=new_id,
            random_bytes=secrets.token_bytes,
            node=node("gateway"),
            build=BUILD,
            settings_sha256=settings_digest(settings),
            started=lambda host, port: announce(place, host, port),
            marks=_MarkFile(layout.run / "gateway.mark"),
            ssh=_ssh_listener(layout) if gateway.ssh else None,
        )


def _ssh_listener(layout: Layout) -> SshListener:
    """The SSH door of this installation."""
    keys = DoorKeys(
        host_key=layout.keys / DOOR,
        host_certificate=layout.keys / f"{DOOR}-cert.pub",
        people=public_authority(layout.keys, PEOPLE),
        spool=layout.spool,
    )
    place = layout.run / SSH_PLACE
    return SshListener(keys=keys, started=lambda host, port: announce(place, host, port))


@dataclasses.dataclass(frozen=True, slots=True)
class _MarkFile:
    """Implements `gateway.mark.MarkPlace`: a small file that may be deleted at any time."""

    path: Path

    def read(self) -> Mark | None:
        """See `gateway.mark.MarkPlace.read`."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Mark)
        except (OSError, msgspec.MsgspecError):
            return None

    def write(self, mark: Mark) -> None:
        """See `gateway.mark.MarkPlace.write`. Written whole or not at all."""
        partial = self.path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(mark))
        partial.rename(self.path)


def _door(layout: Layout, settings: Settings) -> DoorTls:
    """The listener's TLS. Raises SojournError `configuration.invalid` for an authority that cannot be read."""
    named = settings.gateway.client_authority
    authority = layout.configuration / named if named else None
    try:
        if authority is not None:
            _check_authority(authority, settings.gateway.client_authority_sha256)
        return load_door(layout.tls / "server.crt", layout.tls / "server.key", authority)
    except (OSError, ssl.SSLError) as error:
        raise SojournError(
            Code.CONFIGURATION_INVALID,
            file=str(authority or layout.tls),
            line="1",
            column="1",
            problem=f"This cannot be read as certificates ({error})",
            expected="certificates in PEM, a revocation list after them if there is one",
        ) from error


def _check_authority(path: Path, approved: str) -> None:
    """Refuse certificates of clients' signers that are not those in force: whoever put them there could be anybody.

    Raises OSError, or SojournError `settings.invalid`.
    """
    if fingerprint(path.read_bytes()) != approved:
        raise SojournError(
            Code.SETTINGS_INVALID,
            name="gateway.client_authority",
            problem=f"{path} holds other certificates than those that are in force",
            expected=f"those of the fingerprint {approved!r}, or a change that two administrators make",
        )


def check_door(layout: Layout, settings: Settings) -> None:
    """Raise SojournError now for what would end the gateway again and again."""
    _door(layout, settings)
