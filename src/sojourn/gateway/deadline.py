"""The end of a grant, as a session feels it.

The end is mapped once to the loop's monotonic clock, so a clock that is set back prolongs nothing. A grant that
ends earlier is known by its event. Neither needs control or scribe to be there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import GrantEnded
from sojourn.domain.grant import Grant
from sojourn.errors import Code, Refusal

from .gate import Gate


@dataclass(slots=True)
class Deadline:
    """When, on the loop's clock, the grant was over; None while it is not."""

    passed_at: float | None = None


@contextmanager
def deadline(
    gate: Gate, grant: Grant, cut: Callable[[Refusal], None], warn: Callable[[str], None]
) -> Iterator[Deadline]:
    """Call `cut` with the reason when the grant ends, while the context lasts; at once if it has ended.

    `warn` is called with a sentence some time before the end, as the settings say; at once when less is left.
    """
    loop = asyncio.get_running_loop()
    reached = Deadline()
    created = grant.created
    details = {"grant": grant.id, "target": created.target, "role": created.role}

    def over(at: float, refusal: Refusal) -> None:
        if reached.passed_at is None:
            reached.passed_at = at
            cut(refusal)

    def ended(event: GrantEnded, recorded_at: datetime) -> None:
        since = max(0.0, (gate.clock.now() - recorded_at).total_seconds())
        over(loop.time() - since, Refusal(Code.GRANT_ENDED, {**details, "cause": event.cause}))

    end = loop.time() + (created.window.end - gate.clock.now()).total_seconds()
    text = created.window.end.isoformat(timespec="seconds")
    timers = [loop.call_at(end, lambda: over(end, Refusal(Code.GRANT_EXPIRED, {**details, "end": text})))]
    if gate.settings.warn_seconds:
        warning = f"This access ends at {text} (grant {grant.id}). For more time ask for a new one: sojourn request."
        timers.append(loop.call_at(end - gate.settings.warn_seconds, lambda: warn(warning)))
    stop = gate.live.watch(grant.id, ended)
    if gate.live.is_over(grant.id):
        cause = gate.live.grant(grant.id).cause
        over(loop.time(), Refusal(Code.GRANT_ENDED, {**details, "cause": cause or "ended"}))
    try:
        yield reached
    finally:
        for timer in timers:
            timer.cancel()
        stop()
