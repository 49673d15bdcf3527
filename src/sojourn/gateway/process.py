"""The gateway as a process: listen, serve each connection in a task of its own, close everything on record."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from sojourn.domain.events import ProcessStarted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SYSTEM
from sojourn.domain.sealed import SealedMatter, SealingKey
from sojourn.errors import SojournError
from sojourn.settings import GatewaySettings
from sojourn.workflow.ports import Clock, Sealer

from .attempts import AttemptRecorder
from .gate import Gate
from .journal import Journal, Record
from .live import GatewayLedger, LiveView
from .mark import MarkPlace, NoMark, fitting, keep_marks
from .orphans import close_orphans
from .postgres.admission import Admission
from .postgres.handshake import Authenticator
from .postgres.session import PostgresDoor, nonce
from .ssh.door import DoorKeys, SshDoor
from .ssh.spool import recover
from .tls import DoorTls

BACKLOG = 512
HARD_LIMIT_FACTOR = 2
RETRY_SECONDS = 0.5
FLUSH_SECONDS = 10.0
NONCE_BYTES = 18


class Door(Protocol):
    """What serves the connections of one protocol."""

    async def serve(self, client: socket.socket, source: str) -> None:
        """Serve one accepted connection to its end. Never raises but for cancellation."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SshListener:
    """What the SSH door needs. `started` is told its address once connections are taken."""

    keys: DoorKeys
    started: Callable[[str, int], None]


class ServingLedger(GatewayLedger, Record, Protocol):
    """What the process needs beyond the connections: to know how much there is."""

    async def size(self) -> int:
        """The number of entries."""
        ...


async def run_gateway(
    *,
    settings: GatewaySettings,
    ledger: ServingLedger,
    sealer: Sealer,
    open_value: Callable[[SealedMatter, SealingKey], bytes],
    tls: DoorTls,
    clock: Clock,
    new_id: Callable[[str], str],
    random_bytes: Callable[[int], bytes],
    node: str,
    build: str,
    started: Callable[[str, int], None],
    settings_sha256: str = "",
    marks: MarkPlace | None = None,
    ssh: SshListener | None = None,
) -> None:
    """Serve until cancelled. `started` is told the address once connections are taken; `marks` keeps where to begin.

    `settings_sha256` is of all settings that are in force, for the record of this start.

    Raises OSError when an address cannot be had.
    """
    loop = asyncio.get_running_loop()
    live = LiveView(ledger, open_value)
    gate = Gate(
        settings=settings,
        ledger=ledger,
        journal=Journal(ledger),
        live=live,
        attempts=AttemptRecorder(ledger, loop.time),
        sealer=sealer,
        clock=clock,
        new_id=new_id,
        random_bytes=random_bytes,
        node=node,
        tls=tls,
    )
    authenticator = Authenticator(random_nonce=lambda: nonce(random_bytes(NONCE_BYTES)), decoy_key=random_bytes(32))
    with ExitStack() as listeners:
        listener = listeners.enter_context(_listen(settings.host, settings.port))
        ssh_listener = None if ssh is None else listeners.enter_context(_listen(settings.host, settings.ssh_port))
        place = marks or NoMark()
        starting = ProcessStarted(process="gateway", node=node, build=build, settings_sha256=settings_sha256)
        start = await _begin(ledger, starting, place, ssh.keys.spool if ssh is not None else None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(live.run(start))
            tasks.create_task(keep_marks(gate, place))
            tasks.create_task(_flush(gate.attempts))
            await live.ready.wait()
            started(*listener.getsockname()[:2])
            if ssh is not None and ssh_listener is not None:
                ssh.started(*ssh_listener.getsockname()[:2])
                tasks.create_task(_accept(ssh_listener, gate, SshDoor(gate=gate, keys=ssh.keys), tasks))
            await _accept(listener, gate, PostgresDoor(gate, Admission(gate, authenticator)), tasks)


def _listen(host: str, port: int) -> socket.socket:
    version = socket.AF_INET6 if ":" in host else socket.AF_INET
    # "::" takes IPv4 as well, so that one address serves both.
    both = host == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server((host, port), family=version, backlog=BACKLOG, dualstack_ipv6=both)
    listener.setblocking(False)
    return listener


async def _begin(ledger: ServingLedger, starting: ProcessStarted, place: MarkPlace, spool: Path | None) -> int:
    """Put the start on record and close what was left open; waits for the record. Gives where reading begins."""
    while True:
        try:
            if spool is not None:
                await recover(ledger, spool)
            size = await ledger.size()
            mark = await fitting(ledger, place.read(), node=starting.node)
            start = 0 if mark is None else mark.sessions
            await close_orphans(ledger, ledger.read, node=starting.node, size=size, start=start)
            await ledger.append([Change(stream=SYSTEM, event=starting, seen=None)])
        except SojournError:
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return 0 if mark is None else mark.view


async def _accept(listener: socket.socket, gate: Gate, door: Door, tasks: asyncio.TaskGroup) -> None:
    loop = asyncio.get_running_loop()
    limit = gate.settings.connections_max * HARD_LIMIT_FACTOR
    while True:
        try:
            client, address = await loop.sock_accept(listener)
        except OSError:
            # Out of descriptors, or a connection gone before it was taken: neither ends the gateway.
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if len(gate.connections) >= limit:
            client.close()
            continue
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # An IPv4 client of a socket for both is written like any other.
        source = f"{address[0].removeprefix('::ffff:')}:{address[1]}"
        gate.connections.add(source)
        task = tasks.create_task(door.serve(client, source))
        task.add_done_callback(partial(_forget, gate.connections, source))


async def _flush(attempts: AttemptRecorder) -> None:
    try:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await attempts.flush()
    finally:
        await attempts.flush(everything=True)


def _forget(connections: set[str], source: str, task: asyncio.Task[None]) -> None:
    connections.discard(source)
