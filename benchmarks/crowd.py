"""`python -m benchmarks.crowd --sessions 5000`: so many sessions at once in one gateway process, TLS on both legs.

The gateway runs in this process and records into a scribe of its own; the clients are psycopg in four processes beside.
The target is PostgreSQL 15 behind a pgbouncer in transaction mode: the gateway has a connection of its own there for
each session, and the machine does not have to hold a server process for each. It takes Debian's pgbouncer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import uvloop
from psycopg import sql

from sojourn.app.descriptors import allow_sessions
from sojourn.demo.production import Production, free_port
from sojourn.domain.target import Role, TlsMode
from sojourn.gateway.tls import load_door
from sojourn.scribe.client import ScribeClient
from sojourn.settings import GatewaySettings
from sojourn.testing.debian import debian
from sojourn.testing.gateway import gateway
from sojourn.testing.scribe import ScribeProcess

from .bouncer import SYSTEM_USER, wait_for
from .figures import Figure, cpu_seconds, progress, show
from .memory import resident
from .peers import ROLE
from .stage import make_certificates

PERSON = "alice"
LOGIN = "crowd"
CLIENT_PROCESSES = 4
SETTLE_SECONDS = 2.0
LOGIN_SECONDS = 60
_BOUNCER = """\
[databases]
shop = host={host} port={port} dbname=shop user={login} password={password} pool_size=20
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
auth_type = scram-sha-256
auth_file = {directory}/users.txt
pool_mode = transaction
max_client_conn = {clients}
listen_backlog = 1024
unix_socket_dir =
client_tls_sslmode = require
client_tls_cert_file = {directory}/server.crt
client_tls_key_file = {directory}/server.key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the clients get in: the gateway's port, the token, and the authority of its certificate."""

    port: int
    token: str
    authority: Path


@contextmanager
def _target(directory: Path, sessions: int) -> Iterator[tuple[int, str]]:
    """Gives the port of a target that takes so many sessions, and the password there."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    if program is None:
        raise SystemExit("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    password, own, place = secrets.token_urlsafe(18), free_port(), directory / "tls"
    with debian(directory / "server", password="unused") as server:
        _let_in(server, password)
        (place / "users.txt").write_text(f'"{LOGIN}" "{password}"\n')
        settings = _BOUNCER.format(
            host=server.host,
            port=server.port,
            login=LOGIN,
            password=password,
            own=own,
            directory=place,
            clients=sessions + 100,
        )
        (place / "bouncer.ini").write_text(settings)
        for name in ("users.txt", "bouncer.ini", "server.crt", "server.key"):
            shutil.chown(place / name, SYSTEM_USER)
        running = subprocess.Popen(
            [program, "-q", "-u", SYSTEM_USER, str(place / "bouncer.ini")], stderr=subprocess.DEVNULL
        )
        try:
            wait_for(own)
            yield own, password
        finally:
            running.terminate()
            running.wait()


def _let_in(server: Production, password: str) -> None:
    with server.superuser() as connection:
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(made.format(sql.Identifier(LOGIN), sql.Literal(password)))


@asynccontextmanager
async def _door(target: tuple[int, str], directory: Path, sessions: int) -> AsyncIterator[Way]:
    """A gateway in this process, with an access for everybody."""
    port, password = target
    scribe = ScribeProcess(directory / "ledger")
    scribe.start()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as ledger:
            await ledger.connected(30)
            settings = GatewaySettings(port=0, connections_max=sessions + 100, handshake_seconds=LOGIN_SECONDS)
            own = load_door(directory / "tls" / "server.crt", directory / "tls" / "server.key")
            async with gateway(ledger=ledger, host="127.0.0.1", port=port, tls=own, settings=settings) as open_:
                authority = directory / "tls" / "authority.crt"
                open_.target = replace(
                    open_.target,
                    roles=(Role(name=ROLE, connections_max=100),),
                    tls=TlsMode.VERIFY_FULL,
                    tls_authority=str(authority),
                )
                await open_.adopt([PERSON], [open_.target])
                _, token = await open_.issue_token(PERSON, life=timedelta(hours=12))
                await open_.grant(PERSON, credential=LOGIN, password=password, seconds=12 * 3600, role=ROLE)
                yield Way(port=open_.port, token=token, authority=authority)
    finally:
        scribe.stop()


@dataclass(slots=True)
class _Clients:
    """One process of clients."""

    process: asyncio.subprocess.Process

    async def tell(self, words: str) -> None:
        """Say what to do; it is done when the process has answered."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{words}\n".encode())
        answer = await self.process.stdout.readline()
        if answer.strip() != b"done":
            raise SystemExit(f"the clients could not go on: {answer.decode()}")


