"""The replication protocol: only for a role that says so, with every command on record and every byte counted."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sojourn.demo.production import Production, binaries, psql_with_tls
from sojourn.domain.events import ActionCompleted, ActionIntended, AttemptRefused, Outcome, SessionClosed
from sojourn.domain.identifiers import TargetName
from sojourn.settings import GatewaySettings

from .conftest import PERSON, TARGET, Access, dial, make_role, running_gateway, settle, target_of
from .raw import RawClient, error_fields, message, query

NAMELESS = "replication"
"""What PostgreSQL's own programs say in place of a database."""


@pytest.fixture(scope="module")
def replicated(server: Production) -> Iterator[Production]:
    """The server, which lets roles replicate from this machine while these tests run."""
    access = server.directory / "data" / "pg_hba.conf"
    before = access.read_text()
    access.write_text(f"{before}host replication all 127.0.0.1/32 scram-sha-256\n")
    with server.superuser() as connection:
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield server
    finally:
        access.write_text(before)
        with server.superuser() as connection:
            connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def copier(replicated: Production, credential: str) -> str:
    """A role as the grant of a role with `replication` makes it."""
    name = f"{credential}_copy"
    make_role(replicated, name, powers="REPLICATION")
    return name


@pytest.fixture
def access(replicated: Production, tmp_path: Path, copier: str) -> Iterator[Access]:
    """A gateway whose configuration lets the role replicate."""
    with running_gateway(target_of(replicated), tmp_path, GatewaySettings(port=0, warn_seconds=0)) as running:
        running.adopt(running.target, replication=True)
        running.secret, running.grant = running.token(), running.give(copier)
        yield running


def _replicate(access: Access, database: str = TARGET, how: str = "true") -> RawClient:
    client = dial(access)
    assert client.log_in(PERSON, access.secret, database, parameters={"replication": how})[-1][0] == "Z"
    return client


def _begin(client: RawClient, server: Production) -> None:
    """Ask for all that the server writes from now on, and have it write something."""
    client.send(query("IDENTIFY_SYSTEM"))
    assert client.until_ready() == "TDCZ"
    with server.superuser() as connection:
        row = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
        assert row is not None
        client.send(query(f"START_REPLICATION PHYSICAL {row[0]}"))
        assert client.read()[0] == "W"
        connection.execute("SELECT pg_logical_emit_message(true, 'test', repeat('x', 20000))")


def test_a_role_that_does_not_replicate_is_told_so_by_name(gateway: Access) -> None:
    client = dial(gateway)
    kind, body = client.log_in(PERSON, gateway.secret, TARGET, parameters={"replication": "database"})[-1]
    assert kind == "E"
    fields = error_fields(body)
    assert (fields["C"], fields["D"]) == ("28000", "gateway.replication_refused")
    assert "replication" in fields["M"] and "reader" in fields["M"]
    until = time.monotonic() + 10
    while not gateway.events(AttemptRefused) and time.monotonic() < until:
        time.sleep(0.01)
    (refused,) = gateway.events(AttemptRefused)
    assert (refused.code, refused.actor) == ("gateway.replication_refused", PERSON)


@pytest.mark.parametrize("no", ["false", "off", "no", "0"])
def test_who_says_no_to_replication_has_an_ordinary_session(gateway: Access, no: str) -> None:
    client = dial(gateway)
    assert client.log_in(PERSON, gateway.secret, TARGET, parameters={"replication": no})[-1][0] == "Z"
    client.send(query("SELECT 1"))
    assert client.until_ready() == "TDCZ"


def test_each_command_is_on_record_and_the_bytes_of_both_ways_are_counted(
    access: Access, replicated: Production
) -> None:
    client = _replicate(access)
    _begin(client, replicated)
    received = 0
    while received < 20_000:
        kind, body = client.read()
        assert kind == "d"
        received += len(body) + 5
    status = message("d", b"r" + bytes(33))
    client.send(status + message("c"))
    kinds = client.until_ready()
    assert kinds.endswith("Z") and "E" not in kinds
    (first, one), (second, other) = settle(access, 2)
    assert ("IDENTIFY_SYSTEM" in first, "START_REPLICATION" in second) == (True, True)
    assert [event.verb for event in access.events(ActionIntended)] == ["replication", "replication"]
    assert all(event.may_write for event in access.events(ActionIntended))
    assert (one.outcome, other.outcome) == (Outcome.COMPLETED, Outcome.COMPLETED)
    assert other.bytes_out >= received
    assert other.bytes_in >= len(status)


def test_in_a_logical_session_statements_are_on_record_as_in_any_other(access: Access) -> None:
    client = _replicate(access, how="database")
    client.send(query("SELECT count(*) FROM shop.orders"))
    assert client.until_ready() == "TDCZ"
    client.send(query("READ_REPLICATION_SLOT nothing"))
    assert client.until_ready().endswith("Z")
    settle(access, 2)
    assert [event.verb for event in access.events(ActionIntended)] == ["read", "replication"]


def test_the_end_of_the_access_cuts_a_replication_that_runs(access: Access, replicated: Production) -> None:
    client = _replicate(access)
    _begin(client, replicated)
    access.end()
    with pytest.raises(ConnectionError):
        while True:
            client.read()
    until = time.monotonic() + 10
    while not access.events(SessionClosed) and time.monotonic() < until:
        time.sleep(0.01)
    (end,) = access.events(SessionClosed)
    assert end.cause == "grant_ended"
    assert [one.outcome for one in access.events(ActionCompleted)] == [Outcome.COMPLETED, Outcome.INTERRUPTED]
    with replicated.superuser() as connection:
        deadline = time.monotonic() + 10
        while connection.execute("SELECT FROM pg_stat_replication").fetchone() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert connection.execute("SELECT FROM pg_stat_replication").fetchone() is None


def test_a_base_backup_through_the_gateway_is_whole(access: Access, tmp_path: Path) -> None:
    _, library = psql_with_tls(binaries())
    environment = {
        **os.environ,
        **library,
        "PGHOST": access.host,
        "PGPORT": str(access.port),
        "PGUSER": PERSON,
        "PGPASSWORD": access.secret,
        "PGSSLMODE": "require",
    }
    copy = tmp_path / "copy"
    command = [str(binaries() / "pg_basebackup"), "-D", str(copy), "-X", "stream", "-c", "fast", "--no-sync"]
    command.append("--manifest-checksums=SHA256")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((copy / "backup_manifest").read_text())
    files = {one["Path"]: one["Checksum"] for one in manifest["Files"]}
    assert len(files) > 500
    assert {path: hashlib.sha256((copy / path).read_bytes()).hexdigest() for path in files} == files
    texts = [access.detail(event.detail.commitment).decode() for event in access.events(ActionIntended)]
    assert any("BASE_BACKUP" in text for text in texts) and any("START_REPLICATION" in text for text in texts)


def test_who_may_replicate_several_targets_has_to_say_which(access: Access, copier: str) -> None:
    other = replace(access.target, name=TargetName("bank"))
    access.adopt(access.target, other, replication=True)
    access.give(copier, target=other.name)
    access.secret = access.token()
    client = dial(access)
    kind, body = client.log_in(PERSON, access.secret, NAMELESS, parameters={"replication": "true"})[-1]
    assert (kind, error_fields(body)["D"]) == ("E", "target.unknown")
    _replicate(access, "bank")


def test_the_name_that_stands_for_no_database_opens_no_ordinary_session(access: Access) -> None:
    client = dial(access)
    kind, body = client.log_in(PERSON, access.secret, NAMELESS)[-1]
    assert (kind, error_fields(body)["D"]) == ("E", "target.unknown")
