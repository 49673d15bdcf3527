"""Nothing reaches the target before its intent is durable, and nothing at all when it cannot be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sojourn.demo.production import Production
from sojourn.domain.events import (
    ActionIntended,
    CloseCause,
    Outcome,
    ProcessStarted,
    SessionClosed,
    SessionOpened,
)
from sojourn.gateway.recorder import NOTES_WAITING_MAX
from sojourn.settings import GatewaySettings

from .conftest import PERSON, TARGET, Access, dial, running_gateway, settle, target_of
from .proxy import Proxy
from .raw import SYNC, RawClient, bind, error_fields, execute, extended, parse, query


@pytest.fixture
def watched(
    server: Production, proxy: Proxy, tmp_path: Path, settings: GatewaySettings, credential: str
) -> Iterator[Access]:
    """A gateway that reaches its target through the proxy."""
    target = replace(target_of(server), port=proxy.port)
    with running_gateway(target, tmp_path, settings) as access:
        access.adopt(target)
        access.secret, access.grant = access.token(), access.give(credential)
        yield access


@pytest.mark.parametrize(
    ("data", "ready"),
    [
        (query("SELECT 'mark'"), 1),
        (extended("SELECT 'mark'") + SYNC, 1),
        (query("COPY (SELECT 'mark') TO STDOUT"), 1),
        (parse("SELECT 1 AS mark", "s") + SYNC + bind("mark", "s") + execute("mark") + SYNC, 2),
    ],
)
def test_no_byte_of_a_statement_reaches_the_target_before_its_intent_is_durable(
    watched: Access, proxy: Proxy, data: bytes, ready: int
) -> None:
    client = dial(watched)
    assert client.log_in(PERSON, watched.secret, TARGET)[-1][0] == "Z"
    watched.ledger.delay = 0.3
    before = len(proxy.seen)
    client.send(data)
    client.until_ready(ready)
    durable = [at for at, kind in watched.ledger.marks if kind == ActionIntended.kind]
    assert len(durable) == 1
    acts = [at for at, sent in proxy.seen[before:] if sent[:1] in b"QB" or b"B\0" in sent]
    assert acts
    assert min(acts) >= durable[0]


def test_the_session_is_on_record_before_anything_is_sent_to_the_target(watched: Access, proxy: Proxy) -> None:
    watched.ledger.delay = 0.3
    client = dial(watched)
    client.log_in(PERSON, watched.secret, TARGET)
    opened = [at for at, kind in watched.ledger.marks if kind == SessionOpened.kind]
    assert proxy.seen[0][0] >= opened[0]


def test_without_a_record_a_statement_does_not_run_and_the_session_goes_on(
    gateway: Access, raw: RawClient, server: Production
) -> None:
    gateway.ledger.failing = True
    raw.send(query("CREATE TABLE shop.unrecorded(a int)"))
    kind, body = raw.read()
    assert (kind, error_fields(body)["C"]) == ("E", "58030")
    assert raw.until_ready() == "Z"
    raw.send(extended("CREATE TABLE shop.unrecorded(a int)") + query("SELECT 1") + SYNC)
    assert raw.until_ready() == "EZ"
    gateway.ledger.failing = False
    raw.send(extended("SELECT 1") + SYNC)
    assert raw.until_ready() == "12TDCZ"
    with server.superuser() as connection:
        found = connection.execute("SELECT to_regclass('shop.unrecorded')").fetchone()
    assert found == (None,)
    found_on_record = settle(gateway, 4)
    assert [(one.outcome, one.tags) for _, one in found_on_record] == [
        *[(Outcome.SKIPPED, ("refused",))] * 3,
        (Outcome.COMPLETED, ("SELECT 1",)),
    ]
    assert ["unrecorded" in detail for detail, _ in found_on_record] == [True, True, False, False]


def test_a_session_that_was_refused_more_than_can_be_kept_is_ended_and_what_was_kept_is_on_record(
    gateway: Access, raw: RawClient
) -> None:
    gateway.ledger.failing = True
    answers = ""
    with pytest.raises(ConnectionError):
        for _ in range(NOTES_WAITING_MAX + 2):
            raw.send(query("SELECT 1"))
            answers += raw.until_ready()
    assert answers == "EZ" * (NOTES_WAITING_MAX - 1)
    gateway.ledger.failing = False
    assert {one.outcome for _, one in settle(gateway, NOTES_WAITING_MAX, within=30.0)} == {Outcome.SKIPPED}
    deadline = time.monotonic() + 30.0
    while not gateway.events(SessionClosed) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [one.cause for one in gateway.events(SessionClosed)] == [CloseCause.RECORD_UNAVAILABLE]


def test_messages_that_come_while_a_refusal_is_on_its_way_are_answered_one_by_one(
    gateway: Access, raw: RawClient
) -> None:
    gateway.ledger.failing = True
    gateway.ledger.delay = 0.1
    for part in (parse("SELECT 1") + bind(), execute(), SYNC, query("SELECT 2"), query("SELECT 3")):
        raw.send(part)
        time.sleep(0.02)
    assert raw.until_ready(3) == "EZEZEZ"
    gateway.ledger.failing = False
    raw.send(query("SELECT 4"))
    assert raw.until_ready() == "TDCZ"


def test_without_a_record_a_session_in_a_transaction_is_closed_and_rolled_back(
    gateway: Access, raw: RawClient, server: Production
) -> None:
    raw.send(query("CREATE TABLE shop.half(a int)"))
    raw.until_ready()
    raw.send(query("BEGIN; INSERT INTO shop.half VALUES (1)"))
    raw.until_ready()
    gateway.ledger.failing = True
    raw.send(query("COMMIT"))
    kind, body = raw.read()
    assert (kind, error_fields(body)["C"], error_fields(body)["S"]) == ("E", "58030", "FATAL")
    with pytest.raises(ConnectionError):
        raw.read()
    gateway.ledger.failing = False
    time.sleep(0.5)
    with server.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM shop.half").fetchone() == (0,)
        connection.execute("DROP TABLE shop.half")
    assert [one.cause for one in gateway.events(SessionClosed)] == [CloseCause.RECORD_UNAVAILABLE]


def test_without_a_record_a_group_that_has_begun_to_act_is_not_committed(
    gateway: Access, raw: RawClient, server: Production
) -> None:
    raw.send(query("CREATE TABLE shop.group_begun(a int)"))
    raw.until_ready()
    raw.send(parse("INSERT INTO shop.group_begun VALUES (1)") + bind() + execute() + b"H\0\0\0\4")
    assert raw.kinds(3) == "12C"
    gateway.ledger.failing = True
    raw.send(bind() + execute() + SYNC)
    assert raw.kinds(1) == "E"
    with pytest.raises(ConnectionError):
        raw.read()
    gateway.ledger.failing = False
    time.sleep(0.5)
    with server.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM shop.group_begun").fetchone() == (0,)
        connection.execute("DROP TABLE shop.group_begun")


def test_nobody_is_let_in_while_the_record_cannot_be_written(gateway: Access) -> None:
    gateway.ledger.failing = True
    kind, body = dial(gateway).log_in(PERSON, gateway.secret, TARGET)[-1]
    assert (kind, error_fields(body)["C"]) == ("E", "58030")


def test_the_end_of_a_session_is_recorded_when_the_record_is_back(gateway: Access, raw: RawClient) -> None:
    raw.send(query("SELECT 1"))
    raw.until_ready()
    gateway.ledger.failing = True
    raw.close()
    time.sleep(0.5)
    assert gateway.events(SessionClosed) == []
    gateway.ledger.failing = False
    settle(gateway, 1)
    time.sleep(0.6)
    assert [one.actions for one in gateway.events(SessionClosed)] == [1]


def test_what_an_earlier_run_left_open_is_closed_on_record_at_the_next_start(
    server: Production, tmp_path: Path, settings: GatewaySettings, credential: str
) -> None:
    with running_gateway(target_of(server), tmp_path, settings) as first:
        first.adopt(first.target)
        first.secret, first.grant = first.token(), first.give(credential)
        client = dial(first)
        client.log_in(PERSON, first.secret, TARGET)
        client.send(query("SELECT pg_sleep(0.3)"))
        client.until_ready()
        settle(first, 1)
        # Nobody hears of the end, as when the machine stops.
        client.send(query("SELECT pg_sleep(60)"))
        time.sleep(0.3)
        first.ledger.failing = True
    ledger = first.ledger
    assert first.events(SessionClosed) == []
    ledger.failing = False
    with running_gateway(target_of(server), tmp_path, settings, ledger) as second:
        assert len(second.events(ProcessStarted)) == 2
        (closed,) = second.events(SessionClosed)
        assert (closed.cause, closed.actions) == (CloseCause.INTERRUPTED, 2)
        assert [outcome.outcome for _, outcome in settle(second, 2)] == [Outcome.COMPLETED, Outcome.INTERRUPTED]
