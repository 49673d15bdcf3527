"""Sessions that an earlier run of this gateway left open are closed on record before anybody is let in.

Nobody saw how they ended, and the record says so: the session, and each action without an outcome, is `interrupted`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    CloseCause,
    Outcome,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.workflow.ports import Ledger

PAGE = 1000

ReadPage = Callable[[int, int, tuple[str, ...]], Awaitable[tuple[Recorded, ...]]]
"""`read(start, limit, prefixes)` as `scribe.client.ScribeClient.read` does it."""


@dataclass(slots=True)
class _Open:
    """A session without an end: its last action, and those that have no outcome."""

    last: int = 0
    pending: set[int] = field(default_factory=set)


async def close_orphans(ledger: Ledger, read: ReadPage, *, node: str, size: int, start: int = 0) -> int:
    """Close what this `node` left open among the entries from `start` to `size`; gives the number of sessions.

    Raises SojournError when the record cannot be read or written: nobody is let in then.
    """
    left_open: dict[SessionId, _Open] = {}
    while start < size:
        batch = await read(start, PAGE, ("session/",))
        if not batch:
            break
        for recorded in batch:
            _take(left_open, recorded, node)
        start = batch[-1].seq + 1
    for session, state in left_open.items():
        stream = session_stream(session)
        changes = [
            Change(stream=stream, event=_interrupted(session, number), seen=None) for number in sorted(state.pending)
        ]
        closed = SessionClosed(
            session=session, cause=CloseCause.INTERRUPTED, actions=state.last, bytes_in=0, bytes_out=0
        )
        changes.append(Change(stream=stream, event=closed, seen=None))
        for begin in range(0, len(changes), PAGE):
            await ledger.append(changes[begin : begin + PAGE])
    return len(left_open)


def _take(left_open: dict[SessionId, _Open], recorded: Recorded, node: str) -> None:
    match recorded.event:
        case SessionOpened() as opened if opened.node == node:
            left_open[opened.session] = _Open()
        case ActionIntended() as intended if intended.session in left_open:
            left_open[intended.session].last = intended.number
            left_open[intended.session].pending.add(intended.number)
        case ActionCompleted() as completed if completed.session in left_open:
            left_open[completed.session].pending.discard(completed.number)
        case SessionClosed() as closed:
            left_open.pop(closed.session, None)
        case _:
            return


def _interrupted(session: SessionId, number: int) -> ActionCompleted:
    return ActionCompleted(
        session=session,
        number=number,
        outcome=Outcome.INTERRUPTED,
        tags=(),
        sqlstate="",
        rows=0,
        bytes_in=0,
        bytes_out=0,
        duration_us=0,
    )
