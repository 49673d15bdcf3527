"""The end of an access is felt at once, whatever its sessions are doing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

import pytest

from sojourn.demo.production import Production, production
from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    CancelRequested,
    CloseCause,
    GrantSessionStopped,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.identifiers import GrantId, PersonId, RoleName, grant_stream
from sojourn.settings import GatewaySettings

from .conftest import PERSON, TARGET, Access, dial, make_role, running_gateway, settle, target_of
from .raw import SYNC, RawClient, error_fields, extended, message, query

CUT_SECONDS_MAX = 0.25


def log_in(gateway: Access) -> RawClient:
    client = dial(gateway)
    assert client.log_in(PERSON, gateway.secret, TARGET)[-1][0] == "Z"
    return client


def until_closed(client: RawClient) -> tuple[str, dict[str, str]]:
    """Read to the end; gives the types seen, and the last error's fields."""
    kinds, fields = "", dict[str, str]()
    try:
        while True:
            kind, body = client.read()
            kinds += kind
            fields = error_fields(body) if kind == "E" else fields
    except (ConnectionError, OSError):
        return kinds, fields


def closed(gateway: Access, within: float = 5.0) -> SessionClosed:
    deadline = time.monotonic() + within
    while not gateway.events(SessionClosed):
        assert time.monotonic() < deadline, "the session's end is not on record"
        time.sleep(0.01)
    return gateway.events(SessionClosed)[-1]


def test_a_revocation_cuts_a_running_statement_and_cancels_it_at_the_target(
    gateway: Access, raw: RawClient, server: Production, credential: str
) -> None:
    raw.send(query("SELECT pg_sleep(60)"))
    time.sleep(0.3)
    started = time.monotonic()
    gateway.end()
    kinds, fields = until_closed(raw)
    assert time.monotonic() - started < CUT_SECONDS_MAX
    assert (kinds, fields["C"]) == ("E", "57P01")
    assert "ended" in fields["M"]
    end = closed(gateway)
    assert end.cause is CloseCause.GRANT_ENDED
    assert end.cut_lag_us is not None
    assert 0 < end.cut_lag_us < CUT_SECONDS_MAX * 1e6
    assert settle(gateway, 1)[0][1].outcome == "interrupted"
    time.sleep(0.2)
    with server.superuser() as connection:
        left = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [credential])
        assert left.fetchone() == (0,)


def test_a_grant_that_reaches_its_end_cuts_without_anybody_saying_so(gateway: Access, credential: str) -> None:
    gateway.end()
    gateway.give(credential, seconds=1.5)
    begun = time.monotonic()
    client = log_in(gateway)
    kinds, fields = until_closed(client)
    # How soon after the end is measured by the benchmark; here the machine may be busy.
    assert 1.0 < time.monotonic() - begun < 10
    assert (kinds, fields["C"]) == ("E", "57P01")
    assert closed(gateway).cut_lag_us is not None


def test_a_cut_in_a_transaction_rolls_it_back(gateway: Access, raw: RawClient, server: Production) -> None:
    raw.send(query("CREATE TABLE shop.cut(a int)"))
    raw.until_ready()
    raw.send(query("BEGIN"))
    raw.until_ready()
    raw.send(query("INSERT INTO shop.cut VALUES (1)"))
    raw.until_ready()
    gateway.end()
    until_closed(raw)
    closed(gateway)
    with server.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM shop.cut").fetchone() == (0,)
        connection.execute("DROP TABLE shop.cut")


def test_a_cut_in_the_middle_of_a_copy_leaves_nothing_behind(
    gateway: Access, raw: RawClient, server: Production
) -> None:
    raw.send(query("CREATE TABLE shop.cut_copy(a text)"))
    raw.until_ready()
    raw.send(query("COPY shop.cut_copy FROM STDIN"))
    assert raw.kinds(1) == "G"
    # The last message is not complete when the cut comes.
    raw.send(message("d", b"1\n") + message("d", b"x" * 1000)[:-5])
    time.sleep(0.2)
    gateway.end()
    started = time.monotonic()
    until_closed(raw)
    assert time.monotonic() - started < CUT_SECONDS_MAX
    closed(gateway)
    time.sleep(0.2)
    with server.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM shop.cut_copy").fetchone() == (0,)
        connection.execute("DROP TABLE shop.cut_copy")


def test_a_cut_in_the_middle_of_a_pipeline_leaves_nothing_behind_and_each_action_with_one_end(
    gateway: Access, raw: RawClient, server: Production
) -> None:
    raw.send(query("CREATE TABLE shop.cut_pipeline(a int)"))
    raw.until_ready()
    insert = extended("INSERT INTO shop.cut_pipeline VALUES (1)")
    raw.send(insert + extended("SELECT pg_sleep(60)") + insert * 500 + SYNC)
    deadline = time.monotonic() + 10
    while not (_sleeps(server) and len(gateway.events(ActionIntended)) == 503):
        assert time.monotonic() < deadline, "the pipeline has not begun, or is not read to its end"
        time.sleep(0.02)
    started = time.monotonic()
    gateway.end()
    _, fields = until_closed(raw)
    assert time.monotonic() - started < CUT_SECONDS_MAX
    assert fields["C"] == "57P01"
    closed(gateway)
    outcomes = [one.outcome for _, one in settle(gateway, 503)]
    assert set(outcomes[2:]) == {"interrupted"}
    while _sleeps(server):
        assert time.monotonic() < deadline, "what was cut still runs"
        time.sleep(0.02)
    with server.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM shop.cut_pipeline").fetchone() == (0,)
        connection.execute("DROP TABLE shop.cut_pipeline")


