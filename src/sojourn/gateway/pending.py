"""Whoever comes while their access is still on its way may wait for it, whatever the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.errors import Code, Refusal

from .live import LiveView

WAIT_STEP_SECONDS = 0.1


def what_is_pending(
    live: LiveView, person: PersonId, target: TargetName, role: RoleName | None, refusal: Refusal, *, link: str = ""
) -> str:
    """What would let the person in and is on its way, in a sentence; empty for nothing. `link` is where pages are."""
    if refusal.code is Code.GRANT_NOT_READY:
        return refusal.sentence
    if refusal.code not in (Code.GRANT_NONE_ACTIVE, Code.GRANT_ENDED, Code.GRANT_EXPIRED):
        return ""
    request = live.pending(person, target, role)
    if request is None:
        return ""
    place = (
        f"{link.rstrip('/')}/requests/{request} and `sojourn show {request}` tell"
        if link
        else f"`sojourn show {request}` tells"
    )
    return f"Request {request} is not an access yet; {place} what it waits for."


@dataclass(slots=True)
class WaitingRoom:
    """One connection of a person waits: the others would only hold descriptors. `seconds` is how long; 0 is not."""

    seconds: int
    _waiting: set[PersonId] = field(default_factory=set)

    def admits(self, person: PersonId) -> bool:
        """Whether this person may wait now."""
        return bool(self.seconds) and person not in self._waiting

    async def wait(
        self, person: PersonId, verdict: Callable[[], Grant | Refusal], gone: Callable[[], bool]
    ) -> Grant | Refusal:
        """The verdict once it lets the person in, or when they have `gone` or waited long enough."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.seconds
        self._waiting.add(person)
        try:
            found = verdict()
            while isinstance(found, Refusal) and loop.time() < until and not gone():
                await asyncio.sleep(WAIT_STEP_SECONDS)
                found = verdict()
            return found
        finally:
            self._waiting.discard(person)
