"""What the last run left open is found without reading what came before that run."""

from __future__ import annotations

from datetime import UTC, datetime

from sojourn.domain.events import CloseCause, Event, ProcessStarted, SessionClosed, SessionOpened
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import (
    SYSTEM,
    GrantId,
    PersonId,
    RoleName,
    SessionId,
    StreamName,
    TargetName,
    TokenId,
    session_stream,
)
from sojourn.gateway.orphans import close_orphans
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger


def opened(name: str, node: str) -> tuple[StreamName, Event]:
    session = SessionId(name)
    event = SessionOpened(
        session=session,
        grant=GrantId("g-1"),
        person=PersonId("alice"),
        target=TargetName("shop"),
        role=RoleName("read"),
        database="shop",
        token=TokenId("t-1"),
        node=node,
        source="x",
        application="",
        tls="",
    )
    return session_stream(session), event


def closed(name: str) -> tuple[StreamName, Event]:
    event = SessionClosed(session=SessionId(name), cause=CloseCause.CLIENT_CLOSED, actions=0, bytes_in=0, bytes_out=0)
    return session_stream(SessionId(name)), event


def started(node: str) -> tuple[StreamName, Event]:
    return SYSTEM, ProcessStarted(process="gateway", node=node, build="test")


async def test_only_what_came_after_the_last_start_is_read_and_closed() -> None:
    ledger = MemoryLedger(clock=SimulatedClock(moment=datetime(2026, 11, 30, tzinfo=UTC)))
    told = [
        started("one"),
        *(pair for number in range(50) for pair in (opened(f"s-{number}", "one"), closed(f"s-{number}"))),
        started("one"),
        opened("s-open", "one"),
        started("two"),
        opened("s-other", "two"),
        opened("s-over", "one"),
        closed("s-over"),
    ]
    for stream, event in told:
        await ledger.append((Change(stream=stream, event=event, seen=None),))
    read_from: list[int] = []

    async def read(start: int, limit: int, prefixes: tuple[str, ...]) -> tuple[Recorded, ...]:
        read_from.append(start)
        return await ledger.read(start, limit, prefixes)

    assert await close_orphans(ledger, read, node="one", size=len(told)) == 1
    assert min(read_from) == 101
    (end,) = [one.event for one in ledger.entries[len(told) :]]
    assert isinstance(end, SessionClosed)
    assert (end.session, end.cause) == ("s-open", CloseCause.INTERRUPTED)


async def test_without_a_start_on_record_everything_is_read() -> None:
    ledger = MemoryLedger(clock=SimulatedClock(moment=datetime(2026, 11, 30, tzinfo=UTC)))
    stream, event = opened("s-1", "one")
    await ledger.append((Change(stream=stream, event=event, seen=None),))
    assert await close_orphans(ledger, ledger.read, node="one", size=1) == 1
