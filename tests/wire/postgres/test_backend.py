"""What a server sends: each message round trips, and a hostile target can only raise `WireError`."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.gateway.postgres import backend
from sojourn.gateway.postgres.backend import (
    Authentication,
    AuthenticationCode,
    BackendKey,
    Completion,
    Severity,
    Status,
)
from sojourn.gateway.postgres.wire import WireError, message


def test_each_step_of_a_login_round_trips() -> None:
    parse = backend.parse_authentication
    assert parse(backend.authentication_ok()[5:]) == Authentication(code=AuthenticationCode.OK)
    assert parse(backend.authentication_sasl(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])[5:]) == Authentication(
        code=AuthenticationCode.SASL, mechanisms=("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
    )
    assert parse(backend.authentication_sasl_continue(b"r=x")[5:]).data == b"r=x"
    assert parse(backend.authentication_sasl_final(b"v=x")[5:]).code == AuthenticationCode.SASL_FINAL


def test_an_error_round_trips_with_severity_state_text_detail_and_hint() -> None:
    encoded = backend.error_response(
        "57P01", "grant g-1 is over", severity=Severity.FATAL, detail="ended 12:00", hint="ask again"
    )
    assert encoded[:1] == b"E"
    assert backend.parse_error(encoded[5:]) == {
        "S": "FATAL",
        "V": "FATAL",
        "C": "57P01",
        "M": "grant g-1 is over",
        "D": "ended 12:00",
        "H": "ask again",
    }
    assert backend.notice_response("01000", "look", hint="there")[:1] == b"N"


def test_an_error_may_quote_a_nul_and_needs_a_real_state() -> None:
    assert backend.parse_error(backend.error_response("08P01", "a\0b")[5:])["M"] == "a\\0b"
    with pytest.raises(WireError):
        backend.error_response("oops", "x")


def test_key_status_and_parameters_round_trip() -> None:
    for size in (4, 32, 256):
        encoded = backend.backend_key_data(77, b"k" * size)
        assert backend.parse_backend_key_data(encoded[5:]) == BackendKey(pid=77, secret=b"k" * size)
    assert backend.parse_parameter_status(backend.parameter_status("TimeZone", "UTC")[5:]) == ("TimeZone", "UTC")
    for status in Status:
        assert backend.parse_ready_for_query(backend.ready_for_query(status)[5:]) is status


def test_a_protocol_negotiation_has_the_bytes_that_postgresql_sends() -> None:
    encoded = backend.negotiate_protocol_version(0, ["_pq_.test_protocol_negotiation"])
    assert encoded == message(b"v", b"\0\3\0\0" + b"\0\0\0\1" + b"_pq_.test_protocol_negotiation\0")
    assert backend.parse_negotiate_protocol_version(encoded[5:]) == (0, ("_pq_.test_protocol_negotiation",))


@pytest.mark.parametrize("secret", [b"", b"abc", b"x" * 257])
def test_a_key_of_impossible_length_is_refused_in_both_directions(secret: bytes) -> None:
    with pytest.raises(WireError):
        backend.backend_key_data(1, secret)
    with pytest.raises(WireError):
        backend.parse_backend_key_data(b"\0\0\0\1" + secret)


@pytest.mark.parametrize(
    ("tag", "rows"),
    [
        ("SELECT 5", 5),
        ("INSERT 0 3", 3),
        ("UPDATE 0", 0),
        ("COPY 1000000", 1_000_000),
        ("FETCH 50", 50),
        ("CREATE TABLE", None),
        ("BEGIN", None),
        ("", None),
    ],
)
def test_a_command_tag_names_its_rows_or_none(tag: str, rows: int | None) -> None:
    assert backend.parse_command_complete(tag.encode() + b"\0") == Completion(tag=tag, rows=rows)


def test_hostile_tags_and_errors_are_cut_and_never_raise() -> None:
    assert len(backend.parse_command_complete(b"SELECT " + b"9" * 100_000).tag) == 64
    assert backend.parse_command_complete(b"SELECT " + b"9" * 50).rows is None
    assert backend.parse_command_complete("SELECT ٣".encode()).rows is None
    assert len(backend.parse_error(b"M" + b"x" * 1_000_000)["M"]) == 8_192
    many = b"".join(bytes((65 + n % 26, 120, 0)) for n in range(100_000))
    assert len(backend.parse_error(many)) <= 32
    assert backend.parse_error(b"Cfirst\0Csecond\0") == {"C": "first"}
    assert backend.parse_error(b"") == {}


@given(st.binary(max_size=2_000))
def test_a_report_of_any_bytes_is_read_without_an_error(body: bytes) -> None:
    fields = backend.parse_error(body)
    assert len(fields) <= 32
    assert len(backend.parse_command_complete(body).tag) <= 64 * 4


PARSERS = [
    backend.parse_authentication,
    backend.parse_backend_key_data,
    backend.parse_parameter_status,
    backend.parse_ready_for_query,
    backend.parse_negotiate_protocol_version,
]


@given(st.sampled_from(PARSERS), st.binary(max_size=200))
def test_any_body_of_a_target_raises_only_wire_errors(parse: Callable[[bytes], object], body: bytes) -> None:
    for data in (body, b"\0\0\0\x0a" + body, b"\0\0\0\3\xff\xff\xff\xff" + body):
        try:
            parse(data)
        except WireError as error:
            assert error.sqlstate == "08P01"
