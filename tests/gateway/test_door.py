"""Each way in that PostgreSQL itself has: newer protocols, TLS from the first byte, log-ins bound to the channel."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sojourn.domain.events import AttemptRefused, CloseCause, RequestSubmitted, RequestWithdrawn, SessionClosed
from sojourn.domain.identifiers import RequestId, TargetName, request_stream
from sojourn.domain.sealed import Sealed
from sojourn.domain.ssh import Host
from sojourn.domain.target import TargetKind
from sojourn.gateway.postgres import backend, frontend, startup
from sojourn.gateway.postgres.scram import ClientExchange, Mechanism
from sojourn.gateway.tls import ALPN, end_point_binding
from sojourn.settings import GatewaySettings

from .conftest import PERSON, ROLE, TARGET, Access, dial
from .raw import RawClient, error_fields, query


@pytest.mark.parametrize(("minor", "negotiated"), [(2, None), (3, 2), (9999, 2)])
def test_protocol_3_2_gets_a_long_cancel_key(gateway: Access, minor: int, negotiated: int | None) -> None:
    client = dial(gateway)
    seen = client.log_in(PERSON, gateway.secret, TARGET, minor=minor)
    assert seen[-1][0] == "Z"
    told = [body for kind, body in seen if kind == "v"]
    expected = [] if negotiated is None else [(3 << 16 | negotiated).to_bytes(4, "big") + bytes(4)]
    assert told == expected
    assert len(client.key) == 4 + 32


def test_protocol_3_0_with_unknown_options_is_told_which(gateway: Access) -> None:
    client = dial(gateway)
    seen = client.log_in(PERSON, gateway.secret, TARGET, parameters={"_pq_.unknown": "1"})
    assert seen[0] == ("v", (3 << 16).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"_pq_.unknown\0")
    assert seen[-1][0] == "Z"
    assert len(client.key) == 8


@pytest.mark.parametrize("minor", [0, 2])
def test_a_key_of_either_length_cancels(gateway: Access, minor: int) -> None:
    client = dial(gateway)
    client.log_in(PERSON, gateway.secret, TARGET, minor=minor)
    client.send(query("SELECT pg_sleep(20)"))
    time.sleep(0.3)
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as other:
        other.sendall(startup.cancel_request(int.from_bytes(client.key[:4], "big"), client.key[4:]))
        assert other.recv(1) == b""
    begun = time.monotonic()
    assert client.until_ready() == "TEZ"
    assert time.monotonic() - begun < 10


def test_libpq_18_opens_a_session_by_protocol_3_2(gateway: Access) -> None:
    assert psycopg.pq.version() >= 180000
    with gateway.psycopg(min_protocol_version="3.2", max_protocol_version="3.2") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_tls_from_the_first_byte_opens_a_session(gateway: Access) -> None:
    more = {"sslnegotiation": "direct", "sslmode": "verify-full", "sslrootcert": gateway.authority, "host": "localhost"}
    with gateway.psycopg(**more) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("alpn", [[], ["http/1.1"]])
def test_tls_from_the_first_byte_needs_the_name_of_the_protocol(gateway: Access, alpn: list[str]) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    plain = socket.create_connection((gateway.host, gateway.port), timeout=10)
    with context.wrap_socket(plain) as client:
        client.sendall(startup.startup_message({"user": PERSON, "database": TARGET}))
        answer = client.recv(1000)
    assert error_fields(answer[5:])["C"] == "08P01"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_nobody_can_go_on_with_an_earlier_tls_session(gateway: Access, version: ssl.TLSVersion) -> None:
    """In a session that is gone on with, nobody would look at the client's certificate again."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols([ALPN])
    earlier: ssl.SSLSession | None = None
    for _ in range(2):
        plain = socket.create_connection((gateway.host, gateway.port), timeout=30)
        with context.wrap_socket(plain, session=earlier) as client:
            client.sendall(startup.startup_message({"user": PERSON, "database": TARGET}))
            assert client.recv(1) == b"R"
            assert not client.session_reused
            earlier = client.session
            assert earlier is None or not earlier.has_ticket


