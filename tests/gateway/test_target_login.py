"""How the gateway shows a target who it is: every method of PostgreSQL, and none that would trust a stranger."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sojourn.demo.production import Production
from sojourn.domain.target import Target, TlsMode
from sojourn.settings import GatewaySettings
from sojourn.testing.debian import USER, debian
from sojourn.vault.certificates import ensure_certificates

from .certificates import issue
from .conftest import PASSWORD, Access, running_gateway, target_of

ROLE = "sojourn_login"


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Production]:
    """PostgreSQL 15 with TLS, and its authority's files in `tls/` of its directory."""
    with tempfile.TemporaryDirectory(prefix="sojourn-login-") as directory:
        top = Path(directory)
        top.chmod(0o755)
        files = top / "tls"
        ensure_certificates(files, names=["localhost", "127.0.0.1"], now=datetime.now(UTC))
        issue(files, ROLE)
        served = top / "served"
        shutil.copytree(files, served)
        for path in (served, *served.iterdir()):
            shutil.chown(path, USER)
        options = (
            "ssl=on",
            f"ssl_cert_file={served / 'server.crt'}",
            f"ssl_key_file={served / 'server.key'}",
            f"ssl_ca_file={served / 'authority.crt'}",
        )
        with debian(top / "pg", password="administrator", options=options) as running:
            yield running


def _admit_by(server: Production, line: str, encryption: str = "scram-sha-256") -> None:
    """Let ROLE in by this line of pg_hba.conf alone."""
    (server.directory / "data" / "pg_hba.conf").write_text(f"local all postgres trust\n{line}\n")
    with server.superuser() as connection:
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(sql.SQL("SET password_encryption = {}").format(sql.Literal(encryption)))
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(ROLE)))
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), sql.Literal(PASSWORD))
        )


@pytest.fixture
def before(encrypted: Production, tmp_path: Path, settings: GatewaySettings) -> Iterator[Access]:
    """A gateway before that server."""
    with running_gateway(target_of(encrypted), tmp_path, settings) as access:
        access.secret = access.token()
        access.grant = access.give(ROLE)
        yield access


def _target(server: Production, mode: TlsMode) -> Target:
    authority = str(server.directory.parent / "tls" / "authority.crt") if mode is TlsMode.VERIFY_FULL else ""
    return replace(target_of(server), tls=mode, tls_authority=authority)


@pytest.mark.parametrize(
    ("line", "encryption"),
    [
        ("hostssl all all 127.0.0.1/32 trust", "scram-sha-256"),
        ("hostssl all all 127.0.0.1/32 password", "scram-sha-256"),
        ("hostssl all all 127.0.0.1/32 md5", "md5"),
        ("hostssl all all 127.0.0.1/32 md5", "scram-sha-256"),
        ("hostssl all all 127.0.0.1/32 scram-sha-256", "scram-sha-256"),
    ],
)
def test_a_target_that_has_shown_who_it_is_may_ask_in_any_way(
    before: Access, encrypted: Production, line: str, encryption: str
) -> None:
    _admit_by(encrypted, line, encryption)
    before.adopt(_target(encrypted, TlsMode.VERIFY_FULL))
    with before.psycopg() as connection:
        found = connection.execute("SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    assert found == (ROLE, True)


def test_a_target_may_ask_for_a_certificate(before: Access, encrypted: Production) -> None:
    _admit_by(encrypted, "hostssl all all 127.0.0.1/32 cert")
    files = encrypted.directory.parent / "tls"
    target = replace(
        _target(encrypted, TlsMode.VERIFY_FULL),
        tls_certificate=str(files / "client.crt"),
        tls_key=str(files / "client.key"),
    )
    before.adopt(target)
    with before.psycopg() as connection:
        assert connection.execute("SELECT current_user").fetchone() == (ROLE,)


@pytest.mark.parametrize("method", ["trust", "password", "md5"])
@pytest.mark.parametrize("mode", [TlsMode.DISABLE, TlsMode.REQUIRE])
def test_a_target_that_has_not_shown_who_it_is_gets_no_secret_and_no_session(
    before: Access, encrypted: Production, method: str, mode: TlsMode
) -> None:
    _admit_by(encrypted, f"host all all 127.0.0.1/32 {method}", "md5")
    before.adopt(_target(encrypted, mode))
    with pytest.raises(psycopg.OperationalError, match="arget shop"):
        before.psycopg().__enter__()


@pytest.mark.parametrize("mode", [TlsMode.DISABLE, TlsMode.REQUIRE])
def test_by_scram_both_show_who_they_are(before: Access, encrypted: Production, mode: TlsMode) -> None:
    _admit_by(encrypted, "host all all 127.0.0.1/32 scram-sha-256")
    before.adopt(_target(encrypted, mode))
    with before.psycopg() as connection:
        found = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    assert found == (mode is TlsMode.REQUIRE,)


def test_a_target_with_somebody_elses_certificate_is_not_spoken_to(
    before: Access, encrypted: Production, tmp_path: Path
) -> None:
    _admit_by(encrypted, "hostssl all all 127.0.0.1/32 trust")
    ensure_certificates(tmp_path / "other", names=["localhost"], now=datetime.now(UTC))
    target = replace(_target(encrypted, TlsMode.VERIFY_FULL), tls_authority=str(tmp_path / "other" / "authority.crt"))
    before.adopt(target)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        before.psycopg().__enter__()


def test_a_certificate_for_another_name_is_not_taken(before: Access, encrypted: Production) -> None:
    _admit_by(encrypted, "hostssl all all 127.0.0.1/32 trust")
    before.adopt(replace(_target(encrypted, TlsMode.VERIFY_FULL), host="127.0.0.2"))
    with pytest.raises(psycopg.OperationalError):
        before.psycopg().__enter__()
