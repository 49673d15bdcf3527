"""What is measured: a real production database, a real installation over it, and Alice with an access in use."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg import sql

from sojourn.app.ambient import SystemClock, process_environment
from sojourn.cli.client import send
from sojourn.cli.common import Common
from sojourn.demo.installation import POLICY_FILE, SETTINGS_FILE, TARGETS_FILE, Installation, installation
from sojourn.demo.production import ADMINISTRATOR, DATABASE, Production, production, psql_with_tls
from sojourn.testing.debian import USER, debian, install
from sojourn.vault.certificates import ensure_certificates

PEOPLE = ("alice", "bob")
DIRECT = "direct"
CONNECTIONS = 100
"""More than any measurement holds, with those of the last one that are still closing."""

NARROW_ROWS = 1_000_000
WIDE_ROWS = 200_000
"""Of 1,000 characters each: 200 MB."""

_EARLY_ROLE = """\
    roles:
      look:
        description: Look at everything in the shop, recorded before release
        connections: {connections}
        record: before-release
        privileges: [{{ schema: shop, tables: all, verbs: [select] }}]
"""

_TABLES: tuple[LiteralString, ...] = (
    "CREATE TABLE shop.wide AS SELECT i AS id, repeat(md5(i::text), 31) AS words FROM generate_series(1, {}) i",
    "CREATE TABLE shop.narrow AS SELECT i AS id FROM generate_series(1, {}) i",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The running processes, and the environments of a client on either way.

    `direct` has no TLS. `gateway` has it up to the gateway, as by default, `plain` has none, and `early` is `gateway`
    with a role that is recorded before release. `direct_tls` and `gateway_tls` have it on all legs, where the database
    offers it.
    """

    production: Production
    installation: Installation
    quick: bool
    direct: dict[str, str]
    gateway: dict[str, str]
    plain: dict[str, str]
    early: dict[str, str]
    direct_tls: dict[str, str] | None = None
    gateway_tls: dict[str, str] | None = None

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
def stage(*, quick: bool, tls: bool = False) -> Iterator[Stage]:
    """Everything set up and running, while the context lasts. With `quick` the bulk tables are a fifth as long.

    With `tls` the database is Debian's PostgreSQL 15 with a certificate, otherwise the wheel's, which has no TLS.
    """
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        # The database runs as another user, who has to be able to reach its directory.
        Path(one).chmod(0o755)
        administrator, password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        certificates = Path(one) / "certificates"
        targets = TARGETS_FILE.replace("    roles:\n", _EARLY_ROLE)
        if tls:
            install()
            make_certificates(certificates)
            server_of = debian(
                Path(one) / "production",
                password=administrator,
                options=(
                    "ssl=on",
                    f"ssl_cert_file={certificates}/server.crt",
                    f"ssl_key_file={certificates}/server.key",
                    "max_connections=200",
                ),
            )
            authority = certificates / "authority.crt"
            targets = targets.replace("tls: disable", f"tls: verify-full\n    tls_authority: {authority}")
        else:
            server_of = production(Path(one) / "production", password=administrator)
        with server_of as server:
            _fill(server, password, share=5 if quick else 1)
            with installation(
                Path(other) / "home",
                server,
                connections=CONNECTIONS,
                targets=targets,
                policy=POLICY_FILE.replace("[read, ", "[read, look, "),
                settings=SETTINGS_FILE.replace("gateway: { ", "gateway: { require_tls: false, "),
            ) as running:
                for person in PEOPLE:
                    _enrol(running, person)
                for role in ("read", "look"):
                    _grant(running, "alice", role, "1h")
                # Debian's programs have TLS of their own.
                without = {"LD_PRELOAD": ""} if tls else {}
                direct = {**_direct(server, password), **without}
                gateway = {**connection(running, "alice", "read", Path(other) / "authority.crt"), **without}
                verified = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(certificates / "authority.crt")}
                yield Stage(
                    production=server,
                    installation=running,
                    quick=quick,
                    direct=direct,
                    gateway=gateway,
                    plain={**gateway, "PGSSLMODE": "disable"},
                    early=connection(running, "alice", "look", Path(other) / "authority.crt"),
                    direct_tls={**direct, **verified} if tls else None,
                    gateway_tls=gateway if tls else None,
                )


def make_certificates(directory: Path) -> None:
    """A certificate of 127.0.0.1 that the server may read, and its authority's."""
    ensure_certificates(directory, names=["127.0.0.1"], now=SystemClock().now())
    directory.chmod(0o755)
    if os.geteuid() == 0:
        for name in ("server.crt", "server.key"):
            shutil.chown(directory / name, USER)


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