def _sleeps(server: Production) -> bool:
    question = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%pg_sleep(60)%'"
    with server.superuser() as connection:
        return connection.execute(question).fetchone() is not None


def test_a_client_that_does_not_read_is_cut_all_the_same(gateway: Access, raw: RawClient) -> None:
    raw.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"))
    time.sleep(0.7)
    started = time.monotonic()
    gateway.end()
    end = closed(gateway)
    assert time.monotonic() - started < CUT_SECONDS_MAX + 0.2
    assert end.cut_lag_us is not None
    assert end.cut_lag_us < CUT_SECONDS_MAX * 1e6


def test_a_target_that_hangs_does_not_delay_the_cut(tmp_path: Path, settings: GatewaySettings) -> None:
    directory = Path(tempfile.mkdtemp(prefix="sojourn-test-"))
    directory.chmod(0o755)
    try:
        with (
            production(directory / "production", password="x" * 20) as hanging,
            running_gateway(target_of(hanging), tmp_path, settings) as gateway,
        ):
            make_role(hanging, "sojourn_hang")
            gateway.adopt(gateway.target)
            gateway.secret, gateway.grant = gateway.token(), gateway.give("sojourn_hang")
            raw = log_in(gateway)
            with hanging.superuser() as connection:
                found = connection.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'sojourn_hang'").fetchone()
            assert found is not None
            pids = [int(str(found[0])), hanging.process.pid]
            raw.send(query("SELECT pg_sleep(60)"))
            time.sleep(0.3)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                started = time.monotonic()
                gateway.end()
                until_closed(raw)
                assert time.monotonic() - started < CUT_SECONDS_MAX
                end = closed(gateway)
                assert end.cut_lag_us is not None
                assert end.cut_lag_us < CUT_SECONDS_MAX * 1e6
            finally:
                for pid in reversed(pids):
                    os.kill(pid, signal.SIGCONT)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def test_only_the_sessions_of_the_ended_grant_are_cut(gateway: Access, raw: RawClient, credential: str) -> None:
    other = gateway.give(credential, role=RoleName("writer"))
    client = dial(gateway)
    assert client.log_in(f"{PERSON}+writer", gateway.secret, TARGET)[-1][0] == "Z"
    gateway.end(GrantId(other))
    until_closed(client)
    raw.send(query("SELECT 1"))
    assert raw.until_ready() == "TDCZ"


def test_one_session_is_stopped_and_its_access_opens_others(gateway: Access, raw: RawClient) -> None:
    raw.send(query("SELECT pg_sleep(60)"))
    other = log_in(gateway)
    first, _ = gateway.events(SessionOpened)
    stopped = GrantSessionStopped(grant=first.grant, session=first.session, stopped_by=PersonId("bob"), source="test")
    gateway.append(grant_stream(first.grant), stopped)
    kinds, fields = until_closed(raw)
    assert (kinds, fields["C"]) == ("E", "57P01")
    assert "was stopped by bob" in fields["M"]
    end = closed(gateway)
    assert (end.session, end.cause) == (first.session, CloseCause.STOPPED)
    other.send(query("SELECT 1"))
    assert other.until_ready() == "TDCZ"
    log_in(gateway)


def test_nobody_is_let_in_under_a_grant_that_has_ended(gateway: Access) -> None:
    gateway.end()
    client = dial(gateway)
    kind, body = client.log_in(PERSON, gateway.secret, TARGET)[-1]
    assert (kind, error_fields(body)["C"]) == ("E", "28000")


def cancel(gateway: Access, key: bytes) -> None:
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as connection:
        connection.sendall((8 + len(key)).to_bytes(4, "big") + (80877102).to_bytes(4, "big") + key)
        assert connection.recv(1) == b""


def test_a_client_can_cancel_its_own_statement_and_that_is_on_record(gateway: Access, raw: RawClient) -> None:
    raw.send(query("SELECT pg_sleep(60)"))
    time.sleep(0.2)
    cancel(gateway, raw.key)
    assert raw.until_ready() == "TEZ"
    assert settle(gateway, 1)[0][1].sqlstate == "57014"
    assert len(gateway.events(CancelRequested)) == 1


@pytest.mark.parametrize("place", [0, 4, 7])
def test_a_cancel_with_another_key_is_ignored_and_on_record(gateway: Access, raw: RawClient, place: int) -> None:
    raw.send(query("SELECT pg_sleep(0.5)"))
    time.sleep(0.1)
    wrong = bytes(byte ^ (index == place) for index, byte in enumerate(raw.key))
    cancel(gateway, wrong)
    assert raw.until_ready() == "TDCZ"
    assert gateway.events(CancelRequested) == []
    assert [one.subject for one in gateway.events(AttemptRefused)] == ["cancel"]


def test_a_target_session_that_is_terminated_tells_the_client_at_once(
    gateway: Access, raw: RawClient, server: Production, credential: str
) -> None:
    raw.send(query("BEGIN"))
    raw.until_ready()
    with server.superuser() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [credential])
    kinds, fields = until_closed(raw)
    assert (kinds, fields["C"]) == ("E", "57P01")
    assert closed(gateway).cause is CloseCause.TARGET_CLOSED
    assert [one.outcome for one in gateway.events(ActionCompleted)] == ["completed"]


def test_a_client_that_vanishes_has_its_statement_cancelled(
    gateway: Access, raw: RawClient, server: Production, credential: str
) -> None:
    raw.send(query("SELECT pg_sleep(60)"))
    time.sleep(0.2)
    raw.close()
    assert closed(gateway).cause is CloseCause.CLIENT_CLOSED
    time.sleep(0.2)
    with server.superuser() as connection:
        left = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [credential])
        assert left.fetchone() == (0,)
