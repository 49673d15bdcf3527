"""What is fuzzed holds for streams as they are, and for streams of which something was altered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import postgres

JUDGES = (postgres.from_client, postgres.from_target, postgres.start, postgres.talk, postgres.label)
STREAMS = [path.read_bytes() for path in sorted(postgres.CAPTURES.iterdir())]


@pytest.mark.parametrize("judge", JUDGES)
def test_a_target_holds_for_captured_streams_cut_short_anywhere(judge: Callable[[bytes], None]) -> None:
    for stream in STREAMS:
        for end in range(min(len(stream), 400)):
            judge(stream[:end])


@pytest.mark.parametrize("judge", JUDGES)
@settings(max_examples=150)
@given(st.data())
def test_a_target_holds_for_streams_of_which_something_was_altered(
    judge: Callable[[bytes], None], data: st.DataObject
) -> None:
    stream = bytearray(data.draw(st.sampled_from(STREAMS)))
    start = data.draw(st.integers(0, len(stream) - 1))
    for _ in range(data.draw(st.integers(0, 4))):
        stream[data.draw(st.integers(start, len(stream) - 1))] = data.draw(st.integers(0, 255))
    judge(bytes(stream[start:]) + data.draw(st.binary(max_size=40)))
