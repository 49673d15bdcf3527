"""The gateway, wired."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from pathlib import Path

import msgspec

from sojourn.gateway.mark import Mark
from sojourn.gateway.process import run_gateway
from sojourn.gateway.tls import load_door
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer

from .ambient import BUILD, SystemClock, new_id, node
from .installation import EVIDENCE, GATEWAY, announce, key_pair, same_port
from .keeping import forget_destroyed


async def run_gateway_process(layout: Layout, settings: Settings) -> None:
    """Serve as this installation's gateway until cancelled."""

    tls = load_door(layout.tls / "server.crt", layout.tls / "server.key")
    place = layout.run / "gateway.json"
    gateway = dataclasses.replace(settings.gateway, port=same_port(place, settings.gateway.port))
    sealer = Sealer(EVIDENCE, key_pair(layout, EVIDENCE).public, secrets.token_bytes, SystemClock().now)
    opener = Opener(key_pair(layout, GATEWAY))
    async with ScribeClient(layout.scribe_socket) as ledger, asyncio.TaskGroup() as tasks:
        tasks.create_task(forget_destroyed(ledger, (sealer, opener)))
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
            started=lambda host, port: announce(place, host, port),
            marks=_MarkFile(layout.run / "gateway.mark"),
        )


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
