"""One session that somebody ends, while its access goes on: known by its event, like the end of a grant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sojourn.domain.events import GrantEnded, GrantExtended, GrantSessionStopped
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import SessionId
from sojourn.errors import Code, Refusal

from .gate import Gate


@contextmanager
def stoppable(gate: Gate, grant: Grant, session: SessionId, stop: Callable[[Refusal], None]) -> Iterator[None]:
    """Call `stop` with the reason when the session is to end, while the context lasts; at once if it was told."""

    def told(event: GrantEnded | GrantExtended | GrantSessionStopped, _: datetime) -> None:
        if isinstance(event, GrantSessionStopped) and event.session == session:
            stop(Refusal(Code.SESSION_STOPPED, {"session": session, "person": event.stopped_by}))

    unwatch = gate.live.watch(grant.id, told)
    if session in gate.live.grant(grant.id).stopped:
        # It was told while the target was still being reached.
        stop(Refusal(Code.SESSION_STOPPED, {"session": session, "person": "somebody entitled"}))
    try:
        yield
    finally:
        unwatch()
