"""A gateway that starts again reads what may still matter, and nothing that is over for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sojourn.domain.events import (
    CloseCause,
    EndCause,
    Event,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantRemoved,
    RequestSubmitted,
    RequestWithdrawn,
    SessionOpened,
    TokenIssued,
    TokenPurpose,
)
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import (
    GrantId,
    RequestId,
    SessionId,
    StreamName,
    TokenId,
    grant_stream,
    request_stream,
    session_stream,
    token_stream,
)
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window
from sojourn.gateway.live import LiveView
from sojourn.gateway.mark import Mark, fitting
from sojourn.gateway.orphans import close_orphans
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.organisation import ALICE, CATALOGUE, READ, SHOP
from sojourn.workflow.adopt import adopt

SECRET = Sealed(commitment="0" * 64, key="k-0000000001")
NODE = "here/gateway"


@dataclass(slots=True)
class _Reader(MemoryLedger):
    """Remembers from which places on the streams of grants were read."""

    starts: list[int] = field(default_factory=list)

    async def read(self, start: int, limit: int, prefixes: Sequence[str] = ()) -> tuple[Recorded, ...]:
        if "grant/" in prefixes:
            self.starts.append(start)
        return await MemoryLedger.read(self, start, limit, prefixes)

    async def tell(self, stream: StreamName, *events: Event) -> None:
        await self.append([Change(stream=stream, event=event, seen=None) for event in events])


async def _ledger() -> _Reader:
    ledger = _Reader(SimulatedClock())
    await adopt(ledger, catalogue=CATALOGUE, files={}, operator="operator")
    return ledger


async def _granted(ledger: _Reader, name: str, *, over: bool = False) -> GrantId:
    grant, now = GrantId(name), ledger.clock.now()
    created = GrantCreated(
        grant=grant,
        request=RequestId("r-1"),
        person=ALICE,
        target=SHOP,
        role=READ,
        window=Window(start=now, end=now + timedelta(hours=1)),
        credential="sojourn_1",
        configuration_version=1,
    )
    await ledger.tell(grant_stream(grant), created, GrantProvisioned(grant=grant, observed=(), secret=SECRET))
    if over:
        gone = GrantRemoved(
            grant=grant, role_present=False, sessions_present=0, sessions_terminated=0, read_back_at=now
        )
        await ledger.tell(grant_stream(grant), GrantEnded(grant=grant, cause=EndCause.REVOKED), gone)
    return grant


@asynccontextmanager
async def _viewing(ledger: _Reader, start: int = 0) -> AsyncIterator[LiveView]:
    view = LiveView(ledger, lambda matter, key: b"")
    task = asyncio.get_running_loop().create_task(view.run(start))
    try:
        async with asyncio.timeout(10):
            await view.ready.wait()
        yield view
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_over_is_forgotten_after_a_day_and_what_is_live_never() -> None:
    ledger = await _ledger()
    over, live = await _granted(ledger, "g-over", over=True), await _granted(ledger, "g-live")
    async with _viewing(ledger) as view:
        view.tidy(ledger.clock.now())
        assert {one.id for one in view.grants(ALICE)} == {over, live}
        view.tidy(ledger.clock.now() + timedelta(days=2))
        assert {one.id for one in view.grants(ALICE)} == {live}
        assert view.begins == next(one.seq for one in ledger.entries if one.stream == grant_stream(live))


async def test_a_grant_that_a_session_still_watches_is_not_forgotten() -> None:
    ledger = await _ledger()
    grant = await _granted(ledger, "g-over", over=True)
    async with _viewing(ledger) as view:
        stop = view.watch(grant, lambda event, at: None)
        view.tidy(ledger.clock.now() + timedelta(days=2))
        assert view.is_over(grant)
        stop()
        view.tidy(ledger.clock.now() + timedelta(days=2))
        assert view.grants(ALICE) == ()


async def test_a_view_that_begins_at_its_mark_knows_what_one_from_the_beginning_knows() -> None:
    ledger = await _ledger()
    for number in range(5):
        await _granted(ledger, f"g-over{number}", over=True)
    live = await _granted(ledger, "g-live")
    async with _viewing(ledger) as whole:
        whole.tidy(ledger.clock.now() + timedelta(days=2))
        start = whole.begins
    await ledger.tell(grant_stream(live), GrantEnded(grant=live, cause=EndCause.REVOKED))
    ledger.starts.clear()
    async with _viewing(ledger, start) as short:
        assert min(ledger.starts) == start > 20
        assert short.is_over(live)
        assert short.catalogue == CATALOGUE


async def test_a_pending_request_and_a_token_hold_the_mark_until_they_are_over() -> None:
    ledger = await _ledger()
    now, request, token = ledger.clock.now(), RequestId("r-open"), TokenId("t-1")
    asked = RequestSubmitted(
        request=request,
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(hours=1),
        reason=SECRET,
        digest="d",
        rules=(),
        groups=(),
        decide_by=now + timedelta(days=1),
        activate_within=timedelta(hours=8),
        configuration_version=1,
        configuration_digest="d",
        source="here",
    )
    issued = TokenIssued(
        token=token,
        person=ALICE,
        purpose=TokenPurpose.GATEWAY,
        secret_sha256="0" * 64,
        expires_at=now + timedelta(minutes=15),
        source="here",
    )
    await ledger.tell(token_stream(token), issued)
    await ledger.tell(request_stream(request), asked)
    async with _viewing(ledger) as view:
        assert view.begins == 1
        view.tidy(now + timedelta(minutes=16))
        assert view.begins == 2
        await ledger.tell(request_stream(request), RequestWithdrawn(request=request, person=ALICE, source="here"))
        async with asyncio.timeout(10):
            while view.begins == 2:
                await asyncio.sleep(0.001)
        assert view.begins == view.following == 4


async def test_sessions_left_open_are_found_from_the_mark_on() -> None:
    ledger = await _ledger()
    grant = await _granted(ledger, "g-live")
    mark = len(ledger.entries)
    opened = SessionOpened(
        session=SessionId("s-1"),
        grant=grant,
        person=ALICE,
        target=SHOP,
        role=READ,
        database="shop",
        token=TokenId("t-1"),
        node=NODE,
        source="here",
        application="",
        tls="TLSv1.3",
    )
    await ledger.tell(session_stream(SessionId("s-1")), opened)
    assert await close_orphans(ledger, ledger.read, node=NODE, size=await ledger.size(), start=mark) == 1
    closed = ledger.entries[-1].event
    assert getattr(closed, "cause", None) is CloseCause.INTERRUPTED


async def test_a_mark_of_another_ledger_or_of_another_node_is_not_followed() -> None:
    ledger = await _ledger()
    await _granted(ledger, "g-live")
    mark = Mark(node=NODE, view=2, sessions=3, at=ledger.entries[1].at)
    assert await fitting(ledger, mark, node=NODE) == mark
    assert await fitting(ledger, replace(mark, at=mark.at + timedelta(seconds=1)), node=NODE) is None
    assert await fitting(ledger, replace(mark, view=500, sessions=500), node=NODE) is None
    assert await fitting(ledger, replace(mark, view=0), node=NODE) is None
    assert await fitting(ledger, mark, node="there/gateway") is None
    assert await fitting(ledger, None, node=NODE) is None
