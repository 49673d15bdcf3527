"""The end of a grant, as a session feels it.

The end is mapped once to the loop's monotonic clock, so a clock that is set back prolongs nothing. A grant that
ends earlier is known by its event, and so is one that was extended: its end moves by just as much as was approved.
What has been cut stays cut. Neither needs control or scribe to be there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import GrantEnded, GrantExtended, GrantSessionStopped
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

    def at_end() -> None:
        text = gate.live.grant(grant.id).end.isoformat(timespec="seconds")
        over(end, Refusal(Code.GRANT_EXPIRED, {**details, "end": text}))

    def before_end() -> None:
        text = gate.live.grant(grant.id).end.isoformat(timespec="seconds")
        warn(f"This access ends at {text} (grant {grant.id}). For more time ask for a new one: sojourn request.")

    def arm() -> list[asyncio.TimerHandle]:
        armed = [loop.call_at(end, at_end)]
        if gate.settings.warn_seconds:
            armed.append(loop.call_at(end - gate.settings.warn_seconds, before_end))
        return armed

    end = loop.time() + (gate.live.grant(grant.id).end - gate.clock.now()).total_seconds()
    timers = arm()

    def told(event: GrantEnded | GrantExtended | GrantSessionStopped, recorded_at: datetime) -> None:
        nonlocal end, timers
        if isinstance(event, GrantSessionStopped):
            return
        if isinstance(event, GrantExtended):
            for timer in timers:
                timer.cancel()
            end += (event.until - event.since).total_seconds()
            timers = arm()
            return
        since = max(0.0, (gate.clock.now() - recorded_at).total_seconds())
        over(loop.time() - since, Refusal(Code.GRANT_ENDED, {**details, "cause": event.cause}))

    stop = gate.live.watch(grant.id, told)
    if gate.live.is_over(grant.id):
        cause = gate.live.grant(grant.id).cause
        over(loop.time(), Refusal(Code.GRANT_ENDED, {**details, "cause": cause or "ended"}))
    try:
        yield reached
    finally:
        for timer in timers:
            timer.cancel()
        stop()
