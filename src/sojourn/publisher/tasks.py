"""What the tasks of the publisher's process share, so that each can be written without the others.

A task is a coroutine over the `Context`: it watches what is published, does its part (a folder, a bucket, witnesses,
time stamps), and never ends. One that cannot do its part says so with `Context.observe` and tries again later; an error
that leaves it ends the process, which the supervisor starts again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from sojourn.codes import RECORD_WAITS
from sojourn.domain.events import Event
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import PUBLICATION, StreamName
from sojourn.domain.publication import Observed, Standing, decide, evolve
from sojourn.domain.sealed import Sealing
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.note import Verifier
from sojourn.settings import Settings
from sojourn.workflow.ports import Clock

from .files import Files


class PublishedLedger(Protocol):
    """What the publisher needs of the ledger. Implemented by `scribe.client`."""

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """See `workflow.ports.Ledger.append`."""
        ...

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        """Everything on record in one stream."""
        ...

    async def raw(self, places: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of the entries at these places."""
        ...

    async def attachment(self, sha256: str) -> bytes:
        """An attachment; raises SojournError `record.damaged` if there is none."""
        ...

    async def sign(self) -> str:
        """A signed checkpoint over everything recorded so far."""
        ...

    async def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Consistency proof between the trees of `old` and `new` entries."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint of the ledger: the signed note, and what it says."""

    note: str
    head: Checkpoint


@dataclass(slots=True)
class Newest:
    """The newest checkpoint that is published (in the folder, or signed, if there is no folder), and the newest that a
    quorum of witnesses has `cosigned`, with their signatures.
    """

    signed: Signed | None = None
    cosigned: Signed | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, signed: Signed) -> None:
        """Tell everybody who waits of a published one."""
        self.signed = signed
        self._tell()

    def put_cosigned(self, cosigned: Signed) -> None:
        """Tell everybody who waits of a cosigned one."""
        self.cosigned = cosigned
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def beyond(self, size: int, cosigned: int | None = None) -> Signed:
        """The newest published one, as soon as it is of more than `size` entries, or as one is cosigned that is of more
        than `cosigned`.
        """
        while self.signed is None or not (_is_beyond(self.signed, size) or _is_beyond(self.cosigned, cosigned)):
            await self._changed.wait()
        return self.signed


def _is_beyond(one: Signed | None, size: int | None) -> bool:
    return one is not None and size is not None and one.head.size > size


@dataclass(slots=True, kw_only=True)
class Context:
    """What every task gets. `files` is None when no folder is published.

    `report` is given all that is observed, by place, whenever it changes, for people to look at, and for
    whether accesses may begin (`domain.publication.first_late`). `sleep` waits some seconds.
    """

    ledger: PublishedLedger
    settings: Settings
    verifier: Verifier
    clock: Clock
    files: Files | None
    report: Callable[[dict[str, Observed]], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    newest: Newest = field(default_factory=Newest)
    observed: dict[str, Observed] = field(default_factory=dict)
    _standings: dict[str, Standing] = field(default_factory=dict)

    async def sign(self) -> Signed:
        """The newest signed checkpoint. Raises SojournError with one of `RECORD_WAITS`."""
        note = await self.ledger.sign()
        return Signed(note=note, head=checkpoints.open(note, self.verifier))

    async def record(self, *events: Event) -> None:
        """Put events into the stream `publication`. Raises SojournError."""
        await self.ledger.append([Change(stream=PUBLICATION, event=event, seen=None) for event in events])

    async def standing(self, place: str) -> Standing:
        """What is on record about a place. Raises SojournError `record.unavailable`."""
        standing = self._standings.get(place)
        if standing is None:
            standing = Standing(place=place)
            for recorded in await self.ledger.stream(PUBLICATION):
                standing = evolve(standing, recorded.event)
            self._standings[place] = standing
        return standing

    async def observe(self, place: str, *, published: int, size: int, problem: str = "", wrong: bool = False) -> None:
        """Say how a place stands: `published` of `size` entries are there, and the `problem` with it, if any.

        `wrong` says that it holds something else than the ledger. What has to be on record (overdue, refused, resumed)
        is recorded; when the ledger does not take it, the next observation tries again.
        """
        now = self.clock.now()
        last = self.observed.get(place)
        behind = self._behind_since(last, published, size, now)
        seen = Observed(published=published, size=size, behind_since=behind, problem=problem, contradicts=wrong)
        self.observed[place] = seen
        if seen != last:
            self.report(dict(self.observed))
        try:
            standing = await self.standing(place)
            events = decide(standing, seen, now, self.settings.publisher.overdue)
            if events:
                await self.record(*events)
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
            return
        for event in events:
            standing = evolve(standing, event)
        self._standings[place] = standing

    @staticmethod
    def _behind_since(last: Observed | None, published: int, size: int, now: datetime) -> datetime | None:
        """Since when something is missing that was signed; a place that takes new entries is not behind for long."""
        if published >= size:
            return None
        if last is None or last.behind_since is None or published > last.published:
            return now
        return last.behind_since


Task: TypeAlias = Callable[[Context], Coroutine[Any, Any, None]]
"""One job of the publisher's process; it ends only when it is cancelled."""
