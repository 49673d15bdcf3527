"""People who want something done, and look at the record before they try again when they got no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sojourn.errors import Code, Refusal, SojournError
from sojourn.workflow.ports import Office

from .node import Died, Node

T = TypeVar("T")

PATIENCE_SECONDS = 0.25
NO_ANSWER = (Code.RECORD_UNAVAILABLE, Code.RECORD_STALE)


@dataclass(slots=True)
class Desk:
    """Where people go: to whichever node is up."""

    nodes: Sequence[Node]
    turn: int = 0

    async def office(self) -> Office:
        """The next node that serves people; waits until there is one."""
        while True:
            for _ in self.nodes:
                self.turn += 1
                office = self.nodes[self.turn % len(self.nodes)].office
                if office is not None:
                    return office
            await asyncio.sleep(PATIENCE_SECONDS)

    async def once(self, verb: Callable[[Office], Awaitable[T | Refusal]]) -> T | Refusal | None:
        """Try once. None when there was no answer: then it may have been done, or not."""
        office = await self.office()
        try:
            return await verb(office)
        except Died:
            return None
        except SojournError as error:
            if error.code not in NO_ANSWER:
                raise
            return None

    async def insist(
        self, verb: Callable[[Office], Awaitable[T | Refusal]], found: Callable[[], T | None]
    ) -> T | Refusal:
        """Try until there is an answer. Without one, `found` looks whether it was done nevertheless."""
        while True:
            outcome = await self.once(verb)
            if outcome is not None:
                return outcome
            await asyncio.sleep(PATIENCE_SECONDS)
            done = found()
            if done is not None:
                return done
