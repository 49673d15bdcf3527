"""A target, its driver, and an engineer who tries things, all on the one real server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from sojourn.demo.production import ADMINISTRATOR, DATABASE, Production
from sojourn.demo.production import production as running
from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.domain.target import Privilege, Role, Target, TargetKind, TlsMode, Verb
from sojourn.targets.port import Claim, Removal
from sojourn.targets.postgres import PostgresDriver
from sojourn.testing.debian import debian

ROLE = Role(
    name=RoleName("order-fixer"),
    privileges=(
        Privilege(schema="shop", verbs=(Verb.SELECT,), names=("orders", "customers")),
        Privilege(schema="shop", verbs=(Verb.UPDATE,), names=("orders",), columns=("status",)),
    ),
)
OBSERVED = (
    "SELECT on shop.customers",
    "SELECT on shop.orders",
    "UPDATE (status) on shop.orders",
    "USAGE on schema shop",
)

Row = tuple[object, ...]


def target_of(server: Production, *roles: Role) -> Target:
    """The shop as a target; this build of PostgreSQL has no TLS."""
    return Target(
        name=TargetName("shop"),
        kind=TargetKind.POSTGRES,
        host=server.host,
        port=server.port,
        database=DATABASE,
        administrator=ADMINISTRATOR,
        administrator_secret="shop",
        roles=roles or (ROLE,),
        tls=TlsMode.DISABLE,
    )


ADMINISTRATOR_PASSWORD = "correct horse battery staple"


@dataclass(slots=True)
class Bench:
    """The server, the driver, and short ways to use them."""

    server: Production
    target: Target
    driver: PostgresDriver
    opened: list[psycopg.Connection[Row]] = field(default_factory=list)
    claims: dict[str, Claim] = field(default_factory=dict)

    def claim(self, name: str, account: str = "") -> Claim:
        """All that is known of an access; its end is fixed when it is first spoken of."""
        if name not in self.claims:
            until = datetime.now(UTC) + timedelta(minutes=5)
            self.claims[name] = Claim(grant=f"g-{name}", credential=account or name, ends=(until,))
        claim = self.claims[name]
        others = {one.grant for one in self.claims.values() if one.credential == claim.credential} - {claim.grant}
        return replace(claim, others=others)

    async def grant(self, name: str, role: Role = ROLE, *, secret: str = "") -> tuple[str, ...]:
        made = await self.driver.grant(
            self.target,
            role,
            self.claim(name, role.account),
            password=f"pass-{name}",
            secret=secret or self.server.administrator_password,
        )
        self.claims[name] = replace(self.claims[name], identity=made.identity)
        return made.observed

    async def revoke(self, name: str, account: str = "") -> Removal:
        secret = self.server.administrator_password
        removal = await self.driver.revoke(self.target, self.claim(name, account), secret=secret)
        if removal.complete:
            del self.claims[name]
        return removal

    def forget(self, name: str) -> None:
        """What was read back at the grant never came to be on record."""
        self.claims[name] = replace(self.claims[name], identity="")

    def engineer(self, name: str, database: str = DATABASE, password: str = "") -> psycopg.Connection[Row]:
        connection = psycopg.connect(
            host=self.server.host,
            port=self.server.port,
            dbname=database,
            user=name,
            password=password or f"pass-{name}",
            autocommit=True,
        )
        self.opened.append(connection)
        return connection

    def owner(self, statement: str, database: str = DATABASE) -> list[Row]:
        with self.server.superuser(database) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def version(self) -> int:
        ((version,),) = self.owner("SHOW server_version_num")
        return int(str(version))

    def roles(self) -> set[object]:
        return {row[0] for row in self.owner("SELECT rolname FROM pg_roles WHERE rolname LIKE 'sojourn_t%'")}


@pytest.fixture(scope="session", params=["18", "15"])
def production(request: pytest.FixtureRequest) -> Iterator[Production]:
    """Servers for these tests alone: they take privileges away that others are using on the common one.

    Between 15 and 16 the rules changed of who may hand out a role.
    """
    server = running if request.param == "18" else debian
    with (
        tempfile.TemporaryDirectory(prefix="sojourn-targets-") as directory,
        server(Path(directory) / "pg", password=ADMINISTRATOR_PASSWORD) as started,
    ):
        yield started


@pytest.fixture
def bench(production: Production) -> Iterator[Bench]:
    bench = Bench(server=production, target=target_of(production), driver=PostgresDriver(os.urandom))
    yield bench
    for connection in bench.opened:
        connection.close()
    left = bench.roles()
    inherit = " WITH INHERIT TRUE" if bench.version >= 160000 else ""
    for name in left:
        bench.owner(
            f"GRANT {name} TO sojourn_admin{inherit}; SET ROLE sojourn_admin; DROP OWNED BY {name};"
            f" RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}"
        )
    assert not left, f"the test left roles behind: {left}"
