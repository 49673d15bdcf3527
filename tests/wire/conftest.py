"""What the live tests share: a real PostgreSQL 18, certificates, a record, and a gateway before them."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from sojourn.demo.production import Production, binaries, production, psql_with_tls
from sojourn.gateway.tls import load_door
from sojourn.settings import GatewaySettings
from sojourn.testing.client import RawClient, log_in
from sojourn.testing.gateway import GatewayUnderTest, RealClock, SlowLedger, Tap, gateway, tap
from sojourn.vault.certificates import ensure_certificates

ROLE, PASSWORD = "sj_test_alice", "the-target's-own-secret"


@pytest.fixture(scope="session")
def server() -> Iterator[Production]:
    """One PostgreSQL for all tests of this folder, with the role that grants of these tests use.

    Not below pytest's own folder, which every other run of pytest closes to the server's system user again.
    """
    with (
        tempfile.TemporaryDirectory() as directory,
        production(Path(directory) / "server", password="administrator") as running,
    ):
        with running.superuser() as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), sql.Literal(PASSWORD))
            )
            for text in (
                "GRANT USAGE ON SCHEMA shop TO {}",
                "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {}",
                "GRANT CREATE ON SCHEMA public TO {}",
            ):
                connection.execute(sql.SQL(text).format(sql.Identifier(ROLE)))
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gateway's authority and certificate."""
    directory = tmp_path_factory.mktemp("tls")
    ensure_certificates(directory, names=["localhost", "127.0.0.1"], now=datetime.now(UTC))
    return directory


@dataclass(slots=True)
class Stage:
    """Everything a live test needs: the server, the record, the tap before the target, the gateway."""

    server: Production
    ledger: SlowLedger
    tap: Tap
    gateway: GatewayUnderTest
    certificates: Path

    async def enter(self, **grant: object) -> str:
        """Give alice a grant and a token; gives the token's secret."""
        await self.gateway.grant("alice", credential=ROLE, password=PASSWORD, **grant)  # type: ignore[arg-type]
        _, secret = await self.gateway.issue_token("alice")
        return secret

    def conninfo(self, secret: str, **parameters: str) -> dict[str, str]:
        """How libpq reaches the gateway as alice, checking its certificate."""
        return {
            "host": "localhost",
            "port": str(self.gateway.port),
            "user": "alice",
            "password": secret,
            "dbname": "shop",
            "sslmode": "verify-full",
            "sslrootcert": str(self.certificates / "authority.crt"),
            "application_name": "live test",
            **parameters,
        }

    async def connect(self, secret: str, *, autocommit: bool = True, **parameters: str) -> psycopg.AsyncConnection:
        """psycopg 3 through the gateway."""
        conninfo = psycopg.conninfo.make_conninfo("", **self.conninfo(secret, **parameters))
        return await psycopg.AsyncConnection.connect(conninfo, autocommit=autocommit)

    async def raw(self, secret: str, **parameters: str) -> RawClient:
        """A client that says exactly what the test wants."""
        context = ssl.create_default_context(cafile=str(self.certificates / "authority.crt"))
        return await log_in(self.gateway.port, context, user="alice", password=secret, **parameters)

    async def psql(self, secret: str, *arguments: str, typed: str = "", **parameters: str) -> tuple[int, str, str]:
        """psql 18 through the gateway; gives exit code, output and errors."""
        program, extra = psql_with_tls(binaries())
        conninfo = " ".join(f"{name}='{value}'" for name, value in self.conninfo(secret, **parameters).items())
        process = await asyncio.create_subprocess_exec(
            program,
            "-X",
            "-d",
            conninfo,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **extra},
        )
        out, errors = await asyncio.wait_for(process.communicate(typed.encode()), 30)
        assert process.returncode is not None
        return process.returncode, out.decode(), errors.decode()


@asynccontextmanager
async def stage(server: Production, certificates: Path, settings: GatewaySettings) -> AsyncIterator[Stage]:
    """A stage with these settings."""
    context = load_door(certificates / "server.crt", certificates / "server.key")
    ledger = SlowLedger(RealClock())
    async with (
        tap(server.host, server.port) as before_target,
        gateway(ledger=ledger, host="127.0.0.1", port=before_target.port, tls=context, settings=settings) as running,
    ):
        yield Stage(server, ledger, before_target, running, certificates)


@pytest_asyncio.fixture
async def live(server: Production, certificates: Path) -> AsyncIterator[Stage]:
    """A stage with the usual settings."""
    async with stage(server, certificates, GatewaySettings(port=0, warn_seconds=0)) as ready:
        yield ready


@pytest.fixture
def live_settings(server: Production, certificates: Path) -> Callable[..., AbstractAsyncContextManager[Stage]]:
    """Makes a stage with other settings of the gateway."""
    return lambda **chosen: stage(server, certificates, GatewaySettings(port=0, warn_seconds=0, **chosen))
