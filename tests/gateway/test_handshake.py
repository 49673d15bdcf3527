"""Nobody is let in without showing who they are, and who is not let in learns why and nothing more."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from datetime import timedelta

import asyncpg
import psycopg
import pytest

from sojourn.demo.production import Production, psql_with_tls
from sojourn.domain.events import AttemptRefused, SessionOpened, TokenIssued, TokenRevoked
from sojourn.domain.identifiers import PersonId, RoleName, token_stream
from sojourn.gateway.postgres import startup
from sojourn.settings import GatewaySettings

from .conftest import PERSON, TARGET, Access, dial
from .raw import error_fields, query


def refused(gateway: Access, count: int = 1, within: float = 5.0) -> list[AttemptRefused]:
    """Wait until so many refusals are on record."""
    deadline = time.monotonic() + within
    while len(gateway.events(AttemptRefused)) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    found = gateway.events(AttemptRefused)
    assert len(found) == count, found
    assert gateway.events(SessionOpened) == []
    return found


def answer(gateway: Access, *, user: str = PERSON, secret: str | None = None, database: str = TARGET) -> dict[str, str]:
    """The error that such a log-in gets."""
    kind, body = dial(gateway).log_in(user, secret or gateway.secret, database)[-1]
    assert kind == "E"
    return error_fields(body)


def test_whoever_comes_before_the_gateway_has_read_that_they_may_is_let_in(gateway: Access, credential: str) -> None:
    gateway.ledger.lag = 0.5
    gateway.secret = gateway.token()
    with gateway.psycopg() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert gateway.grant is not None
    gateway.end()
    gateway.grant = gateway.give(credential)
    with gateway.psycopg() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not gateway.events(AttemptRefused)


def test_a_wrong_password_gives_28p01_in_psycopg_asyncpg_and_psql(gateway: Access, server: Production) -> None:
    with pytest.raises(psycopg.OperationalError, match="FATAL"), gateway.psycopg(password="wrong"):
        pass

    async def by_asyncpg() -> None:
        await asyncpg.connect(
            host=gateway.host, port=gateway.port, user=PERSON, password="wrong", database=TARGET, ssl="require"
        )

    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(by_asyncpg())
    program, environment = psql_with_tls(server.binaries)
    settings = " ".join(f"{name}={value}" for name, value in gateway.dsn(password="wrong").items())
    done = subprocess.run(
        [program, "-X", settings, "-c", "SELECT 1"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "FATAL" in done.stderr
    assert {one.code for one in refused(gateway, 3)} == {"credentials.invalid"}


def test_an_unknown_name_gets_the_same_messages_as_a_wrong_password(gateway: Access) -> None:
    def shape(user: str) -> list[tuple[str, int]]:
        seen = dial(gateway).log_in(user, "wrong", TARGET)
        return [(kind, len(body)) for kind, body in seen]

    assert shape("alice") == shape("alicf")
    known, unknown = answer(gateway, secret="wrong"), answer(gateway, user="nobody", secret="wrong")
    assert known == unknown
    assert known["C"] == "28P01"


def test_any_of_several_tokens_lets_in_and_another_persons_does_not(gateway: Access) -> None:
    for secret in (gateway.token(), gateway.token(), gateway.secret):
        assert dial(gateway).log_in(PERSON, secret, TARGET)[-1][0] == "Z"
    foreign = gateway.token(PersonId("bob"))
    assert error_fields(dial(gateway).log_in(PERSON, foreign, TARGET)[-1][1])["C"] == "28P01"


def test_a_token_that_is_over_opens_nothing(gateway: Access) -> None:
    secret = gateway.token(life=timedelta(seconds=-1))
    assert answer(gateway, secret=secret)["C"] == "28P01"


def test_a_token_that_was_revoked_opens_nothing(gateway: Access) -> None:
    (issued,) = gateway.events(TokenIssued)
    gateway.append(token_stream(issued.token), TokenRevoked(token=issued.token, revoked_by=PERSON))
    assert answer(gateway)["C"] == "28P01"


def test_a_person_the_catalogue_does_not_know_is_not_let_in(gateway: Access) -> None:
    secret = gateway.token(PersonId("mallory"))
    assert answer(gateway, user="mallory", secret=secret)["C"] == "28P01"


def test_without_a_grant_the_error_says_how_to_ask(gateway: Access) -> None:
    fields = answer(gateway, user="bob", secret=gateway.token(PersonId("bob")))
    assert fields["C"] == "28000"
    assert "sojourn request" in fields["H"]
    assert [one.code for one in refused(gateway)] == ["grant.none_active"]


def test_a_grant_that_is_not_enforced_yet_does_not_open(gateway: Access, credential: str) -> None:
    gateway.give(credential, person=PersonId("bob"), provisioned=False)
    fields = answer(gateway, user="bob", secret=gateway.token(PersonId("bob")))
    assert fields["D"] == "grant.not_ready"


def test_two_roles_on_a_target_are_never_guessed(gateway: Access, credential: str) -> None:
    gateway.give(credential, role=RoleName("writer"))
    fields = answer(gateway)
    assert fields["D"] == "grant.ambiguous"
    assert "reader, writer" in fields["M"]
    refused(gateway)
    assert dial(gateway).log_in(f"{PERSON}+writer", gateway.secret, TARGET)[-1][0] == "Z"


def test_an_unknown_target_is_refused_by_name(gateway: Access) -> None:
    assert answer(gateway, database="elsewhere")["C"] == "3D000"


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"role": "postgres"}, "role"),
        ({"Session_Authorization": "postgres"}, "session_authorization"),
        ({"replication": "database"}, "replication"),
        ({"Replication": "true"}, "replication"),
        ({"options": "-c replication=database"}, "replication"),
        ({"options": "-c role=postgres"}, "role"),
        ({"options": "--session-authorization=postgres"}, "session_authorization"),
    ],
)
def test_parameters_that_would_change_who_the_session_is_are_refused_by_name(
    gateway: Access, parameters: dict[str, str], name: str
) -> None:
    kind, body = dial(gateway).log_in(PERSON, gateway.secret, TARGET, parameters=parameters)[-1]
    assert kind == "E"
    assert name in error_fields(body)["M"]
    refused(gateway)


def test_other_options_reach_the_target(gateway: Access) -> None:
    with gateway.psycopg(options="-c statement_timeout=7s -c search_path=shop", application_name="x") as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("7s",)
        assert connection.execute("SHOW search_path").fetchone() == ("shop",)
        assert connection.execute("SHOW application_name").fetchone() == ("x",)


def test_gss_encryption_is_declined_and_tls_follows(gateway: Access) -> None:
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as client:
        client.sendall(startup.gss_encryption_request())
        assert client.recv(1) == b"N"
        client.sendall(startup.ssl_request())
        assert client.recv(1) == b"S"


def test_without_tls_nobody_gets_as_far_as_a_password(gateway: Access) -> None:
    client = dial(gateway, tls=False)
    ((kind, body),) = client.log_in(PERSON, gateway.secret, TARGET)
    assert (kind, error_fields(body)["D"]) == ("E", "gateway.tls_required")
    refused(gateway)


def test_clear_text_behind_a_request_for_tls_is_refused(gateway: Access) -> None:
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as client:
        client.sendall(startup.ssl_request() + startup.startup_message({"user": PERSON, "database": TARGET}))
        assert b"unencrypted data after SSL request" in client.recv(1000)
    refused(gateway)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "an HTTP request"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH greeting"),
        (b"\xff" * 64, "something else"),
        (b"\x00\x00\x00\x09\x00\x02\x00\x00\x00", "frontend protocol"),
    ],
)
def test_what_is_no_postgresql_client_is_told_so_and_is_on_record(gateway: Access, data: bytes, words: str) -> None:
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as client:
        client.sendall(data)
        assert words.encode() in client.recv(1000)
    refused(gateway)


def test_a_name_of_any_characters_can_be_recorded(gateway: Access) -> None:
    assert answer(gateway, user="\x01\u2028😀" * 300, secret="wrong")["C"] == "28P01"
    (one,) = refused(gateway)
    assert one.actor.startswith("\x01\u2028😀")


def test_a_flood_of_attempts_is_on_record_as_a_count(gateway: Access) -> None:
    for _ in range(60):
        with socket.create_connection((gateway.host, gateway.port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.recv(1000)
    time.sleep(0.3)
    assert len(gateway.events(AttemptRefused)) == 30


class TestImpatient:
    """A gateway that waits for a second."""

    @pytest.fixture
    def settings(self) -> GatewaySettings:
        """One second for a hand-shake."""
        return GatewaySettings(port=0, handshake_seconds=1.0)

    def test_silent_clients_are_hung_up_on_and_do_not_keep_others_out(self, gateway: Access) -> None:
        silent = [socket.create_connection((gateway.host, gateway.port), timeout=10) for _ in range(200)]
        try:
            started = time.monotonic()
            client = dial(gateway)
            assert client.log_in(PERSON, gateway.secret, TARGET)[-1][0] == "Z"
            assert time.monotonic() - started < 1.0
            assert all(one.recv(1000)[-1:] in (b"", b"\0") for one in silent)
            client.send(query("SELECT 1"))
            assert client.until_ready() == "TDCZ"
        finally:
            for one in silent:
                one.close()

    def test_a_client_that_stops_in_the_middle_of_its_log_in_is_hung_up_on(self, gateway: Access) -> None:
        client = dial(gateway)
        client.send(startup.startup_message({"user": PERSON, "database": TARGET}))
        assert client.read()[0] == "R"
        kind, body = client.read()
        assert (kind, error_fields(body)["D"]) == ("E", "gateway.handshake_timeout")
        refused(gateway)
