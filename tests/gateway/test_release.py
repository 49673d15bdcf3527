"""Record before release: a read goes on at once, and nothing of its result comes back before it is on record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from sojourn.demo.production import Production
from sojourn.domain.events import ActionCompleted, ActionIntended, CloseCause, Outcome, SessionClosed
from sojourn.domain.target import Recording
from sojourn.settings import GatewaySettings

from .conftest import PERSON, TARGET, Access, dial, running_gateway, settle, target_of
from .proxy import Proxy
from .raw import SYNC, RawClient, error_fields, extended, query

DELAY = 0.3


@pytest.fixture
def reader(server: Production, credential: str) -> str:
    """A role that the target keeps read-only, as a grant makes it."""
    with server.superuser() as connection:
        connection.execute(
            sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(credential))
        )
    return credential


@pytest.fixture
def access(server: Production, proxy: Proxy, tmp_path: Path, settings: GatewaySettings) -> Iterator[Access]:
    """A gateway whose configuration says `record: before-release`."""
    target = replace(target_of(server), port=proxy.port)
    with running_gateway(target, tmp_path, settings) as running:
        running.adopt(target, recording=Recording.BEFORE_RELEASE)
        running.secret = running.token()
        yield running


def _session(access: Access, role: str) -> RawClient:
    access.grant = access.give(role)
    client = dial(access)
    assert client.log_in(PERSON, access.secret, TARGET)[-1][0] == "Z"
    return client


def _sent(proxy: Proxy, mark: bytes) -> float:
    """When these bytes went to the target."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for at, data in tuple(proxy.seen):
            if mark in data:
                return at
        time.sleep(0.005)
    raise AssertionError(f"{mark!r} never went to the target")


def _durable(access: Access, number: int = -1) -> float:
    return [at for at, kind in access.ledger.marks if kind == ActionIntended.kind][number]


@pytest.mark.parametrize(
    "data",
    [
        query("SELECT 'mark'"),
        extended("SELECT 'mark'") + SYNC,
        query("COPY (SELECT 'mark') TO STDOUT"),
        query("SELECT 'mark' FROM missing"),
    ],
)
def test_a_read_goes_on_at_once_and_not_a_byte_of_its_result_comes_before_its_record(
    access: Access, proxy: Proxy, reader: str, data: bytes
) -> None:
    client = _session(access, reader)
    access.ledger.delay = DELAY
    client.send(data)
    client.read()
    came = time.monotonic()
    client.until_ready()
    assert _sent(proxy, b"mark") < _durable(access) <= came
    settle(access, 1)


def test_what_may_write_is_recorded_first_and_so_is_everything_after_it(
    access: Access, proxy: Proxy, reader: str
) -> None:
    client = _session(access, reader)
    access.ledger.delay = DELAY
    for text in ("SET default_transaction_read_only = off", "SELECT 'after'"):
        client.send(query(text))
        client.until_ready()
        assert _sent(proxy, text.encode()) >= _durable(access)


def test_a_role_that_the_target_does_not_keep_read_only_is_recorded_first(
    access: Access, proxy: Proxy, credential: str
) -> None:
    client = _session(access, credential)
    access.ledger.delay = DELAY
    client.send(query("SELECT 'mark'"))
    client.until_ready()
    assert _sent(proxy, b"mark") >= _durable(access)


def test_a_client_that_asks_to_write_at_the_start_is_recorded_first(access: Access, proxy: Proxy, reader: str) -> None:
    access.grant = access.give(reader)
    client = dial(access)
    parameters = {"options": "-c default_transaction_read_only=off"}
    assert client.log_in(PERSON, access.secret, TARGET, parameters=parameters)[-1][0] == "Z"
    access.ledger.delay = DELAY
    client.send(query("SELECT 'mark'"))
    client.until_ready()
    assert _sent(proxy, b"mark") >= _durable(access)


def test_the_target_refuses_to_write_for_a_role_that_is_recorded_before_release(access: Access, reader: str) -> None:
    client = _session(access, reader)
    client.send(query("SELECT lo_create(0)"))
    kind, body = client.read()
    while kind != "E":
        kind, body = client.read()
    assert error_fields(body)["C"] == "25006"


def test_without_a_record_nothing_of_the_result_is_released(access: Access, reader: str) -> None:
    client = _session(access, reader)
    access.ledger.failing = True
    client.send(query("SELECT 'secret'"))
    kind, body = client.read()
    assert (kind, error_fields(body)["C"], error_fields(body)["S"]) == ("E", "58030", "FATAL")
    with pytest.raises(ConnectionError):
        client.read()
    access.ledger.failing = False
    deadline = time.monotonic() + 5
    while not access.events(SessionClosed) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [one.cause for one in access.events(SessionClosed)] == [CloseCause.RECORD_UNAVAILABLE]


def test_a_result_larger_than_what_is_held_back_comes_whole(access: Access, reader: str) -> None:
    client = _session(access, reader)
    access.ledger.delay = DELAY
    client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 20000)"))
    seen = [kind for kind in iter(lambda: client.read()[0], "Z") if kind == "D"]
    assert len(seen) == 20_000
    ((_, completed),) = settle(access, 1)
    assert completed.rows == 20_000


def test_a_client_that_leaves_while_its_result_is_held_back_leaves_an_outcome(access: Access, reader: str) -> None:
    client = _session(access, reader)
    access.ledger.delay = DELAY
    client.send(query("SELECT 'mark'"))
    time.sleep(DELAY / 3)
    client.close()
    ((_, completed),) = settle(access, 1)
    assert completed.outcome is Outcome.INTERRUPTED


def test_a_grant_that_ends_while_a_result_is_held_back_keeps_it_back(access: Access, reader: str) -> None:
    client = _session(access, reader)
    access.ledger.delay = DELAY
    client.send(query("SELECT 'mark'"))
    time.sleep(DELAY / 3)
    access.ledger.delay = 0.0
    access.end()
    kind, body = client.read()
    assert (kind, error_fields(body)["C"]) == ("E", "57P01")
    settle(access, 1)


def test_the_last_words_of_a_target_are_released_too(access: Access, server: Production, reader: str) -> None:
    client = _session(access, reader)
    access.ledger.delay = DELAY
    client.send(query("SELECT 'mark', pg_sleep(10)"))
    time.sleep(DELAY / 3)
    with server.superuser() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (reader,))
    kinds = "TE"
    seen = client.read()
    assert seen[0] in kinds
    while seen[0] != "E":
        seen = client.read()
    assert error_fields(seen[1])["C"] == "57P01"
    ((_, completed),) = settle(access, 1)
    assert completed.outcome is not Outcome.COMPLETED
    assert len(access.events(ActionCompleted)) == 1
