"""The frame: splitting a client's stream, however it arrives."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.gateway.postgres.frontend import AUTHENTICATION_LIMITS, session_limits
from sojourn.gateway.postgres.wire import Frame, Reader, Splitter, WireError, message, terminated

CLIENT = (Path(__file__).parent / "captures" / "session_client.bin").read_bytes()
LIMITS = session_limits(1 << 16)


def collect(splitter: Splitter, chunks: list[bytes]) -> list[Frame]:
    return [frame for chunk in chunks for frame in splitter.feed(chunk)]


def kinds(frames: list[Frame]) -> str:
    return "".join(chr(frame.kind) for frame in frames if frame.kind != ord("d"))


def messages_one_by_one(stream: bytes) -> list[bytes]:
    found, position = [], 0
    while position < len(stream):
        end = position + 1 + int.from_bytes(stream[position + 1 : position + 5], "big")
        found.append(stream[position:end])
        position = end
    return found


def test_a_captured_client_stream_splits_the_same_at_every_byte_boundary() -> None:
    expected = [raw for raw in messages_one_by_one(CLIENT) if raw[:1] != b"d"]
    copies = sum(raw[:1] == b"d" for raw in messages_one_by_one(CLIENT))
    assert copies == 4
    for cut in range(len(CLIENT) + 1):
        splitter = Splitter(LIMITS)
        frames = collect(splitter, [CLIENT[:cut], CLIENT[cut:]])
        assert b"".join(frame.raw for frame in frames) == CLIENT
        assert [frame.raw for frame in frames if frame.kind != ord("d")] == expected
        assert sum(frame.messages for frame in frames if frame.kind == ord("d")) == copies
        assert splitter.at_boundary and splitter.buffered == 0


def test_a_captured_client_stream_arrives_whole_one_byte_at_a_time() -> None:
    splitter = Splitter(LIMITS)
    frames = collect(splitter, [bytes((byte,)) for byte in CLIENT])
    assert b"".join(frame.raw for frame in frames) == CLIENT
    assert sum(frame.messages for frame in frames if frame.kind == ord("d")) == 4


def test_a_large_copy_message_passes_in_pieces_and_is_never_collected() -> None:
    body = b"x" * 1_000_000
    stream = message(b"d", body) + message(b"c")
    splitter = Splitter(LIMITS)
    frames: list[Frame] = []
    for start in range(0, len(stream), 4096):
        frames += splitter.feed(stream[start : start + 4096])
        assert splitter.buffered < 5
    copies = [frame for frame in frames if frame.kind == ord("d")]
    assert [frame.messages for frame in copies] == [1] + [0] * (len(copies) - 1)
    assert [frame.complete for frame in copies] == [False] * (len(copies) - 1) + [True]
    assert b"".join(frame.raw for frame in frames) == stream
    assert kinds(frames) == "c"


def test_neighbouring_copy_messages_come_as_one_run() -> None:
    stream = message(b"d", b"a") * 100 + message(b"c")
    frames = Splitter(LIMITS).feed(stream)
    assert [(frame.kind, frame.messages) for frame in frames] == [(ord("d"), 100), (ord("c"), 1)]


def test_flush_and_sync_among_copy_data_keep_their_place() -> None:
    parts = [message(b"d", b"1\n"), message(b"H"), message(b"d", b"2\n"), message(b"S"), message(b"c")]
    assert [frame.raw for frame in Splitter(LIMITS).feed(b"".join(parts))] == parts


@pytest.mark.parametrize("length", [0, 1, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [b"Q", b"d"])
def test_a_length_that_cannot_be_is_refused_for_good(kind: bytes, length: int) -> None:
    splitter = Splitter(LIMITS)
    with pytest.raises(WireError) as refused:
        splitter.feed(kind + length.to_bytes(4, "big") + b"select 1")
    assert refused.value.sqlstate == "08P01"
    with pytest.raises(WireError):
        splitter.feed(message(b"Q", b"select 1\0"))
    assert splitter.buffered == 0


def test_a_statement_over_the_limit_is_refused_from_its_header_alone() -> None:
    splitter = Splitter(LIMITS)
    with pytest.raises(WireError, match="exceeds the limit of 65536") as refused:
        splitter.feed(b"Q" + (70_000).to_bytes(4, "big"))
    assert refused.value.sqlstate == "54000"


def test_an_unknown_type_is_refused_at_its_first_byte() -> None:
    with pytest.raises(WireError, match="invalid message type"):
        Splitter(LIMITS).feed(b"G")


def test_before_authentication_only_short_password_messages_pass() -> None:
    for stream in (message(b"Q", b"select 1\0"), message(b"p", b"x" * 2_000), message(b"d", b"x")):
        with pytest.raises(WireError):
            Splitter(AUTHENTICATION_LIMITS).feed(stream)
    assert Splitter(AUTHENTICATION_LIMITS).feed(message(b"p", b"x"))[0].payload == b"x"


@given(st.lists(st.binary(max_size=200), max_size=30))
def test_whatever_arrives_raises_only_wire_errors_and_holds_bounded_memory(chunks: list[bytes]) -> None:
    splitter = Splitter(session_limits(100))
    try:
        for chunk in chunks:
            splitter.feed(chunk)
            assert splitter.buffered <= 10_005
    except WireError as error:
        assert error.sqlstate in ("08P01", "54000")


@given(
    st.lists(st.tuples(st.sampled_from([b"Q", b"d", b"S", b"B"]), st.binary(max_size=60)), max_size=30),
    st.lists(st.integers(min_value=1, max_value=50), min_size=1, max_size=20),
)
def test_any_stream_in_any_pieces_is_forwarded_byte_for_byte(
    parts: list[tuple[bytes, bytes]], sizes: list[int]
) -> None:
    stream = b"".join(message(kind, body) for kind, body in parts)
    chunks, position, turn = [], 0, 0
    while position < len(stream):
        chunks.append(stream[position : position + sizes[turn % len(sizes)]])
        position += len(chunks[-1])
        turn += 1
    splitter = Splitter(session_limits(1_000) | {ord("S"): 100})
    frames = collect(splitter, chunks)
    assert b"".join(frame.raw for frame in frames) == stream
    assert sum(frame.messages for frame in frames) == len(parts)
    assert all(frame.complete for frame in frames if frame.kind != ord("d"))


def test_a_nul_inside_a_string_is_refused_when_encoding() -> None:
    with pytest.raises(WireError):
        terminated("a\0b")


def test_a_reader_refuses_what_is_missing_and_what_is_left() -> None:
    with pytest.raises(WireError, match="insufficient data"):
        Reader(b"\0", "Bind").int16()
    with pytest.raises(WireError, match="not terminated"):
        Reader(b"abc", "Query").string()
    with pytest.raises(WireError, match="1 bytes after"):
        Reader(b"x", "Sync").end()
