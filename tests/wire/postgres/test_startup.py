"""The first packets of a connection, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.gateway.postgres.startup import (
    CancelRequest,
    GssEncRequest,
    Sniff,
    SslRequest,
    StartupMessage,
    cancel_request,
    describe,
    gss_encryption_request,
    parse_startup,
    settings_in_options,
    sniff,
    ssl_request,
    startup_length,
    startup_message,
)
from sojourn.gateway.postgres.wire import WireError


def packet(body: bytes) -> bytes:
    return (len(body) + 4).to_bytes(4, "big") + body


def test_a_startup_message_round_trips_with_its_protocol_options_apart() -> None:
    encoded = startup_message(
        {"user": "alice", "database": "shop", "application_name": "psql ü"},
        minor=9999,
        options={"_pq_.test_protocol_negotiation": ""},
    )
    assert parse_startup(encoded) == StartupMessage(
        major=3,
        minor=9999,
        parameters={"user": "alice", "database": "shop", "application_name": "psql ü"},
        options={"_pq_.test_protocol_negotiation": ""},
    )


def test_parameters_of_jdbc_and_odbc_are_kept() -> None:
    parameters = {"user": "a", "extra_float_digits": "2", "default_transaction_isolation": "x", "geqo": "on"}
    parsed = parse_startup(startup_message(parameters))
    assert isinstance(parsed, StartupMessage)
    assert parsed.parameters == parameters


def test_tls_and_gss_requests_of_eight_bytes_are_understood() -> None:
    assert parse_startup(ssl_request()) == SslRequest()
    assert parse_startup(gss_encryption_request()) == GssEncRequest()
    assert gss_encryption_request() == bytes.fromhex("0000000804d21630")


@pytest.mark.parametrize("size", [4, 32, 256])
def test_a_cancel_request_round_trips_with_short_and_long_secrets(size: int) -> None:
    parsed = parse_startup(cancel_request(-7, b"s" * size))
    assert parsed == CancelRequest(pid=-7, secret=b"s" * size)
    assert "sss" not in repr(parsed)


@pytest.mark.parametrize("size", [0, 3, 257])
def test_a_cancel_request_with_a_secret_of_impossible_length_is_refused(size: int) -> None:
    with pytest.raises(WireError):
        cancel_request(1, b"s" * size)
    with pytest.raises(WireError):
        parse_startup(packet(bytes.fromhex("04d2162e") + b"\0\0\0\1" + b"s" * size))


@pytest.mark.parametrize(
    ("body", "sqlstate"),
    [
        (b"\0\2\0\0user\0a\0\0", "0A000"),
        (b"\0\3\0\0user\0a\0", "08P01"),
        (b"\0\3\0\0user\0a\0\0x", "08P01"),
        (b"\0\3\0\0user\0a\0user\0b\0\0", "08P01"),
        (b"\0\3\0\0user\0\xff\xfe\0\0", "22021"),
        (b"\0\3\0\0user", "08P01"),
        (bytes.fromhex("04d20001"), "08P01"),
        (bytes.fromhex("04d2162f") + b"x", "08P01"),
        (b"\0\3", "08P01"),
    ],
)
def test_a_malformed_startup_packet_is_refused_with_its_state(body: bytes, sqlstate: str) -> None:
    with pytest.raises(WireError) as refused:
        parse_startup(packet(body))
    assert refused.value.sqlstate == sqlstate


@pytest.mark.parametrize("length", [0, 7, 10_001, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_startup_length_out_of_bounds_is_refused_before_anything_is_read(length: int) -> None:
    with pytest.raises(WireError):
        startup_length(length.to_bytes(4, "big"))
    assert startup_length((10_000).to_bytes(4, "big")) == 10_000


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"", Sniff.INCOMPLETE),
        (b"\x16\x03\x01", Sniff.INCOMPLETE),
        (b"\x16\x03\x01\x02\x00", Sniff.TLS),
        (b"GET / HTTP/1.1\r\n", Sniff.HTTP),
        (b"POST /api", Sniff.HTTP),
        (b"PRI * HTTP/2.0", Sniff.HTTP),
        (b"SSH-2.0-OpenSSH", Sniff.SSH),
        (b"PROXY TCP4 1.2.3.4", Sniff.PROXY),
        (b"\r\n\r\n\0\r\nQUIT\n", Sniff.PROXY),
        (b"\0\0\0\x08\x04\xd2\x16\x2f", Sniff.STARTUP),
        (b"\0\0\0\x07", Sniff.GARBAGE),
        (b"\xff\xff\xff\xff", Sniff.GARBAGE),
        (b"\0\0\0\0", Sniff.GARBAGE),
    ],
)
def test_the_first_bytes_tell_what_the_client_speaks(first: bytes, expected: Sniff) -> None:
    assert sniff(first) is expected
    assert describe(expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ()),
        ("-c role=admin", (("role", "admin"),)),
        ("-crole=admin", (("role", "admin"),)),
        ("  --Search-Path=a\\ b  -c geqo=off", (("search_path", "a b"), ("geqo", "off"))),
        ("-c a=\\\\", (("a", "\\"),)),
    ],
)
def test_a_setting_cannot_hide_in_the_options(options: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert settings_in_options(options) == expected


@pytest.mark.parametrize("options", ["-c", "-d 5", "role=admin", "-c role", "-c =x", "--", "-F"])
def test_a_switch_that_is_no_setting_is_refused(options: str) -> None:
    with pytest.raises(WireError):
        settings_in_options(options)


@given(st.binary(max_size=300))
def test_any_packet_raises_only_wire_errors(body: bytes) -> None:
    for data in (body, packet(body), packet(b"\0\3\0\0" + body), packet(bytes.fromhex("04d2162e") + body)):
        sniff(data)
        try:
            parse_startup(data)
        except WireError as error:
            assert error.sqlstate in ("08P01", "0A000", "22021")


@given(st.text(max_size=100))
def test_any_options_raise_only_wire_errors(options: str) -> None:
    try:
        settings_in_options(options)
    except WireError as error:
        assert error.sqlstate == "08P01"


def test_a_startup_message_that_no_server_would_take_is_not_encoded() -> None:
    for parameters in ({"": "x"}, {"user": "a\0b"}, {"user": "x" * 10_000}):
        with pytest.raises(WireError):
            startup_message(parameters)
