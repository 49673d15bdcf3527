"""A real PostgreSQL that keeps ledgers, with fsync: may be stopped, killed and started again on the same port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from sojourn.demo.production import binaries, free_port, initialise
from sojourn.scribe.postgres_schema import script

START_SECONDS = 30.0
ROLE = "sojourn_scribe"
PASSWORD = "only-for-tests"


@dataclass(slots=True)
class LedgerServer:
    """One server. Each database of it keeps one ledger, and the scribe's role signs in with a password."""

    data: Path
    port: int
    user: str | None
    options: tuple[str, ...] = ()
    running: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, directory: Path, *, options: tuple[str, ...] = ()) -> LedgerServer:
        """Make an empty cluster in `directory`/data, and start it. Its system user has to be able to get there."""
        directory.chmod(0o755)
        made = cls(data=directory / "data", port=free_port(), user=initialise(directory / "data"), options=options)
        made.write_access()
        made.start()
        with made.owner() as connection:
            role, password = sql.Identifier(ROLE), sql.Literal(PASSWORD)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
        return made

    def write_access(self) -> None:
        """Who may come in: the owner by the private socket, the scribe and standbys by network."""
        (self.data / "pg_hba.conf").write_text(
            "local all postgres trust\nlocal replication postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = (
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            f"unix_socket_directories={self.data}",
            "shared_buffers=32MB",
            "max_connections=40",
            *self.options,
        )
        arguments = [argument for setting in settings for argument in ("-c", setting)]
        with (self.data.parent / "server.log").open("ab") as log:
            self.running = subprocess.Popen(
                [str(binaries() / "postgres"), "-D", str(self.data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.owner().close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.running.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts connections and shuts down in order, SIGQUIT is a crash."""
        if self.running is not None:
            self.running.send_signal(how)
            self.running.wait(START_SECONDS)
            self.running = None

    def owner(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection as the owner of everything; it commits by itself."""
        return psycopg.connect(
            host=str(self.data), port=self.port, dbname=database, user="postgres", autocommit=True, connect_timeout=5
        )

    def ledger(self, name: str) -> str:
        """Make a database that is prepared for a ledger; gives its address for a scribe."""
        with self.owner() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with self.owner(name) as connection:
            connection.execute(script(ROLE).encode())
        return self.address(name)

    def address(self, name: str, *others: int) -> str:
        """The address of a ledger for a scribe, on this server or on others at these ports of the same machine."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in (self.port, *others))
        return f"postgresql://{ROLE}:{PASSWORD}@{hosts}/{name}"

    def standby(self, directory: Path) -> LedgerServer:
        """Another server that follows this one, started."""
        data = directory / "data"
        if self.user is not None:
            directory.mkdir(parents=True, exist_ok=True)
            shutil.chown(directory, self.user)
        subprocess.run(
            [
                binaries() / "pg_basebackup",
                "-h",
                self.data,
                "-p",
                str(self.port),
                "-U",
                "postgres",
                "-D",
                data,
                "-R",
                "-c",
                "fast",
            ],
            check=True,
            capture_output=True,
            user=self.user,
            cwd="/",
            env={**os.environ, "PGAPPNAME": "standby"},
        )
        made = LedgerServer(data=data, port=free_port(), user=self.user, options=self.options)
        made.start()
        return made

    def promote(self) -> None:
        """Make a standby the one that is written to."""
        with self.owner() as connection:
            connection.execute("SELECT pg_promote(true, 30)")