@pytest.mark.parametrize("binding", ["require", "prefer", "disable"])
def test_a_log_in_can_be_bound_to_the_channel(gateway: Access, binding: str) -> None:
    with gateway.psycopg(channel_binding=binding) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def _start(gateway: Access, exchange: ClientExchange, mechanism: Mechanism) -> dict[str, str]:
    """Log in with an exchange of one's own; gives the fields of the error."""
    client = dial(gateway)
    client.send(startup.startup_message({"user": PERSON, "database": TARGET}))
    offered = backend.parse_authentication(client.read()[1]).mechanisms
    assert offered == (Mechanism.PLUS, Mechanism.PLAIN)
    client.send(frontend.sasl_initial_response(mechanism, exchange.first()))
    kind, body = client.read()
    if kind == "R":
        client.send(frontend.sasl_response(exchange.final(body[4:])))
        kind, body = client.read()
    assert kind == "E"
    return error_fields(body)


def test_a_log_in_through_somebody_elses_certificate_is_refused(gateway: Access) -> None:
    exchange = ClientExchange(gateway.secret, b"n" * 24, mechanism=Mechanism.PLUS, binding=b"x" * 32)
    assert _start(gateway, exchange, Mechanism.PLUS)["C"] == "28P01"


def test_a_client_from_whom_the_offer_to_bind_was_kept_is_refused(gateway: Access) -> None:
    exchange = ClientExchange(gateway.secret, b"n" * 24, mechanism=Mechanism.PLAIN, binding=b"x" * 32)
    assert _start(gateway, exchange, Mechanism.PLAIN)["C"] == "28P01"


def test_the_binding_is_the_hash_of_the_certificate_that_was_shown(gateway: Access) -> None:
    client = dial(gateway)
    assert isinstance(client.socket, ssl.SSLSocket)
    shown = client.socket.getpeercert(binary_form=True)
    assert shown is not None
    exchange = ClientExchange(gateway.secret, b"n" * 24, mechanism=Mechanism.PLUS, binding=end_point_binding(shown))
    client.send(startup.startup_message({"user": PERSON, "database": TARGET}))
    client.read()
    client.send(frontend.sasl_initial_response(Mechanism.PLUS, exchange.first()))
    client.send(frontend.sasl_response(exchange.final(client.read()[1][4:])))
    exchange.finish(client.read()[1][4:])
    assert client.until_ready().endswith("Z")


class TestDatabases:
    """A target that opens a second database."""

    @pytest.fixture
    def other(self, gateway: Access) -> str:
        """Its name."""
        gateway.adopt(replace(gateway.target, databases=("postgres",)))
        return "postgres"

    def test_another_database_is_opened_by_its_name(self, gateway: Access, other: str) -> None:
        with gateway.psycopg(dbname=f"{TARGET}/{other}") as connection:
            assert connection.execute("SELECT current_database()").fetchone() == (other,)
        with gateway.psycopg(dbname=f"{TARGET}/shop") as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("shop",)

    def test_a_database_that_is_not_opened_is_refused_by_name(self, gateway: Access, other: str) -> None:
        with pytest.raises(psycopg.OperationalError, match="does not open the database template1"):
            gateway.psycopg(dbname=f"{TARGET}/template1").__enter__()
        # The client is told first, and then it is recorded.
        until = time.monotonic() + 10
        while not gateway.events(AttemptRefused) and time.monotonic() < until:
            time.sleep(0.01)
        assert [one.code for one in gateway.events(AttemptRefused)] == ["target.database_unknown"]


class TestLimits:
    """A gateway that lets nobody idle for more than a second, nor stay for more than three."""

    @pytest.fixture
    def settings(self) -> GatewaySettings:
        """The limits."""
        return GatewaySettings(port=0, idle_seconds=1, session_seconds=3, warn_seconds=0)

    def test_an_idle_session_is_told_and_closed(self, gateway: Access, raw: RawClient) -> None:
        begun = time.monotonic()
        kind, body = raw.read()
        assert (kind, error_fields(body)["C"]) == ("E", "57P05")
        assert 0.8 < time.monotonic() - begun < 2.5
        with pytest.raises(ConnectionError):
            raw.read()

    def test_a_statement_that_runs_is_not_idle_and_a_session_is_over_at_its_limit(
        self, gateway: Access, raw: RawClient
    ) -> None:
        raw.send(query("SELECT pg_sleep(1.8)"))
        assert raw.until_ready() == "TDCZ"
        raw.send(query("SELECT pg_sleep(20)"))
        kinds = ""
        while kinds[-1:] != "E":
            kind, body = raw.read()
            kinds += kind
        assert error_fields(body)["C"] == "57P01"
        deadline = time.monotonic() + 5
        while not gateway.events(SessionClosed) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [one.cause for one in gateway.events(SessionClosed)] == [CloseCause.LIMIT_REACHED]


