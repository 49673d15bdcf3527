"""The tally of what strangers try."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sojourn.testing.clock import SimulatedClock
from sojourn.workflow.strangers import ADDRESSES_MAX, ONE_BY_ONE_MAX, PERIOD, Strangers


def test_the_first_of_a_minute_are_recorded_and_the_rest_are_counted() -> None:
    clock = SimulatedClock()
    strangers = Strangers(clock.now)
    answers = [strangers.counted("192.0.2.1") for _ in range(ONE_BY_ONE_MAX + 7)]
    assert answers == [0] * ONE_BY_ONE_MAX + [None] * 7
    assert strangers.counted("192.0.2.2") == 0
    clock.advance(PERIOD)
    assert strangers.counted("192.0.2.1") == 7
    assert strangers.counted("192.0.2.1") == 0


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3)), max_size=100))
def test_no_attempt_is_forgotten_while_its_address_is_remembered(steps: list[tuple[str, int]]) -> None:
    clock = SimulatedClock()
    strangers = Strangers(clock.now)
    tried = {"a": 0, "b": 0}
    said = {"a": 0, "b": 0}
    for address, seconds in steps:
        clock.advance(timedelta(seconds=seconds))
        tried[address] += 1
        before = strangers.counted(address)
        said[address] += 0 if before is None else 1 + before
    clock.advance(PERIOD)
    for address in tried:
        before = strangers.counted(address)
        assert before is not None
        assert said[address] + before == tried[address]


def test_the_memory_is_bounded() -> None:
    strangers = Strangers(SimulatedClock().now)
    for number in range(ADDRESSES_MAX + 500):
        strangers.counted(str(number))
    assert len(strangers._tallies) == ADDRESSES_MAX
