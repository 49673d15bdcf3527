"""A session while it lasts: server-sent events of its actions, or of what is shown in one recording."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from starlette.responses import Response, StreamingResponse

from sojourn.domain.events import ActionCompleted, ActionIntended, SessionClosed
from sojourn.domain.history import Recorded
from sojourn.errors import Code, SojournError
from sojourn.projections import queries, timeline
from sojourn.projections.moments import text as moment_text
from sojourn.projections.queries import SessionRow
from sojourn.web.exchange import Exchange
from sojourn.web.live import Live, Message, Watcher, message
from sojourn.web.services import Services

from .answering import HEADERS
from .opening import opener, view
from .record import action_shown, visible_session
from .recording import PARTS_MAX, Showing, number_in, opened

HERE_SECONDS = 15.0
"""How often a stream in which nothing happens says that it is there."""

ASKED_SECONDS = 60.0
"""How often a viewer is asked anew who they are, besides whenever that may have changed."""

CLOSED = message("closed", {})
HERE = message("here", {})
SILENCE = b": here\n\n"

LABELS = 0
"""What is watched: the labels of actions; any other number is the recording of that action."""

BACK = 100
"""Actions before the last one that a viewer has, which are told again: their outcomes may be new."""


async def events(exchange: Exchange) -> Response:
    """GET /sessions/{name}/events?after=N: what happens in a session, as server-sent events; with
    `recording=N`, what is shown in that recording, from its beginning.

    `actions` holds changes of actions, by number; `shown` holds lines as in a replay; `closed` is the last one.
    """
    number = number_in(exchange, "recording")
    caller = await exchange.caller()
    row = visible_session(exchange, caller) if number == LABELS else (await opener(exchange))[1]
    if exchange.services.live.full:
        raise SojournError(Code.SERVICE_BUSY, what="Watching")
    if number != LABELS:
        await view(exchange, caller, row, number)
    headers = {**HEADERS, "x-accel-buffering": "no"}
    told = _told(exchange, row.id, number, exchange.after())
    return StreamingResponse(told, 200, headers, media_type="text/event-stream")


async def _told(exchange: Exchange, session: str, number: int, after: int) -> AsyncIterator[Message]:
    live, watcher = exchange.services.live, Watcher(token=exchange.token.token)
    permission = Permission(exchange, watcher, _seen if number == LABELS else opener)
    begun = _labels(exchange, live, session, after, watcher)
    if number != LABELS:
        begun = _recording(exchange.services, live, session, number, watcher)
    try:
        async for told in begun:
            yield told
            if told == CLOSED:
                return
        while True:
            try:
                async with asyncio.timeout(HERE_SECONDS):
                    waiting = await watcher.waiting.get()
            except TimeoutError:
                waiting = SILENCE
            if waiting is None or not await permission.still():
                return
            yield waiting
            if waiting == CLOSED:
                return
    finally:
        live.leave(session, number, watcher)


async def _seen(exchange: Exchange) -> SessionRow:
    return visible_session(exchange, await exchange.caller())


class Permission:
    """Whether whoever follows a stream still may: asked anew when that is doubted, and every minute."""

    def __init__(self, exchange: Exchange, watcher: Watcher, ask: Callable[[Exchange], Awaitable[object]]) -> None:
        """`ask` is what was asked when they came. Raises SojournError if they may not."""
        self._exchange, self._watcher, self._ask = exchange, watcher, ask
        self._time = asyncio.get_running_loop().time
        self._asked = self._time()

    async def still(self) -> bool:
        """Whether they may go on: nobody has let them go, and they would be let in if they had just come."""
        if self._watcher.doubted or self._time() - self._asked > ASKED_SECONDS:
            self._watcher.doubted, self._asked = False, self._time()
            try:
                await self._ask(Exchange(self._exchange.services, self._exchange.http, self._exchange.scope))
            except SojournError:
                return False
        return not self._watcher.gone


async def _labels(exchange: Exchange, live: Live, session: str, after: int, watcher: Watcher) -> AsyncIterator[Message]:
    """The actions from `after` on; then the viewer is let in, in the same turn."""
    place = max(0, after - BACK)
    while True:
        with exchange.services.projections.reading() as connection:
            rows = timeline.actions(connection, session, after=place)
        if not rows:
            live.watch(session, LABELS, Labels(), watcher)
            break
        yield message("actions", [action_shown(row) for row in rows])
        place = rows[-1].number
    yield HERE
    if _is_closed(exchange.services, session):
        yield CLOSED


class Labels:
    """Tells the labels of actions."""

    async def tell(self, happened: Sequence[Recorded]) -> Sequence[Message]:
        """Changes by number, and that it is over."""
        changes = [change for one in happened if (change := _change(one)) is not None]
        told = [message("actions", changes)] if changes else []
        if any(isinstance(one.event, SessionClosed) for one in happened):
            told.append(CLOSED)
        return told


def _change(one: Recorded) -> dict[str, object] | None:
    match event := one.event:
        case ActionIntended():
            return {
                "number": event.number,
                "at": moment_text(one.at),
                "verb": event.verb,
                "may_write": event.may_write,
                "objects": event.objects,
                "outcome": None,
            }
        case ActionCompleted():
            return {
                "number": event.number,
                "outcome": event.outcome,
                "tags": event.tags,
                "sqlstate": event.sqlstate or None,
                "rows": event.rows,
                "bytes_out": event.bytes_out,
                "duration_us": event.duration_us,
            }
        case _:
            return None


@dataclass(slots=True)
class Screen:
    """Tells what is shown in a recording. `part` is the last one that was opened, `told` the last one that was told."""

    services: Services
    session: str
    number: int
    part: int = 0
    told: int = 0
    showing: Showing = field(default_factory=Showing)

    async def tell(self, happened: Sequence[Recorded]) -> Sequence[Message]:
        """What was shown since, and that it is over."""
        told: list[Message] = []
        while lines := await self.following(None):
            told.append(lines)
        if any(isinstance(one.event, SessionClosed) for one in happened):
            told.append(CLOSED)
        # Nobody else runs between this and the telling, so a viewer who comes finds either or both.
        self.told = self.part
        return told

    async def following(self, bound: int | None) -> Message | None:
        """The next parts, up to part `bound`; None when there are no more."""
        with self.services.projections.reading() as connection:
            parts = timeline.chunks(connection, self.session, self.number, after=self.part, limit=PARTS_MAX)
        wanted = [one for one in parts if bound is None or one.part <= bound]
        lines: list[object] = []
        for one in wanted:
            lines += map(json.loads, self.showing.part(one.part, await opened(self.services, one)))
        if not wanted:
            return None
        self.part = wanted[-1].part
        return message("shown", lines)


async def _recording(
    services: Services, live: Live, session: str, number: int, watcher: Watcher
) -> AsyncIterator[Message]:
    """Everything up to where those are who watch already; then the viewer is let in, in the same turn."""
    own = Screen(services, session, number)
    while True:
        channel = live.channel(session, number)
        bound = channel.teller.told if channel is not None and isinstance(channel.teller, Screen) else None
        lines = await own.following(bound)
        if lines is not None:
            yield lines
            continue
        if channel is live.channel(session, number) and bound in (None, own.part):
            own.told = own.part
            live.watch(session, number, own, watcher)
            break
    yield HERE
    if _is_closed(services, session):
        yield CLOSED


def _is_closed(services: Services, session: str) -> bool:
    with services.projections.reading() as connection:
        row = queries.session(connection, session)
    return row is None or row.closed_at is not None
