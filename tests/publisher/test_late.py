"""Copies of the record that have to be kept up: no access begins while one lacks what is older than allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from sojourn.app.copies import kept_up, late_copies
from sojourn.domain.events import AccessReadmitted, AccessSuspended, CancelRequested, Event
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION, SessionId, session_stream
from sojourn.domain.publication import Held, first_late, is_suspended, suspend_or_readmit
from sojourn.scribe.client import ScribeClient
from sojourn.settings import BucketSettings, Layout, PublisherSettings, Settings, WitnessSettings
from sojourn.testing.organisation import Workplace
from sojourn.testing.scribe import ScribeProcess
from sojourn.web.api.shapes import CopyShown
from sojourn.workflow.ports import Late
from sojourn.workflow.readmit import look_once

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)


def held(minutes: float | None, place: str = "quorum") -> Held:
    since = None if minutes is None else NOW - timedelta(minutes=minutes)
    return Held(place=place, published=7, missing_since=since)


@pytest.mark.parametrize(("minutes", "late"), [(None, False), (0, False), (29.99, False), (30, True), (9000, True)])
def test_a_place_is_late_once_it_has_lacked_an_entry_for_so_long(minutes: float | None, late: bool) -> None:
    assert (first_late([held(minutes)], NOW, HALF_AN_HOUR) is not None) is late


def test_of_several_places_the_latest_is_named_and_one_is_enough() -> None:
    places = [held(None, "folder:a"), held(40, "bucket:b"), held(50, "quorum"), held(10, "witness:c")]
    found = first_late(places, NOW, HALF_AN_HOUR)
    assert found is not None and found.place == "quorum"
    assert first_late([], NOW, HALF_AN_HOUR) is None


def test_the_beginning_and_the_end_are_recorded_once_each() -> None:
    recorded: list[Event] = []
    for late in (None, held(40), held(41), None, None, held(30), None):
        event = suspend_or_readmit(is_suspended(recorded), late)
        if event is not None:
            recorded.append(event)
    assert [type(one) for one in recorded] == [AccessSuspended, AccessReadmitted] * 2
    assert recorded[0] == AccessSuspended(place="quorum", published=7, missing_since=NOW - timedelta(minutes=40))


async def test_two_nodes_that_see_the_same_record_it_once() -> None:
    place = await Workplace.open()
    now: list[Held | None] = [held(40)]

    async def late() -> Held | None:
        return now[0]

    for _ in range(2):
        await look_once(place.office, late)
    now[0] = None
    for _ in range(2):
        await look_once(place.office, late)
    assert [type(one.event) for one in place.entries(PUBLICATION)] == [AccessSuspended, AccessReadmitted]


@dataclass(slots=True)
class Wrong:
    """A clock that is ahead of that of the scribe."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class Desk:
    layout: Layout
    ledger: ScribeClient
    clock: Wrong = field(default_factory=Wrong)
    publisher: PublisherSettings = field(
        default_factory=lambda: PublisherSettings(refuse_after_minutes=30, s3=BucketSettings(bucket="example"))
    )

    def late(self) -> Late:
        asks = late_copies(self.layout, Settings(publisher=self.publisher), self.ledger, self.clock)
        assert asks is not None
        return asks

    def published(self, **sizes: int | None) -> None:
        """What the publisher says: how much is in a place, None for one that holds something else."""
        copies = [
            CopyShown(place=f"{name}:x", published=size or 0, behind_since=None, problem="", refused=size is None)
            for name, size in sizes.items()
        ]
        self.layout.published.write_bytes(msgspec.json.encode(copies))

    async def record(self) -> int:
        session = SessionId("s-a")
        event = CancelRequested(session=session, source="here")
        return (await self.ledger.append([Change(stream=session_stream(session), event=event, seen=None)])).size


@pytest.fixture
def scribe(tmp_path: Path) -> Iterator[ScribeProcess]:
    made = ScribeProcess(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def desk(scribe: ScribeProcess) -> AsyncIterator[Desk]:
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(20)
        yield Desk(scribe.layout, client)


async def test_what_counts_is_the_age_of_what_is_missing_and_not_what_a_publisher_says_of_itself(desk: Desk) -> None:
    size = await desk.record()
    # A publisher that has never said anything.
    assert await desk.late()() is None
    desk.clock.ahead = HALF_AN_HOUR
    late = await desk.late()()
    assert late is not None and (late.published, late.place) == (0, "bucket:")
    desk.published(folder=size, bucket=size)
    assert await desk.late()() is None
    # One that has died since.
    await desk.record()
    late = await desk.late()()
    assert late is not None and late.published == size
    desk.clock.ahead = HALF_AN_HOUR - timedelta(seconds=60)
    assert await desk.late()() is None


async def test_every_place_has_to_hold_it_and_one_that_holds_something_else_holds_nothing(desk: Desk) -> None:
    size = await desk.record()
    desk.clock.ahead = HALF_AN_HOUR
    desk.published(folder=size, bucket=None)
    late = await desk.late()()
    assert late is not None and late.place == "bucket:"
    desk.published(folder=0, bucket=size)
    late = await desk.late()()
    assert late is not None and late.place == "folder:x"
    desk.publisher = replace(desk.publisher, folder="")
    assert await desk.late()() is None


async def test_witnesses_count_where_there_is_a_policy_and_nothing_counts_where_nothing_is_asked(desk: Desk) -> None:
    assert kept_up(Settings(publisher=desk.publisher)) == ("folder:", "bucket:")
    assert kept_up(Settings(witness=WitnessSettings(policy=("quorum none",)))) == ("folder:", "quorum")
    assert late_copies(desk.layout, Settings(), desk.ledger, desk.clock) is None
