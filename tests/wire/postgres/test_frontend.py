"""What a client sends: each message round trips, and what is malformed is refused."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.gateway.postgres import frontend
from sojourn.gateway.postgres.frontend import (
    Bind,
    Close,
    Describe,
    Execute,
    FunctionCall,
    Parse,
    Query,
    SaslInitial,
)
from sojourn.gateway.postgres.wire import WireError

BIND = b"gate\0plus\0" + struct.pack(">HHHi", 1, 1, 2, 4) + b"\0\0\0\x29" + struct.pack(">iHH", -1, 1, 0)
CALL = struct.pack(">IHHHi", 4_000_000_000, 1, 1, 1, 3) + b"abc" + struct.pack(">H", 1)


def test_a_query_is_the_text_up_to_its_end() -> None:
    assert frontend.parse_query(frontend.query("select 'ü'")[5:]) == Query(sql="select 'ü'".encode())


def test_a_query_with_a_second_text_behind_its_end_is_refused() -> None:
    with pytest.raises(WireError):
        frontend.parse_query(b"select 1\0drop table t\0")


def test_parse_gives_name_text_and_types() -> None:
    body = b"s1\0select $1\0" + struct.pack(">HII", 2, 23, 4_294_967_295)
    assert frontend.parse_parse(body) == Parse(statement=b"s1", sql=b"select $1", types=(23, 4_294_967_295))


def test_bind_names_the_portal_before_the_statement_and_tells_null_from_empty() -> None:
    assert frontend.parse_bind(BIND) == Bind(
        portal=b"gate", statement=b"plus", formats=(1,), values=(b"\0\0\0\x29", None), result_formats=(0,)
    )
    empty = frontend.parse_bind(b"\0\0" + struct.pack(">HHiH", 0, 1, 0, 0))
    assert empty.values == (b"",)


def test_bound_values_stay_out_of_the_repr() -> None:
    assert "x29" not in repr(frontend.parse_bind(BIND))
    assert "abc" not in repr(frontend.parse_function_call(CALL))


def test_execute_describe_and_close_are_read() -> None:
    assert frontend.parse_execute(b"gate\0\0\0\0\x32") == Execute(portal=b"gate", rows_max=50)
    assert frontend.parse_execute(b"\0\xff\xff\xff\xff") == Execute(portal=b"", rows_max=0)
    assert frontend.parse_describe(b"Ss1\0") == Describe(portal=False, name=b"s1")
    assert frontend.parse_close(b"P\0") == Close(portal=True, name=b"")


def test_a_function_call_is_read_with_its_object_id() -> None:
    assert frontend.parse_function_call(CALL) == FunctionCall(
        function=4_000_000_000, formats=(1,), values=(b"abc",), result_format=1
    )


def test_sasl_messages_round_trip() -> None:
    encoded = frontend.sasl_initial_response("SCRAM-SHA-256", b"n,,n=,r=abc")
    assert frontend.parse_sasl_initial(encoded[5:]) == SaslInitial(mechanism="SCRAM-SHA-256", data=b"n,,n=,r=abc")
    assert frontend.parse_sasl_initial(b"X\0\xff\xff\xff\xff").data is None
    assert frontend.sasl_response(b"c=biws") == b"p\0\0\0\x0ac=biws"


def test_short_messages_are_encoded_and_copy_fail_is_read() -> None:
    assert frontend.sync() == b"S\0\0\0\4"
    assert frontend.terminate() == b"X\0\0\0\4"
    frontend.parse_empty(b"", "Sync")
    assert frontend.parse_copy_fail(b"no more\0") == b"no more"


@pytest.mark.parametrize(
    ("parse", "body"),
    [
        (frontend.parse_query, b"select 1"),
        (frontend.parse_parse, b"s\0select 1\0\0\2\0\0\0\1"),
        (frontend.parse_bind, BIND[:-1]),
        (frontend.parse_bind, BIND + b"x"),
        (frontend.parse_bind, b"\0\0" + struct.pack(">HHiH", 0, 1, -2, 0)),
        (frontend.parse_bind, b"\0\0" + struct.pack(">HHH", 1, 7, 0) + b"\0\0"),
        (frontend.parse_bind, b"\0\0" + struct.pack(">HHHHH", 2, 0, 0, 0, 0)),
        (frontend.parse_bind, b"\0\0" + struct.pack(">HHi", 0, 1, 0x7FFFFFFF)),
        (frontend.parse_execute, b"\0\0\0\0"),
        (frontend.parse_describe, b"X\0"),
        (frontend.parse_close, b""),
        (frontend.parse_function_call, CALL[:-1]),
        (frontend.parse_function_call, CALL[:-1] + b"\2"),
        (frontend.parse_sasl_initial, b"SCRAM-SHA-256\0\xff\xff\xff\xfe"),
        (frontend.parse_sasl_initial, "ü".encode() + b"\0\xff\xff\xff\xff"),
        (frontend.parse_copy_fail, b"x"),
    ],
)
def test_a_malformed_message_is_refused(parse: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(WireError):
        parse(body)


def test_a_body_where_none_belongs_is_refused() -> None:
    with pytest.raises(WireError):
        frontend.parse_empty(b"x", "Flush")


PARSERS = [
    frontend.parse_query,
    frontend.parse_parse,
    frontend.parse_bind,
    frontend.parse_execute,
    frontend.parse_describe,
    frontend.parse_close,
    frontend.parse_function_call,
    frontend.parse_copy_fail,
    frontend.parse_sasl_initial,
]


@given(st.sampled_from(PARSERS), st.binary(max_size=120))
def test_any_body_raises_only_wire_errors(parse: Callable[[bytes], object], body: bytes) -> None:
    for data in (body, b"\0\0" + body, b"a\0b\0" + body):
        try:
            parse(data)
        except WireError as error:
            assert error.sqlstate == "08P01"


@given(
    st.binary(max_size=10).filter(lambda raw: 0 not in raw),
    st.lists(st.none() | st.binary(max_size=20), max_size=20),
    st.sampled_from([0, 1]),
)
def test_any_values_come_back_from_bind(name: bytes, values: list[bytes | None], code: int) -> None:
    body = name + b"\0" + name + b"\0" + struct.pack(">HHH", 1, code, len(values))
    for value in values:
        body += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    parsed = frontend.parse_bind(body + b"\0\0")
    assert parsed.values == tuple(values)
    assert parsed.portal == parsed.statement == name


@given(
    st.binary(max_size=4).filter(lambda raw: 0 not in raw),
    st.lists(st.integers(-1, 2), max_size=3),
    st.lists(st.none() | st.binary(max_size=6), max_size=3),
    st.lists(st.integers(0, 1), max_size=2),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=2),
    st.integers(-3, 2),
)
@settings(max_examples=1_000)
def test_a_bind_read_in_one_go_is_the_bind_read_field_by_field(
    name: bytes,
    formats: list[int],
    values: list[bytes | None],
    results: list[int],
    spoilt: list[tuple[int, int]],
    cut: int,
) -> None:
    body = bytearray(name + b"\0" + name + b"\0" + struct.pack(f">H{len(formats)}h", len(formats), *formats))
    body += struct.pack(">H", len(values))
    for value in values:
        body += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    body += struct.pack(f">H{len(results)}h", len(results), *results)
    for place, byte in spoilt:
        body[place % len(body)] = byte
    data = bytes(body[:cut] if cut < 0 else body + bytes(cut))

    def read(parse: Callable[[bytes], object]) -> object:
        try:
            return parse(data)
        except WireError as error:
            return str(error)

    assert read(frontend.parse_bind) == read(frontend.read_bind)


def test_a_bind_shows_no_values() -> None:
    assert "secret" not in repr(Bind(portal=b"", statement=b"s", values=(b"secret",)))
