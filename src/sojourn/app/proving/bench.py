"""What every negative test works with: two accounts at the API, the record, and the target that is there for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import AttemptRefused, Event, ProbeTried
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import ATTEMPTS, PersonId, RoleName
from sojourn.domain.target import Target
from sojourn.errors import SojournError
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings

Api = Callable[[str, str, str, dict[str, Any]], Any]
"""`api(person, method, path, body)`: what the API answers. Raises SojournError with the API's own code."""

PAGE = 1000
RECORD_SECONDS = 10.0
LOOK_SECONDS = 0.1

Kind = TypeVar("Kind", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Untried:
    """A test for which there was no occasion, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run: it asks for `role` on `target` as `requester`, and decides as `approver`."""

    layout: Layout
    settings: Settings
    ledger: ScribeClient
    api: Api
    adopted: Adopted
    target: Target
    role: RoleName
    requester: PersonId
    approver: PersonId

    async def ask(self, person: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the API, which must not hold up the record's client."""
        return await asyncio.to_thread(self.api, person, method, path, body or {})

    async def refused(self, name: str, start: int, doing: Awaitable[Any], what: str) -> ProbeTried:
        """The result of something that has to be refused, and whose refusal has to be on record from `start` on."""
        try:
            await doing
        except SojournError as error:
            entries = await self.attempts(start, str(error.code))
            found = f"{what}: refused, {error.code}"
            if not entries:
                return ProbeTried(name=name, passed=False, found=f"{found}; the refusal is not on record", entries=())
            return ProbeTried(name=name, passed=True, found=found, entries=entries)
        return ProbeTried(name=name, passed=False, found=f"{what}: it was allowed", entries=())

    async def attempts(self, start: int, code: str) -> tuple[int, ...]:
        """The places of refused attempts with that code, once there is one; empty after some seconds without."""

        def wanted(one: Recorded) -> bool:
            return isinstance(one.event, AttemptRefused) and one.event.code == code

        return await self.awaited(start, (ATTEMPTS,), wanted, RECORD_SECONDS)

    async def awaited(
        self, start: int, prefixes: Sequence[str], wanted: Callable[[Recorded], bool], seconds: float
    ) -> tuple[int, ...]:
        """The places of the first entries that are wanted, once there are some; empty after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    batch = await self.ledger.read(start, PAGE, prefixes)
                    found = tuple(one.seq for one in batch if wanted(one))
                    if found:
                        return found
                    start = batch[-1].seq + 1 if batch else start
                    await asyncio.sleep(0 if batch else LOOK_SECONDS)
        except TimeoutError:
            return ()

    async def submitted(self, duration: str, role: str = "") -> Any:
        """A request as the API shows it, of the requester's, with everything that its rules ask for and we know."""
        body = {"target": self.target.name, "role": role or self.role, "duration": duration, "reason": REASON}
        return await self.ask(self.requester, "POST", "/requests", body)


REASON = "negative test of the controls (sojourn controls prove)"