async def _start(way: Way) -> _Clients:
    command = [sys.executable, "-m", "benchmarks.crowd", "--clients", str(way.port), "--authority", str(way.authority)]
    return _Clients(
        await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PGPASSWORD": way.token},
        )
    )


async def measured(sessions: int, steps: int) -> list[Figure]:
    """Open them in so many steps, and have all of them ask something after each step."""
    found: list[Figure] = []
    begun = time.monotonic()

    def add(name: str, value: float, unit: str) -> None:
        found.append(progress(Figure(name=name, value=value, unit=unit), time.monotonic() - begun))

    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.chmod(0o755)
        make_certificates(directory / "tls")
        target = stack.enter_context(_target(directory, sessions))
        async with _door(target, directory, sessions) as way:
            crowd = [await _start(way) for _ in range(CLIENT_PROCESSES)]
            own, each = os.getpid(), sessions // steps // CLIENT_PROCESSES
            # What the first sessions ever make stays, so they do not count.
            await asyncio.gather(*(one.tell("open 5") for one in crowd))
            await asyncio.sleep(SETTLE_SECONDS)
            before, count = resident(own), 0
            for _ in range(steps):
                opening, spent = time.monotonic(), cpu_seconds(own)
                await asyncio.gather(*(one.tell(f"open {each}") for one in crowd))
                count += each * CLIENT_PROCESSES
                rate = each * CLIENT_PROCESSES / (time.monotonic() - opening)
                add(f"new sessions a second, up to {count}", rate, "/s")
                add(
                    f"processor time of a new session, up to {count}",
                    (cpu_seconds(own) - spent) / each / CLIENT_PROCESSES * 1e3,
                    "ms",
                )
                await asyncio.sleep(SETTLE_SECONDS)
                add(f"memory of an idle session, of {count}", (resident(own) - before) / count, "kB")
                asking, spent = time.monotonic(), cpu_seconds(own)
                await asyncio.gather(*(one.tell("ask") for one in crowd))
                add(f"a statement of each of {count}", time.monotonic() - asking, "s")
                add(f"processor time of one of them, of {count}", (cpu_seconds(own) - spent) / count * 1e6, "µs")
            spent = cpu_seconds(own)
            await asyncio.sleep(10 * SETTLE_SECONDS)
            add(f"processor time of {count} idle sessions", (cpu_seconds(own) - spent) / SETTLE_SECONDS * 1e2, "ms/s")
            for one in crowd:
                await one.tell("leave")
                await one.process.wait()
    return found


def _be_clients(port: int, authority: str) -> None:
    """Do what standard input says, line by line."""
    allow_sessions(10_000)
    held: list[psycopg.Connection[Any]] = []
    for line in sys.stdin:
        word, _, number = line.strip().partition(" ")
        match word:
            case "open":
                for _ in range(int(number)):
                    held.append(
                        psycopg.connect(
                            host="127.0.0.1",
                            port=port,
                            dbname="shop",
                            user=PERSON,
                            sslmode="verify-full",
                            sslrootcert=authority,
                            autocommit=True,
                            connect_timeout=LOGIN_SECONDS,
                            # pgbouncer hands transactions to whatever server is free.
                            prepare_threshold=None,
                        )
                    )
                    held[-1].execute("select 1")
            case "ask":
                for one in held:
                    one.execute("select 1")
            case _:
                for one in held:
                    one.close()
                held.clear()
        sys.stdout.write("done\n")
        sys.stdout.flush()
        if word == "leave":
            # Nothing more is said to them, and their input is only closed once they have ended.
            return


def main() -> int:
    """Run the command; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=1000, help="how many at once")
    parser.add_argument("--steps", type=int, default=1, help="measured so often on the way there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--clients", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--authority", default="", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.clients:
        _be_clients(wanted.clients, wanted.authority)
        return 0
    # Here the gateway's files are this process's, with the scribe's and the clients' pipes beside.
    if (room := allow_sessions(wanted.sessions + 200)) < wanted.sessions:
        raise SystemExit(f"the system lets a process open files for {room} sessions only (ulimit -n)")
    show(uvloop.run(measured(wanted.sessions, wanted.steps)), as_json=wanted.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
