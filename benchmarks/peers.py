"""`python -m benchmarks.peers SUITES`: other projects' own test suites, directly and through a gateway, side by side.

SUITES is a folder of scripts that each take HOST PORT USER DATABASE and end with a line `N passed, N failed`. They
expect a superuser, which no access of Sojourn's can be; so their access is put on record here. All that comes then
is what runs in production: the gateway, and a scribe with a store of its own that makes each statement durable.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import uvloop
from psycopg import sql

from sojourn.demo.production import Production, binaries, production, psql_with_tls
from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.domain.target import Role, TlsMode
from sojourn.gateway.tls import load_door
from sojourn.scribe.client import ScribeClient
from sojourn.settings import GatewaySettings
from sojourn.testing.debian import debian
from sojourn.testing.gateway import gateway
from sojourn.testing.scribe import ScribeProcess

from .stage import make_certificates

PERSON = "postgres"
"""Suites know their user by this name, directly and through the gateway alike."""

ROLE = RoleName("whole")
DATABASES = (
    "asyncpg_intro_test",
    "cli_a",
    "cli_b",
    "postgres",
    "psycopg2_test",
    "replication",
    "sqlalchemy_test",
    "template1",
    "testdb",
)
"""What the suites connect to; `replication` is what PostgreSQL's own programs say where they open no database."""

CONNECTIONS = 150
_LAST = re.compile(r"^(\d+) passed, (\d+) failed", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One script, where it connects to, and how it is told to use TLS beyond `PGSSLMODE`.

    `newest` runs it with the programs of PostgreSQL 18; without a script it is the `module` of ours.
    """

    script: str = ""
    module: str = "benchmarks.psycopg_battery"
    database: str = "postgres"
    tls: tuple[str, ...] = ()
    newest: bool = False


SUITES = {
    "asyncpg": Suite(script="run_asyncpg.sh"),
    "psycopg2": Suite(script="run_psycopg2.sh", database="psycopg2_test"),
    "jdbc": Suite(script="run_jdbc.sh", tls=("?sslmode=require",)),
    "pg_cli": Suite(script="run_pg_cli.sh"),
    "pg_cli-18": Suite(script="run_pg_cli.sh", newest=True),
    "psycopg3": Suite(),
    "sqlalchemy": Suite(module="benchmarks.sqlalchemy_suite", database="sqlalchemy_test"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to the server."""

    name: str
    host: str
    port: int
    password: str
    tls: bool


@contextmanager
def target(directory: Path, version: int, certificates: Path) -> Iterator[tuple[Production, str]]:
    """A server with everything that the suites want, and the password of its superuser."""
    password = secrets.token_urlsafe(18)
    options = ("wal_level=logical", "max_wal_senders=10", "max_connections=200")
    if version == 18:
        server_of = production(directory, password="unused", options=options)
    else:
        names = (f"ssl_cert_file={certificates}/server.crt", f"ssl_key_file={certificates}/server.key")
        server_of = debian(directory, password="unused", options=("ssl=on", *names, *options))
    with server_of as server:
        access = server.directory / "data" / "pg_hba.conf"
        access.write_text(access.read_text() + "host replication all 127.0.0.1/32 scram-sha-256\n")
        with server.superuser("postgres") as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(sql.Literal(password)))
            for database in ("psycopg2_test", "sqlalchemy_test"):
                connection.execute(f"CREATE DATABASE {database}".encode())
        if version != 18:
            with server.superuser("psycopg2_test") as connection:
                connection.execute("CREATE EXTENSION hstore")
        yield server, password


@asynccontextmanager
async def door(server: Production, password: str, directory: Path, *, tls: bool) -> AsyncIterator[tuple[int, str]]:
    """A gateway with a scribe before the server; gives its port and the token. With `tls` the target is verified."""
    scribe = ScribeProcess(directory / "ledger")
    scribe.start()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as ledger:
            await ledger.connected(30)
            settings = GatewaySettings(port=0, require_tls=False, connections_max=500)
            own = load_door(directory / "tls" / "server.crt", directory / "tls" / "server.key")
            async with gateway(ledger=ledger, host=server.host, port=server.port, tls=own, settings=settings) as open_:
                whole = Role(name=ROLE, connections_max=CONNECTIONS, replication=True)
                authority = str(directory / "tls" / "authority.crt") if tls else ""
                mode = TlsMode.VERIFY_FULL if tls else TlsMode.DISABLE
                targets = [
                    replace(
                        open_.target,
                        name=TargetName(name),
                        database=name,
                        roles=(whole,),
                        tls=mode,
                        tls_authority=authority,
                    )
                    for name in DATABASES
                ]
                await open_.adopt([PERSON], targets)
                _, token = await open_.issue_token(PERSON, life=timedelta(hours=12))
                for one in targets:
                    open_.target = one
                    await open_.grant(PERSON, credential=PERSON, password=password, seconds=12 * 3600, role=ROLE)
                yield open_.port, token
    finally:
        scribe.stop()


