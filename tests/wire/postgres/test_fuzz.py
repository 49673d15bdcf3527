"""The fuzz targets hold for streams as they are, and for streams of which something was altered."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = [path.stem for path in sorted((Path(__file__).parents[3] / "fuzz").glob("fuzz_postgres_*.py"))]
STREAMS = [path.read_bytes() for path in sorted((Path(__file__).parent / "captures").iterdir())]


def check_of(name: str) -> Callable[[bytes], None]:
    check: Callable[[bytes], None] = import_module(f"fuzz.{name}").check
    return check


def test_there_are_targets_and_captures() -> None:
    assert len(NAMES) >= 5 and len(STREAMS) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_a_target_holds_for_captured_streams_cut_short_anywhere(name: str) -> None:
    check = check_of(name)
    for stream in STREAMS:
        for end in range(min(len(stream), 400)):
            check(stream[:end])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_target_holds_for_streams_of_which_something_was_altered(name: str, data: st.DataObject) -> None:
    stream = bytearray(data.draw(st.sampled_from(STREAMS)))
    start = data.draw(st.integers(0, len(stream) - 1))
    for _ in range(data.draw(st.integers(0, 4))):
        stream[data.draw(st.integers(start, len(stream) - 1))] = data.draw(st.integers(0, 255))
    check_of(name)(bytes(stream[start:]) + data.draw(st.binary(max_size=40)))
