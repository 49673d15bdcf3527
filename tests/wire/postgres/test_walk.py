"""Following a target's stream: the same events and counts, however it is cut; impossible headers end it."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sojourn.gateway.postgres import backend
from sojourn.gateway.postgres.walk import EVENT_KINDS, BackendWalker, Event
from sojourn.gateway.postgres.wire import WireError, message

SERVER = (Path(__file__).parent / "captures" / "session_server.bin").read_bytes()

Told = tuple[int, bytes, int, int, int, int, int]


def without_offsets(events: list[Event]) -> list[Told]:
    return [
        (each.kind, each.payload, each.length, each.rows, each.row_bytes, each.copies, each.copy_bytes)
        for each in events
    ]


def told_slowly(stream: bytes) -> list[Told]:
    """The oracle: one message after the other, with slices."""
    told: list[Told] = []
    rows = row_bytes = copies = copy_bytes = position = 0
    while position < len(stream):
        kind, length = stream[position], int.from_bytes(stream[position + 1 : position + 5], "big")
        body = stream[position + 5 : position + 1 + length]
        position += 1 + length
        if kind == ord("D"):
            rows, row_bytes = rows + 1, row_bytes + length + 1
        elif kind == ord("d"):
            copies, copy_bytes = copies + 1, copy_bytes + length + 1
        elif kind in EVENT_KINDS:
            told.append((kind, body, length, rows, row_bytes, copies, copy_bytes))
            rows = row_bytes = copies = copy_bytes = 0
    return told


def walk(stream: bytes, size: int) -> list[Told]:
    walker = BackendWalker()
    events = [each for start in range(0, len(stream), size) for each in walker.walk(stream[start : start + size])]
    assert walker.at_boundary
    return without_offsets(events)


def test_a_captured_server_stream_is_told_in_order() -> None:
    told = "".join(chr(event.kind) for event in BackendWalker().walk(SERVER))
    assert told.startswith("vRS")
    assert "12C1EZ" in told, "the statement after a failed one is not run"
    assert "12ssZ" in told, "a portal is suspended twice"
    assert "HcCZGEZGEZIZN" in told, "copy out, two copies in that fail, the empty query, a notice"
    assert "VZ" in told
    assert told_slowly(SERVER) == walk(SERVER, len(SERVER))


def test_a_captured_server_stream_is_told_the_same_at_every_byte_boundary() -> None:
    expected = told_slowly(SERVER)
    for cut in range(len(SERVER) + 1):
        walker = BackendWalker()
        events = walker.walk(SERVER[:cut]) + walker.walk(SERVER[cut:])
        assert without_offsets(events) == expected
        assert walker.at_boundary


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 64, 1000])
def test_a_captured_server_stream_is_told_the_same_in_chunks_of(size: int) -> None:
    assert walk(SERVER, size) == told_slowly(SERVER)


def test_offsets_tell_where_a_message_stands_in_its_chunk() -> None:
    stream = message(b"D", b"row") + backend.ready_for_query()
    (event,) = BackendWalker().walk(stream)
    assert (event.start, event.end) == (8, 14)
    walker = BackendWalker()
    assert walker.walk(stream[:10]) == []
    assert not walker.at_boundary
    (event,) = walker.walk(stream[10:])
    assert (event.start, event.end) == (-2, 4)
    assert event.rows == 1


def test_rows_are_counted_in_long_runs_of_equal_and_unequal_length() -> None:
    for rows in ([b"12345"] * 5_000, [b"1" * (n % 7) for n in range(5_000)], [b"x" * 70_000] * 3):
        stream = b"".join(message(b"D", row) for row in rows) + message(b"C", b"SELECT\0")
        for size in (4096, 65_536, len(stream)):
            assert walk(stream, size) == told_slowly(stream)
    assert walk(message(b"D", b"12345") * 5_000 + backend.ready_for_query(), 1 << 20)[0][3] == 5_000


def test_a_run_of_equal_rows_ends_at_a_header_that_differs_in_any_byte() -> None:
    row = message(b"D", b"12345")
    for end in (message(b"C", b"12345"), message(b"d", b"12345"), message(b"D", b"123456")):
        stream = row * 12 + end + row * 100 + message(b"C", b"SELECT 1\0")
        assert walk(stream, len(stream)) == told_slowly(stream)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_a_longer_row_after_a_run_of_equal_ones_is_not_taken_for_one_of_them(offset: int) -> None:
    row = bytearray(message(b"D", b"12345"))
    longer = row.copy()
    longer[offset] ^= 0x10
    walker = BackendWalker()
    # The longer one stands inside the block that is compared at once, with plenty of equal ones behind it.
    assert walker.walk(bytes(row * 12 + longer + row * 100)[: 12 * len(row) + 400]) == []
    assert (walker.rows, walker.at_boundary) == (13, False)
    assert walker.row_bytes == 12 * len(row) + 1 + int.from_bytes(longer[1:5], "big")


def test_rows_stay_uncopied_and_events_are_cut_at_their_limit() -> None:
    walker = BackendWalker(payload_max=100)
    stream = message(b"E", b"M" + b"x" * 1_000_000) + backend.ready_for_query()
    events: list[Event] = []
    for start in range(0, len(stream), 1_000):
        events += walker.walk(stream[start : start + 1_000])
        assert len(walker._held) <= 105
    assert [(chr(event.kind), len(event.payload)) for event in events] == [("E", 100), ("Z", 1)]
    assert events[0].length == 1_000_005
    assert len(BackendWalker(payload_max=100).walk(stream)[0].payload) == 100


def test_only_the_kinds_asked_for_come_back() -> None:
    walker = BackendWalker(frozenset(b"CEZ"))
    assert {event.kind for event in walker.walk(SERVER)} == set(b"CEZ")
    walker = BackendWalker(frozenset(b"CEZ"))
    one_by_one = [event for byte in SERVER for event in walker.walk(bytes((byte,)))]
    whole = BackendWalker(frozenset(b"CEZ")).walk(SERVER)
    assert without_offsets(one_by_one) == without_offsets(whole)


def test_other_buffers_are_walked_like_bytes() -> None:
    for chunk in (bytearray(SERVER), memoryview(SERVER)):
        assert without_offsets(BackendWalker().walk(chunk)) == told_slowly(SERVER)


@pytest.mark.parametrize("length", [0, 1, 3, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [b"D", b"d", b"C", b"E", b"A", b"Z"])
@pytest.mark.parametrize("before", [b"", message(b"D", b"12345") * 50])
@pytest.mark.parametrize("cut", [None, 2])
def test_a_length_that_cannot_be_ends_the_stream(kind: bytes, length: int, before: bytes, cut: int | None) -> None:
    walker = BackendWalker()
    header = kind + length.to_bytes(4, "big")
    with pytest.raises(WireError) as refused:
        if cut is None:
            walker.walk(before + header + b"x" * 40)
        else:
            walker.walk(before + header[:cut])
            walker.walk(header[cut:] + b"x" * 40)
    assert refused.value.sqlstate == "08P01"
    with pytest.raises(WireError):
        walker.walk(backend.ready_for_query())


def test_an_unknown_message_type_ends_the_stream() -> None:
    with pytest.raises(WireError, match="unknown message type"):
        BackendWalker().walk(message(b"x", b"what"))


BODIES = st.tuples(st.sampled_from([b"D", b"d", b"C", b"Z", b"A", b"T", b"D", b"D"]), st.binary(max_size=12))


@given(
    st.lists(BODIES | st.integers(min_value=0, max_value=8).map(lambda n: (b"D", b"x" * n)), max_size=40),
    st.integers(min_value=1, max_value=40),
    st.integers(min_value=1, max_value=60),
)
@example(parts=[(b"D", b"")], size=3, times=60)
def test_any_stream_in_any_chunks_is_told_as_the_oracle_tells_it(
    parts: list[tuple[bytes, bytes]], size: int, times: int
) -> None:
    stream = b"".join(message(kind, body) * (times if kind == b"D" else 1) for kind, body in parts)
    expected = told_slowly(stream)
    assert walk(stream, size) == expected
    assert walk(stream, max(len(stream), 1)) == expected


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_raise_only_wire_errors_and_hold_bounded_memory(chunks: list[bytes]) -> None:
    walker = BackendWalker(payload_max=64)
    try:
        for chunk in chunks:
            walker.walk(chunk)
            assert len(walker._held) <= 69
    except WireError as error:
        assert error.sqlstate == "08P01"
