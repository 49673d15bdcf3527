"""What others have seen of a ledger, compared with its store: nothing larger and nothing other gets by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.errors import Code, SojournError
from sojourn.ledger import merkle
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.merkle import HashReader
from sojourn.scribe.elsewhere import Seen, compare
from sojourn.testing.log import MemoryLog

LOG = MemoryLog().grow(600)
FORK = MemoryLog(history="b", forked_at=300).grow(600)


def reader(size: int) -> HashReader:
    def read(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size
        return merkle.recompute_root(LOG.leaves[index << level : (index + 1) << level])

    return read


def seen(*checkpoints: Checkpoint) -> list[Seen]:
    return [Seen(place=f"witness:w{n}", checkpoint=one) for n, one in enumerate(checkpoints)]


@given(st.integers(0, 600), st.lists(st.integers(0, 600), max_size=4))
def test_a_store_that_holds_all_that_was_seen_is_taken_and_another_is_not(size: int, sizes: list[int]) -> None:
    found = seen(*(LOG.checkpoint(one) for one in sizes))
    if max(sizes, default=0) <= size:
        compare(found, size=size, reader=reader)
        return
    with pytest.raises(SojournError) as caught:
        compare(found, size=size, reader=reader)
    assert caught.value.code is Code.RECORD_BEHIND
    assert caught.value.refusal.details["seen"] == str(max(sizes))


@given(st.integers(0, 600))
def test_a_witness_of_another_history_is_believed_from_the_first_entry_that_differs(size: int) -> None:
    found = seen(LOG.checkpoint(10), FORK.checkpoint(size))
    if size <= 300:
        compare(found, size=600, reader=reader)
        return
    with pytest.raises(SojournError) as caught:
        compare(found, size=600, reader=reader)
    assert caught.value.code is Code.RECORD_CONTRADICTED and "witness:w1" in caught.value.refusal.sentence
