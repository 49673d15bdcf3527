"""The read models know what each sealing key was used for, however the entries come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.domain.events import ActionIntended, Event, KeysDestroyed
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import KEEPING, PersonId, SessionId, session_stream
from sojourn.domain.sealed import RecordClass, Sealed
from sojourn.projections.projector import Projections
from sojourn.projections.sealing import KeyUseRow, key_uses, sealed_in

START = datetime(2026, 3, 2, tzinfo=UTC)
SESSION = SessionId("s-1")


def intended(number: int, key: str) -> Event:
    return ActionIntended(
        session=SESSION,
        number=number,
        protocol="postgres",
        verb="select",
        may_write=False,
        objects=(),
        detail=Sealed(commitment=f"{number:064x}", key=key),
    )


def tombstone(*keys: str) -> Event:
    return KeysDestroyed(
        cause="sh-1", person=PersonId("alice"), record_class=RecordClass.STATEMENT, keys=keys, values=1
    )


def recorded(events: list[Event]) -> list[Recorded]:
    return [
        Recorded(
            seq=seq,
            at=START + timedelta(days=seq),
            stream=KEEPING if isinstance(event, KeysDestroyed) else session_stream(SESSION),
            version=seq + 1,
            event=event,
        )
        for seq, event in enumerate(events)
    ]


EVENTS = recorded([intended(1, "k-1"), intended(2, "k-2"), intended(3, "k-1"), tombstone("k-1", "k-3")])
TOLD = {
    "k-1": KeyUseRow(
        key="k-1",
        values=2,
        first_at="2026-03-02T00:00:00.000000Z",
        last_at="2026-03-04T00:00:00.000000Z",
        tombstone=3,
    ),
    "k-2": KeyUseRow(
        key="k-2",
        values=1,
        first_at="2026-03-03T00:00:00.000000Z",
        last_at="2026-03-03T00:00:00.000000Z",
        tombstone=None,
    ),
    "k-3": KeyUseRow(key="k-3", values=0, first_at=None, last_at=None, tombstone=3),
}


@pytest.mark.parametrize("size", [1, 2, 4])
def test_values_and_times_are_told_by_key_whatever_the_batches_are(size: int) -> None:
    projections = Projections.open(None)
    for start in range(0, len(EVENTS), size):
        projections.apply(EVENTS[start : start + size])
    with projections.reading() as connection:
        assert key_uses(connection, ["k-1", "k-2", "k-3", "k-4"]) == TOLD
    projections.close()


@settings(max_examples=25)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(1, 7))
def test_any_split_into_batches_gives_the_same_read_models(keys: list[int], size: int) -> None:
    entries = recorded([intended(number, f"k-{key}") for number, key in enumerate(keys, 1)])
    whole, parts = Projections.open(None), Projections.open(None)
    whole.apply(entries)
    for start in range(0, len(entries), size):
        parts.apply(entries[start : start + size])
    assert whole.digest() == parts.digest()
    whole.close()
    parts.close()


def test_every_kind_of_event_shows_what_is_sealed_in_it() -> None:
    assert [one.key for one in sealed_in(intended(1, "k-1"))] == ["k-1"]
    assert list(sealed_in(tombstone("k-1"))) == []
