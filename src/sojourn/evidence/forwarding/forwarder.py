"""The forwarder: follows the ledger and sends every entry to one destination, in order, each at least once.

- It goes on where its cursor is, and the cursor moves only past what the destination has taken. So a crash repeats
  events and loses none; `metadata.sequence` is the place of the entry, and places have no gap.
- What is not taken is tried again for ever, later each time, up to a minute. A destination that has taken nothing for
  longer than `overdue` is on record once, and so is that it takes again.
- It holds up nobody: nothing waits for a SIEM.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from sojourn.domain.events import ForwardingOverdue, ForwardingResumed
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import NOTICES
from sojourn.errors import SojournError
from sojourn.evidence.ocsf import Source, ocsf_event
from sojourn.workflow.ports import Clock, Ledger

from .sink import Message, Sink, SinkError

BATCH_MAX = 200
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 1.0, 60.0
PROBLEM_MAX = 200

log = structlog.get_logger("forwarding")


class Place(Protocol):
    """Where a forwarder keeps how far it is."""

    def read(self) -> int | None:
        """The place of the next entry; None at the very first start."""
        ...

    def write(self, place: int) -> None:
        """Keep it. Raises OSError."""
        ...


class Reading(Ledger, Protocol):
    """How the ledger is read: see `scribe.client.ScribeClient`."""

    def follow(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """All entries from a place on, for ever."""
        ...

    async def raw(self, places: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of the entries at these places."""
        ...


@dataclass(slots=True, kw_only=True)
class Forwarder:
    """One destination's forwarder. `pause` is the first wait between two tries."""

    ledger: Reading
    sink: Sink
    place: Place
    source: Source
    clock: Clock
    overdue: timedelta
    pause: float = PAUSE_SECONDS
    _told: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Forward for ever; until cancelled. Raises SojournError from the ledger, OSError for a cursor."""
        try:
            async for batch in self.ledger.follow(self.place.read() or 0):
                for start in range(0, len(batch), BATCH_MAX):
                    part = batch[start : start + BATCH_MAX]
                    await self._deliver(await self._messages(part))
                    self.place.write(part[-1].seq + 1)
        finally:
            await self.sink.close()

    async def _messages(self, part: Sequence[Recorded]) -> list[Message]:
        raw = await self.ledger.raw([one.seq for one in part])
        return [self._message(one, data) for one, data in zip(part, raw, strict=True)]

    def _message(self, one: Recorded, raw: bytes) -> Message:
        event = ocsf_event(one, raw, self.source)
        return Message(
            place=one.seq,
            at=one.at,
            severity=event["severity_id"],
            kind=one.event.kind,
            body=msgspec.json.encode(event),
        )

    async def _deliver(self, messages: Sequence[Message]) -> None:
        """Send until it is taken."""
        since, pause = self.clock.now(), self.pause
        while True:
            try:
                await self.sink.send(messages)
            except SinkError as error:
                log.warning("a SIEM takes nothing", destination=self.sink.name, problem=str(error))
                await self._late(since, messages[0].place, str(error))
            else:
                break
            await asyncio.sleep(pause)
            pause = min(PAUSE_SECONDS_MAX, pause * 2)
        if self._told:
            await self._say(ForwardingResumed(destination=self.sink.name, place=messages[0].place))
            self._told = False

    async def _late(self, since: datetime, place: int, problem: str) -> None:
        if self._told or self.clock.now() - since < self.overdue:
            return
        event = ForwardingOverdue(destination=self.sink.name, since=since, place=place, problem=problem[:PROBLEM_MAX])
        self._told = await self._say(event)

    async def _say(self, event: ForwardingOverdue | ForwardingResumed) -> bool:
        """Put it on record; if the record is away, it is said with the next try."""
        try:
            await self.ledger.append((Change(stream=NOTICES, event=event, seen=None),))
        except SojournError as error:
            log.warning("the record waits", code=error.code)
            return False
        return True
