"""Who is let in, who is not, what they are told, and that each refusal is on record."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from datetime import timedelta
from typing import Any

import asyncpg
import psycopg
import pytest

from sojourn.domain.events import AttemptRefused, CloseCause, SessionOpened
from sojourn.gateway.postgres import startup
from sojourn.gateway.postgres.backend import parse_error
from sojourn.testing.client import RawClient, log_in, query

pytestmark = pytest.mark.integration


async def refusals(live: Any, count: int = 1) -> list[AttemptRefused]:
    for _ in range(500):
        found: list[AttemptRefused] = await live.gateway.attempts()
        if len(found) >= count:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(found)} refusals on record, not {count}")


async def connect(live: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", live.gateway.port)


def tls(live: Any) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(live.certificates / "authority.crt"))


@pytest.mark.parametrize("client", ["psql", "psycopg", "asyncpg"])
async def test_a_wrong_secret_is_an_error_of_class_28P01_in_every_client(live: Any, client: str) -> None:
    await live.enter()
    if client == "psql":
        code, _, errors = await live.psql("wrong", "-c", "select 1")
        assert code == 2 and "The name or the secret is wrong" in errors
    elif client == "psycopg":
        with pytest.raises(psycopg.OperationalError, match="The name or the secret is wrong"):
            await live.connect("wrong")
    else:
        with pytest.raises(asyncpg.exceptions.InvalidPasswordError):
            await asyncpg.connect(
                host="localhost", port=live.gateway.port, user="alice", password="wrong", database="shop", ssl=tls(live)
            )
    (refused,) = await refusals(live)
    assert (refused.verb, refused.actor, refused.code) == ("connect", "alice", "credentials.invalid")
    assert live.tap.connections == 0


async def test_an_unknown_person_cannot_be_told_from_a_wrong_secret(live: Any) -> None:
    await live.enter()
    told = []
    for name in ("alice", "bob", "nobody", "x" * 63):
        client = await log_in(live.gateway.port, tls(live), user=name, password="guess")
        told.append(dict(client.errors[0].items()))
    assert told == [told[0]] * 4
    assert told[0]["C"] == "28P01"


async def test_grants_are_spoken_of_only_after_the_person_is_known(live: Any) -> None:
    _, secret = await live.gateway.issue_token("bob")
    context = tls(live)
    for database, sqlstate, words in (
        ("shop", "28000", "bob has no active grant on shop"),
        ("nowhere", "3D000", "no target nowhere"),
    ):
        client = await log_in(live.gateway.port, context, user="bob", password=secret, database=database)
        assert (client.errors[0]["C"], words in client.errors[0]["M"]) == (sqlstate, True)
    assert (
        "sojourn request shop" in (await log_in(live.gateway.port, context, user="bob", password=secret)).errors[0]["H"]
    )
    codes = [(one.actor, one.code) for one in await refusals(live, 3)]
    assert codes[:2] == [("bob", "grant.none_active"), ("bob", "target.unknown")]


async def test_any_of_a_persons_valid_tokens_opens_and_a_revoked_or_expired_one_does_not(live: Any) -> None:
    first = await live.enter()
    token, second = await live.gateway.issue_token("alice")
    _, short = await live.gateway.issue_token("alice", timedelta(seconds=3))
    for secret in (first, second, short):
        (await live.raw(secret)).hang_up()
    await live.gateway.revoke_token(token, "alice")
    await asyncio.sleep(3.1)
    assert not (await live.raw(first)).errors
    for secret in (second, short):
        assert (await live.raw(secret)).errors[0]["C"] == "28P01"
    used = [event.token for event in await live.gateway.events() if isinstance(event, SessionOpened)]
    assert len(set(used)) == 3


async def test_with_several_grants_the_person_says_which_role_is_meant(live: Any) -> None:
    secret = await live.enter()
    await live.enter(role="write")
    client = await live.raw(secret)
    assert "several active grants" in client.errors[0]["M"] and "alice+ROLE" in client.errors[0]["H"]
    context = tls(live)
    assert not (await log_in(live.gateway.port, context, user="alice+write", password=secret)).errors
    (opened,) = [event for event in await live.gateway.events() if isinstance(event, SessionOpened)]
    assert opened.role == "write"


async def test_a_grant_that_is_not_provisioned_yet_opens_nothing(live: Any) -> None:
    await live.gateway.grant("alice", credential="x", password="y", provisioned=False)
    _, secret = await live.gateway.issue_token("alice")
    assert "still being set up" in (await live.raw(secret)).errors[0]["M"]
    assert live.tap.connections == 0


async def test_nothing_is_sent_to_the_target_before_the_session_is_on_record(live: Any) -> None:
    secret = await live.enter()
    live.ledger.failing = True
    client = await live.raw(secret)
    assert (client.errors[0]["C"], live.tap.connections) == ("58030", 0)
    live.ledger.failing = False
    assert not (await live.raw(secret)).errors


async def test_a_session_whose_opening_was_in_doubt_is_closed_on_record(live: Any) -> None:
    secret = await live.enter()
    live.ledger.lose_answers = True
    assert (await live.raw(secret)).errors[0]["C"] == "58030"
    live.ledger.lose_answers = False
    (closed,) = await live.gateway.closed()
    assert (closed.cause, live.tap.connections) == (CloseCause.RECORD_UNAVAILABLE, 0)


async def test_a_grant_that_changes_while_the_session_is_being_recorded_is_judged_again(live: Any) -> None:
    grant = await live.gateway.grant("alice", credential="sj_test_alice", password="the-target's-own-secret")
    _, secret = await live.gateway.issue_token("alice")
    live.ledger.delay = 0.2
    ending = asyncio.create_task(live.gateway.end_grant(grant))
    await asyncio.sleep(0.1)
    client = await live.raw(secret)
    await ending
    live.ledger.delay = 0.0
    assert "has ended (revoked)" in client.errors[0]["M"]
    assert live.tap.connections == 0


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "an HTTP request"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH greeting"),
        (bytes(range(0x90, 0xFF)) * 20, "something else"),
    ],
)
async def test_a_stranger_is_told_what_this_port_speaks_and_is_on_record(live: Any, sent: bytes, found: str) -> None:
    reader, writer = await connect(live)
    writer.write(sent)
    async with asyncio.timeout(5):
        answer = await reader.read()
    assert answer[:1] == b"E" and parse_error(answer[5:])["M"].startswith("This port speaks the PostgreSQL protocol")
    (refused,) = await refusals(live)
    assert (refused.code, dict(refused.details)) == ("gateway.not_postgres", {"found": found})
    assert not (await live.raw(await live.enter())).errors
    writer.close()


@pytest.mark.parametrize("sent", [b"", b"\0\0", startup.ssl_request(), startup.ssl_request() + b"\x16\x03\x01"])
async def test_a_client_that_stops_in_mid_handshake_is_dropped_after_a_while(live_settings: Any, sent: bytes) -> None:
    async with live_settings(handshake_seconds=0.5) as live:
        reader, writer = await connect(live)
        writer.write(sent)
        began = time.monotonic()
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        assert 0.3 < time.monotonic() - began < 3
        (refused,) = await refusals(live)
        assert refused.code == "gateway.handshake_timeout"
        writer.close()


async def test_many_half_open_connections_do_not_keep_others_out(live_settings: Any) -> None:
    # Long enough that a loaded machine has answered all of them before it turns the first away.
    async with live_settings(handshake_seconds=5.0) as live:
        secret = await live.enter()
        strangers = [await connect(live) for _ in range(200)]
        for _, writer in strangers:
            writer.write(startup.ssl_request())
        assert not (await live.raw(secret)).errors
        for reader, writer in strangers:
            async with asyncio.timeout(10):
                assert await reader.read() == b"S"
            writer.close()
        one_by_one = len(await refusals(live, 30))
        assert one_by_one == 30, "the rest is counted"


async def test_plain_text_is_refused_where_tls_is_required(live: Any) -> None:
    secret = await live.enter()
    client = await log_in(live.gateway.port, None, user="alice", password=secret)
    assert "encrypted connections only" in client.errors[0]["M"]
    with pytest.raises(psycopg.OperationalError, match="encrypted connections only"):
        await live.connect(secret, sslmode="disable")
    assert (await refusals(live, 2))[0].code == "gateway.tls_required"


@pytest.mark.parametrize("sslmode", ["disable", "prefer", "require", "verify-full"])
async def test_each_way_of_asking_for_tls_works_where_it_is_optional(live_settings: Any, sslmode: str) -> None:
    async with live_settings(require_tls=False) as live:
        connection = await live.connect(await live.enter(), sslmode=sslmode, gssencmode="prefer")
        assert await (await connection.execute("select 1")).fetchone() == (1,)
        await connection.close()
        (opened,) = [event for event in await live.gateway.events() if isinstance(event, SessionOpened)]
        assert bool(opened.tls) is (sslmode != "disable")


async def test_gss_encryption_is_declined_and_the_log_in_goes_on(live: Any) -> None:
    secret = await live.enter()
    reader, writer = await connect(live)
    writer.write(startup.gss_encryption_request())
    assert await reader.readexactly(1) == b"N"
    writer.write(startup.ssl_request())
    assert await reader.readexactly(1) == b"S"
    writer.close()
    assert not (await live.raw(secret)).errors


async def hello(live: Any) -> tuple[ssl.SSLObject, ssl.MemoryBIO, bytes]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = tls(live).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return session, incoming, outgoing.read()


@pytest.mark.parametrize("byte_by_byte", [False, True])
async def test_a_tls_handshake_works_in_the_same_segment_and_byte_by_byte(live: Any, byte_by_byte: bool) -> None:
    session, incoming, first = await hello(live)
    reader, writer = await connect(live)
    sent = startup.ssl_request() + first
    for place in range(0, len(sent), 1 if byte_by_byte else len(sent)):
        writer.write(sent[place : place + (1 if byte_by_byte else len(sent))])
        await asyncio.sleep(0)
    assert await reader.readexactly(1) == b"S"
    async with asyncio.timeout(5):
        while True:
            incoming.write(await reader.read(4096))
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
    assert session.version() == "TLSv1.3"
    writer.close()


async def test_plain_text_hidden_behind_the_request_for_tls_is_refused(live: Any) -> None:
    secret = await live.enter()
    reader, writer = await connect(live)
    writer.write(startup.ssl_request() + startup.startup_message({"user": "alice", "database": "shop"}))
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(5):
            assert (await reader.read())[:1] == b"E", "it is refused in clear, and TLS never begins"
    (refused,) = await refusals(live)
    assert refused.code == "gateway.protocol_violation"
    writer.close()
    assert not (await live.raw(secret)).errors


@pytest.mark.parametrize(
    "parameters",
    [
        {"role": "postgres"},
        {"session_authorization": "postgres"},
        {"options": "-c role=postgres"},
        {"options": "--session-authorization=postgres"},
        {"options": "-crole=postgres"},
    ],
)
async def test_a_start_up_parameter_that_would_change_who_one_is_is_refused_by_name(
    live: Any, parameters: dict[str, str]
) -> None:
    client = await live.raw(await live.enter(), **parameters)
    assert "start-up parameter" in client.errors[0]["M"]
    assert (await refusals(live))[0].code == "gateway.parameter_refused"
    assert live.tap.connections == 0


async def test_a_newer_protocol_version_and_unknown_options_are_negotiated_down(live: Any) -> None:
    secret = await live.enter()
    context = tls(live)
    reader, writer = await connect(live)
    writer.write(startup.ssl_request())
    assert await reader.readexactly(1) == b"S"
    await writer.start_tls(context, server_hostname="localhost")
    writer.write(startup.startup_message({"user": "alice", "database": "shop"}, minor=9999, options={"_pq_.x": "1"}))
    client = RawClient(reader, writer)
    kind, body = await client.receive()
    assert (kind, body) == ("v", (3 << 16 | 2).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"_pq_.x\0")
    assert (await client.receive())[0] == "R"
    writer.close()
    assert not (await live.raw(secret)).errors


async def test_an_error_of_the_target_at_log_in_is_passed_on_and_the_session_closed_on_record(live: Any) -> None:
    await live.gateway.grant("alice", credential="sj_test_alice", password="not the password")
    _, secret = await live.gateway.issue_token("alice")
    client = await live.raw(secret)
    assert client.errors[0]["C"] == "28P01" and "sj_test_alice" in client.errors[0]["M"]
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.TARGET_UNREACHABLE


async def test_a_target_that_takes_no_more_connections_says_so_itself(live: Any) -> None:
    secret = await live.enter()
    with live.server.superuser() as administrator:
        administrator.execute("alter role sj_test_alice connection limit 0")
    try:
        client = await live.raw(secret)
        assert client.errors[0]["C"] == "53300"
    finally:
        with live.server.superuser() as administrator:
            administrator.execute("alter role sj_test_alice connection limit -1")


@pytest.mark.parametrize("wrong", ["secret", "pid"])
async def test_a_cancel_request_with_a_wrong_key_is_ignored_in_silence_and_recorded(live: Any, wrong: str) -> None:
    client = await live.raw(await live.enter())
    assert client.key is not None
    pid, secret = client.key
    packet = startup.cancel_request(pid, b"\0\0\0\0") if wrong == "secret" else startup.cancel_request(pid + 1, secret)
    client.writer.write(query("select pg_sleep(0.3)"))
    await asyncio.sleep(0.05)
    reader, writer = await connect(live)
    writer.write(packet)
    assert await reader.read() == b""
    writer.close()
    assert await client.until() == "TDCZ"
    (refused,) = await refusals(live)
    assert (refused.subject, refused.code) == ("cancel", "credentials.invalid")


async def test_too_many_connections_are_told_so_after_they_have_shown_who_they_are(live_settings: Any) -> None:
    async with live_settings(connections_max=2) as live:
        secret = await live.enter()
        kept = [await live.raw(secret) for _ in range(2)]
        client = await live.raw(secret)
        assert (client.errors[0]["C"], "limit of 2 connections" in client.errors[0]["M"]) == ("53300", True)
        kept[0].hang_up()
        await live.gateway.closed()
        assert not (await live.raw(secret)).errors


@pytest.mark.parametrize(
    "sent", [b"p\0\0\0\5x", b"Q\0\0\0\3", b"Q\xff\xff\xff\xff", b"!\0\0\0\4", b"B\0\0\0\5xS\0\0\0\4", b"Q\0\0\0\6ab"]
)
async def test_garbage_after_the_log_in_ends_that_session_alone(live: Any, sent: bytes) -> None:
    secret = await live.enter()
    client, other = await live.raw(secret), await live.raw(secret)
    client.writer.write(sent)
    assert await client.rest() == "E"
    assert client.errors[0]["S"] == "FATAL"
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.PROTOCOL_VIOLATION
    assert await other.ask(query("select 1")) == "TDCZ"


async def test_a_target_that_cannot_be_reached_is_said_and_recorded(live: Any) -> None:
    secret = await live.enter()
    live.tap.listener.close()
    await asyncio.sleep(0.05)
    client = await live.raw(secret)
    assert (client.errors[0]["C"], "cannot be reached" in client.errors[0]["M"]) == ("08006", True)
    (closed,) = await live.gateway.closed()
    assert closed.cause is CloseCause.TARGET_UNREACHABLE
