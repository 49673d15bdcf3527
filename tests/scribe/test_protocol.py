"""Frames: cut anywhere, bounded, and never an unexpected error."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.scribe.protocol import (
    FRAME_BYTES_MAX,
    UNREADABLE,
    Append,
    Call,
    Draft,
    FrameError,
    Read,
    ReadHead,
    call_decoder,
    call_id_of,
    frame,
    take_frames,
)

CALLS: list[Call] = [ReadHead(1), Read(2, 0, 10, ["a"], True), Append(3, [Draft("a", "b.c", b"{}", None)]), ReadHead(4)]


@given(st.lists(st.integers(1, 40), min_size=1))
def test_frames_are_found_however_the_bytes_are_cut(cuts: list[int]) -> None:
    stream = b"".join(map(frame, CALLS))
    buffer, found, position, turn = bytearray(), [], 0, 0
    while position < len(stream):
        step = cuts[turn % len(cuts)]
        buffer += stream[position : position + step]
        found += [call_decoder.decode(payload) for payload in take_frames(buffer)]
        position, turn = position + step, turn + 1
    assert found == CALLS
    assert not buffer


def test_a_length_over_the_bound_is_an_error_before_its_bytes_arrive() -> None:
    with pytest.raises(FrameError):
        take_frames(bytearray((FRAME_BYTES_MAX + 1).to_bytes(4, "big")))


@given(st.binary(max_size=200))
def test_garbage_is_at_most_a_decoding_error(payload: bytes) -> None:
    assert call_id_of(payload) is None or isinstance(call_id_of(payload), int)
    try:
        call_decoder.decode(payload)
    except UNREADABLE:
        return


@pytest.mark.parametrize(
    "call",
    [
        Read(7, 2**63, 1, [], False),
        Read(7, -1, 1, [], False),
        Read(7, 0, 1, ["a"] * 17, False),
        Append(7, []),
        Append(7, [Draft("a" * 257, "b.c", b"{}", None)]),
    ],
    ids=lambda call: str(call)[:40],
)
def test_a_call_over_a_bound_is_refused_under_its_own_id(call: Read | Append) -> None:
    payload = frame(call)[4:]
    with pytest.raises(msgspec.ValidationError):
        call_decoder.decode(payload)
    assert call_id_of(payload) == 7
