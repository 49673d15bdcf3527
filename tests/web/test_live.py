"""Who watches is told once and in order; who is slow, signed out or doubted is not told on trust."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sojourn.domain import cast
from sojourn.domain.events import ActionIntended, Event, ProcessStarted, TokenRevoked
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import (
    CONFIGURATION,
    STANDING,
    PersonId,
    SessionId,
    StreamName,
    TokenId,
    session_stream,
    token_stream,
)
from sojourn.domain.sealed import Sealed
from sojourn.web import live
from sojourn.web.api.recording import Showing
from sojourn.web.live import Live, Message, Watcher

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SESSION = SessionId("s-1")


@dataclass
class Counting:
    """Tells how many things happened, and counts how often it was asked."""

    asked: int = 0
    happened: list[Recorded] = field(default_factory=list)

    async def tell(self, happened: Sequence[Recorded]) -> Sequence[Message]:
        self.asked += 1
        self.happened += happened
        return [b"%d" % len(happened)]


def _recorded(stream: StreamName, event: Event) -> Recorded:
    return Recorded(seq=0, at=NOW, stream=stream, version=1, event=event)


def _action(number: int) -> Recorded:
    sealed = Sealed(commitment="c" * 64, key="k-1")
    event = ActionIntended(
        session=SESSION, number=number, protocol="p", verb="read", may_write=False, objects=(), detail=sealed
    )
    return _recorded(session_stream(SESSION), event)


async def test_what_happened_is_encoded_once_for_all_and_gathered_while_it_is_told() -> None:
    hub, teller, watchers = Live(), Counting(), [Watcher(token="t-1") for _ in range(50)]
    for one in watchers:
        hub.watch(SESSION, 0, teller, one)
    hub.take([_action(1), _action(2)])
    assert [await one.waiting.get() for one in watchers] == [b"2"] * 50
    hub.take([_action(3)])
    hub.take([_action(4)])
    assert await watchers[0].waiting.get() == b"2"
    assert teller.asked == 2
    assert [one.event.number for one in teller.happened if isinstance(one.event, ActionIntended)] == [1, 2, 3, 4]
    for one in watchers:
        hub.leave(SESSION, 0, one)
    assert hub.channel(SESSION, 0) is None


async def test_a_viewer_who_is_slow_is_let_go_of_and_others_are_not() -> None:
    hub, slow, fast = Live(), Watcher(token="t-1"), Watcher(token="t-2")
    for one in (slow, fast):
        hub.watch(SESSION, 0, Counting(), one)
    for _ in range(live.WAITING_MAX + 1):
        slow.tell(b"x")
    hub.take([_action(1)])
    assert await fast.waiting.get() == b"1"
    assert await slow.waiting.get() is None
    for one in (slow, fast):
        hub.leave(SESSION, 0, one)


async def test_a_sign_in_that_is_taken_back_ends_its_streams_and_no_other() -> None:
    hub, gone, stays = Live(), Watcher(token="t-1"), Watcher(token="t-2")
    for one in (gone, stays):
        hub.watch(SESSION, 0, Counting(), one)
    hub.take([_recorded(token_stream(TokenId("t-1")), TokenRevoked(token=TokenId("t-1"), revoked_by=PersonId("a")))])
    assert gone.waiting.get_nowait() is None
    assert stays.waiting.empty()
    for one in (gone, stays):
        hub.leave(SESSION, 0, one)


async def test_a_change_of_people_makes_everybody_ask_anew() -> None:
    for stream in (STANDING, CONFIGURATION):
        hub, one = Live(), Watcher(token="t-1")
        hub.watch(SESSION, 0, Counting(), one)
        hub.take([_recorded(stream, ProcessStarted(process="any", node="n", build="b"))])
        assert one.doubted
        assert (await one.waiting.get() or b"").startswith(b":")
        hub.leave(SESSION, 0, one)


async def test_more_than_can_be_told_at_once_is_not_told_in_part() -> None:
    hub, one = Live(), Watcher(token="t-1")
    hub.watch(SESSION, 0, Counting(), one)
    hub.take([_action(number) for number in range(live.HAPPENED_MAX + 1)])
    assert await one.waiting.get() is None
    hub.leave(SESSION, 0, one)
    await asyncio.sleep(0)


def test_a_showing_keeps_the_curtain_across_parts_and_says_what_is_gone() -> None:
    showing = Showing()
    first = showing.part(
        1, [cast.header(columns=100, rows=30, terminal="x", began=NOW, command=""), cast.event(0.5, "o", "a\x1b]0;ti")]
    )
    second = showing.part(2, [cast.event(0.25, "e", "tle\x07b\x1b[c"), cast.event(0, "i", "typed")])
    told = [json.loads(line) for line in (*first, *second, *showing.part(3, ()))]
    assert told == [
        [0.0, "h", "100x30"],
        [0.5, "o", "a"],
        [0.75, "o", "b"],
        [0.75, "i", "typed"],
        [0.75, "m", "part 3 was destroyed by key"],
    ]


def test_a_header_that_says_no_size_has_that_of_an_old_terminal() -> None:
    for term in ("null", "{}", '{"cols": "x", "rows": 1}', '{"cols": [], "rows": 2}'):
        told = Showing().part(1, [f'{{"version": 3, "term": {term}}}'])
        assert json.loads(told[0]) == [0.0, "h", "80x24"]
