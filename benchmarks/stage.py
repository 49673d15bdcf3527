"""What is measured: a real production database, a real installation over it, and Alice with an access in use."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg import sql

from sojourn.app.ambient import process_environment
from sojourn.cli.client import send
from sojourn.cli.common import Common
from sojourn.demo.installation import Installation, installation
from sojourn.demo.production import ADMINISTRATOR, DATABASE, Production, production, psql_with_tls

PEOPLE = ("alice", "bob")
DIRECT = "direct"
CONNECTIONS = 100
"""More than any measurement holds, with those of the last one that are still closing."""

NARROW_ROWS = 1_000_000
WIDE_ROWS = 100_000
"""Of 1,000 characters each: 100 MB."""

_TABLES: tuple[LiteralString, ...] = (
    "CREATE TABLE shop.wide AS SELECT i AS id, repeat(md5(i::text), 31) AS words FROM generate_series(1, {}) i",
    "CREATE TABLE shop.narrow AS SELECT i AS id FROM generate_series(1, {}) i",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The running processes; `direct` and `gateway` are the environments of a client on either way."""

    production: Production
    installation: Installation
    quick: bool
    direct: dict[str, str]
    gateway: dict[str, str]

    @property
    def gateway_pid(self) -> int:
        """The gateway's process."""
        return int(json.loads((self.installation.layout.run / "gateway.json").read_text())["pid"])

    @property
    def scribe_pid(self) -> int:
        """The scribe's process."""
        return int((self.installation.layout.run / "scribe.lock").read_text())

    def program(self, name: str) -> str:
        """One of PostgreSQL's own programs."""
        return str(self.production.binaries / name)

    def call(self, person: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the API answers to a person."""
        return _call(self.installation, person, method, path, body)

    def grant(self, person: str, role: str, duration: str) -> dict[str, Any]:
        """An active grant for `person`, approved by the other one."""
        return _grant(self.installation, person, role, duration)


@contextmanager
def stage(*, quick: bool) -> Iterator[Stage]:
    """Everything set up and running, while the context lasts. With `quick` the bulk tables are a fifth as long."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        # The database runs as another user, who has to be able to reach its directory.
        Path(one).chmod(0o755)
        with production(Path(one) / "production", password=secrets.token_urlsafe(24)) as server:
            password = secrets.token_urlsafe(24)
            _fill(server, password, share=5 if quick else 1)
            with installation(Path(other) / "home", server, connections=CONNECTIONS) as running:
                for person in PEOPLE:
                    _enrol(running, person)
                _grant(running, "alice", "read", "1h")
                yield Stage(
                    production=server,
                    installation=running,
                    quick=quick,
                    direct=_direct(server, password),
                    gateway=connection(running, "alice", "read", Path(other) / "authority.crt"),
                )


def _fill(server: Production, password: str, *, share: int) -> None:
    with server.superuser() as connection:
        for statement, rows in zip(_TABLES, (WIDE_ROWS // share, NARROW_ROWS // share), strict=True):
            connection.execute(sql.SQL(statement).format(sql.Literal(rows)))
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(DIRECT), sql.Literal(password))
        )
        for text in (
            "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {administrator} WITH GRANT OPTION",
            "GRANT USAGE ON SCHEMA shop TO {direct}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {direct}",
        ):
            names = {"administrator": sql.Identifier(ADMINISTRATOR), "direct": sql.Identifier(DIRECT)}
            connection.execute(sql.SQL(text).format(**names))
        connection.execute("VACUUM ANALYZE")


def _enrol(one: Installation, person: str) -> None:
    """Set up an account and sign in, as `sojourn enrol` and `sojourn login` do."""
    password = secrets.token_urlsafe(18)
    code = one.ask("invite", person, "--data", str(one.layout.root), person="")["code"]
    send(one.address, "POST", "/enrol", {"person": person, "code": code, "password": password})
    token = send(one.address, "POST", "/sign-in", {"person": person, "password": password}).json()["token"]
    Common(client_dir=one.clients).save(person, {"url": one.address, "person": person, "token": token})


def _call(one: Installation, person: str, method: str, path: str, body: dict[str, Any] | None) -> Any:
    profile = json.loads((one.clients / f"{person}.json").read_text())
    return send(profile["url"], method, path, body, token=profile["token"]).json()


def _grant(one: Installation, person: str, role: str, duration: str) -> dict[str, Any]:
    other = next(name for name in PEOPLE if name != person)
    asked = {"target": "shop", "role": role, "duration": duration, "reason": "measuring"}
    request = _call(one, person, "POST", "/requests", asked)
    path = f"/requests/{request['request']}"
    _call(one, other, "POST", f"{path}/approve", {"digest": request["digest"]})
    grant: dict[str, Any] = _call(one, person, "POST", f"{path}/activate", {})
    return grant


def connection(one: Installation, person: str, role: str, authority: Path) -> dict[str, str]:
    """The environment of a client of `person` that connects through the gateway, by TLS."""
    given = _call(one, person, "POST", "/targets/shop/connection", {"role": role})
    authority.write_text(given["authority"])
    return {
        **_clean(),
        "PGHOST": given["host"],
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": str(given["port"]),
        "PGDATABASE": given["database"],
        "PGUSER": given["user"],
        "PGPASSWORD": given["token"],
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(authority),
    }


def _direct(server: Production, password: str) -> dict[str, str]:
    return {
        **_clean(),
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGDATABASE": DATABASE,
        "PGUSER": DIRECT,
        "PGPASSWORD": password,
        "PGSSLMODE": "disable",
    }


def _clean() -> dict[str, str]:
    """The environment without other people's connections, with the library that brings TLS to the wheel's programs."""
    inherited = {name: value for name, value in process_environment().items() if not name.startswith("PG")}
    _, extra = psql_with_tls(Path())
    return {**inherited, **extra}


def conninfo(environment: dict[str, str]) -> dict[str, str]:
    """The same connection as arguments of `psycopg.connect`."""
    names = {
        "PGHOST": "host",
        "PGHOSTADDR": "hostaddr",
        "PGPORT": "port",
        "PGDATABASE": "dbname",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGSSLMODE": "sslmode",
        "PGSSLROOTCERT": "sslrootcert",
    }
    return {names[name]: value for name, value in environment.items() if name in names}