async def run(suite: Suite, folder: Path, way: Way, log: Path) -> str:
    """Run one suite on one way; gives its last words as `passed / failed`, and a mark if there were none."""
    more = suite.tls if way.tls else ()
    environment = {**os.environ, "PGPASSWORD": way.password, "PGSSLMODE": "require" if way.tls else "disable"}
    if suite.newest:
        _, library = psql_with_tls(binaries())
        environment |= {"PATH": f"{binaries()}:{os.environ['PATH']}", **library}
    program = ["bash", str(folder / suite.script)] if suite.script else [sys.executable, "-m", suite.module]
    command = [*program, way.host, str(way.port), PERSON, suite.database, *more]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )
        await process.wait()
    found = _LAST.findall(log.read_text(errors="replace"))
    return " / ".join(found[-1]) if found else "did not end"


async def compare(
    names: Sequence[str], folder: Path, version: int, logs: Path, times: int
) -> dict[str, dict[str, list[str]]]:
    """Run every suite on every way, one after the other; gives what each said by suite and way."""
    said: dict[str, dict[str, list[str]]] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.chmod(0o755)
        make_certificates(directory / "tls")
        server, password = stack.enter_context(target(directory / "server", version, directory / "tls"))
        encrypted = version != 18
        async with door(server, password, directory, tls=encrypted) as (port, token):
            ways = [
                Way(name="direct", host=server.host, port=server.port, password=password, tls=False),
                Way(name="through Sojourn", host="127.0.0.1", port=port, password=token, tls=False),
                Way(name="through Sojourn, TLS", host="127.0.0.1", port=port, password=token, tls=True),
            ]
            if encrypted:
                ways.insert(1, replace(ways[0], name="direct, TLS", tls=True))
            for name in names:
                for way in ways:
                    for turn in range(times):
                        begun = time.monotonic()
                        log = logs / f"{name}-{way.name.replace(', ', '-').replace(' ', '-')}-{turn}.log"
                        told = await run(SUITES[name], folder, way, log)
                        said.setdefault(name, {}).setdefault(way.name, []).append(told)
                        took = time.monotonic() - begun
                        sys.stderr.write(f"[{took:5.1f} s] {name}, {way.name}: {told}\n")
    return said


def table(said: dict[str, dict[str, list[str]]]) -> str:
    """What they said as a table in Markdown."""
    ways = list(next(iter(said.values())))
    lines = [["passed / failed", *ways], ["---"] * (len(ways) + 1)]
    lines += [[name, *(", ".join(dict.fromkeys(by[way])) for way in ways)] for name, by in said.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def unchanged(by: dict[str, list[str]]) -> bool:
    """Whether a suite said the same through Sojourn as directly, each with TLS and without it."""
    pairs = ((by["direct"], by["through Sojourn"]), (by.get("direct, TLS", by["direct"]), by["through Sojourn, TLS"]))
    return all(set(direct) == set(through) for direct, through in pairs)


def main() -> int:
    """Run the command. Exit status 1 if a suite said something else through Sojourn than directly."""
    parser = argparse.ArgumentParser(prog="make peer-suites", description="Run other projects' suites through Sojourn.")
    parser.add_argument("suites", type=Path, help="the folder of the scripts")
    parser.add_argument("--only", nargs="+", choices=SUITES, default=list(SUITES), help="these alone")
    parser.add_argument("--server", type=int, choices=(15, 18), default=15, help="PostgreSQL's version")
    parser.add_argument("--times", type=int, default=1, help="each so many times")
    parser.add_argument("--logs", type=Path, default=Path(tempfile.gettempdir()), help="where their output goes")
    wanted = parser.parse_args()
    wanted.logs.mkdir(parents=True, exist_ok=True)
    said = uvloop.run(compare(wanted.only, wanted.suites.resolve(), wanted.server, wanted.logs, wanted.times))
    sys.stdout.write(f"{table(said)}\n")
    return 0 if all(unchanged(by) for by in said.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