class TestWarning:
    """A gateway that warns two seconds before the end."""

    @pytest.fixture
    def settings(self) -> GatewaySettings:
        """Two seconds."""
        return GatewaySettings(port=0, warn_seconds=2)

    def test_a_client_is_warned_before_the_end_and_told_how_to_go_on(self, gateway: Access, credential: str) -> None:
        gateway.end()
        grant = gateway.give(credential, seconds=3.0)
        client = dial(gateway)
        assert client.log_in(PERSON, gateway.secret, TARGET)[-1][0] == "Z"
        begun = time.monotonic()
        kind, body = client.read()
        fields = error_fields(body)
        assert (kind, fields["S"]) == ("N", "WARNING")
        assert grant in fields["M"] and "sojourn request" in fields["M"]
        assert time.monotonic() - begun < 1.8
        client.send(query("SELECT 1"))
        assert client.until_ready() == "TDCZ"
        assert client.read()[0] == "E"


class TestWaiting:
    """A gateway where a client may wait for its access."""

    @pytest.fixture
    def settings(self) -> GatewaySettings:
        """Five seconds."""
        return GatewaySettings(port=0, wait_seconds=5, warn_seconds=0, link="https://access.example.com/")

    def _ask(self, gateway: Access) -> RequestId:
        request = RequestId("r-0000000001")
        now = datetime.now(UTC)
        event = RequestSubmitted(
            request=request,
            person=PERSON,
            target=TARGET,
            role=ROLE,
            duration=timedelta(hours=1),
            reason=Sealed(commitment="0" * 64, key="k"),
            digest="d",
            rules=(),
            groups=(),
            decide_by=now + timedelta(hours=1),
            activate_within=timedelta(hours=1),
            configuration_version=1,
            configuration_digest="c",
            source="test",
        )
        gateway.append(request_stream(request), event)
        return request

    def _knock(self, gateway: Access) -> tuple[RawClient, str]:
        """Log in up to the notice; gives what it says."""
        client = dial(gateway)
        client.send(startup.startup_message({"user": PERSON, "database": TARGET}))
        exchange = ClientExchange(gateway.secret, b"n" * 24)
        client.read()
        client.send(frontend.sasl_initial_response(Mechanism.PLAIN, exchange.first()))
        client.send(frontend.sasl_response(exchange.final(client.read()[1][4:])))
        assert client.kinds(2) == "RR"
        kind, body = client.read()
        assert kind == "N"
        return client, error_fields(body)["M"]

    def test_who_comes_too_early_waits_and_is_let_in_when_the_access_is_there(
        self, gateway: Access, credential: str
    ) -> None:
        gateway.end()
        request = self._ask(gateway)
        client, said = self._knock(gateway)
        assert request in said
        assert f"https://access.example.com/requests/{request} and" in said
        gateway.give(credential)
        assert client.until_ready().endswith("KZ")
        client.send(query("SELECT 1"))
        assert client.until_ready() == "TDCZ"

    def test_who_waits_in_vain_is_told_so(self, gateway: Access) -> None:
        gateway.end()
        self._ask(gateway)
        client, _ = self._knock(gateway)
        begun = time.monotonic()
        kind, body = client.read()
        assert (kind, error_fields(body)["C"]) == ("E", "28000")
        assert time.monotonic() - begun > 3

    def test_without_a_request_nobody_waits(self, gateway: Access) -> None:
        gateway.end()
        request = self._ask(gateway)
        gateway.append(request_stream(request), RequestWithdrawn(request=request, person=PERSON, source="test"))
        begun = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            gateway.psycopg().__enter__()
        assert time.monotonic() - begun < 3


def test_an_ssh_host_is_not_opened_as_a_database(gateway: Access) -> None:
    gateway.adopt(gateway.target, replace(gateway.target, name=TargetName("web-1"), kind=TargetKind.SSH, ssh=Host()))
    with pytest.raises(psycopg.OperationalError, match="web-1"), gateway.psycopg(dbname="web-1"):
        pass
