"""A ledger in memory that keeps the same promises as the scribe's, save that it forgets.

It encodes and decodes every event as the scribe does, so that what cannot be recorded fails here too.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sojourn.domain.events import KeysDestroyed
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import StreamName
from sojourn.domain.sealed import HeldKey, SealedMatter, Sealing, SealingKey
from sojourn.errors import Code, SojournError
from sojourn.scribe import codec
from sojourn.scribe.protocol import Draft
from sojourn.workflow.ports import Clock, Ledger

_appending: set[asyncio.Task[Receipt]] = set()


def append_drafts(
    ledger: Ledger,
    drafts: Sequence[Draft],
    sealings: Sequence[Sealing],
    answered: Callable[[SojournError | None], None],
) -> None:
    """What `append_drafts` means, in terms of `append`, for ledgers of tests that watch or disturb that one."""
    changes = [
        Change(stream=StreamName(draft.stream), event=codec.decode(draft.kind, draft.body), seen=draft.seen)
        for draft in drafts
    ]
    task = asyncio.get_running_loop().create_task(_receipt(ledger, changes, sealings))
    _appending.add(task)
    task.add_done_callback(partial(_answer, answered))


async def _receipt(ledger: Ledger, changes: Sequence[Change], sealings: Sequence[Sealing]) -> Receipt:
    return await ledger.append(changes, sealings=sealings)


def _answer(answered: Callable[[SojournError | None], None], task: asyncio.Task[Receipt]) -> None:
    _appending.discard(task)
    error = SojournError(Code.RECORD_UNAVAILABLE) if task.cancelled() else task.exception()
    assert error is None or isinstance(error, SojournError), error
    answered(error)


@dataclass(slots=True)
class MemoryLedger:
    """Implements `workflow.ports.Ledger`, and the reading side of `scribe.client`.

    `failing` makes every append raise `record.unavailable`, as when the scribe is down.
    """

    clock: Clock
    entries: list[Recorded] = field(default_factory=list)
    matters: dict[str, tuple[SealedMatter, SealingKey]] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)
    destroyed: set[str] = field(default_factory=set)
    failing: bool = False
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """See `workflow.ports.Ledger.append`. Yields once, so that callers race as they would on a socket."""
        await asyncio.sleep(0)
        if self.failing:
            raise SojournError(Code.RECORD_UNAVAILABLE)
        versions = {guard.stream: guard.seen for guard in guards}
        for stream, seen in versions.items():
            if self._version(stream) != seen:
                raise SojournError(Code.RECORD_STALE, stream=stream)
        first = len(self.entries)
        fresh: list[Recorded] = []
        for change in changes:
            version = self._version(change.stream) + sum(one.stream == change.stream for one in fresh)
            if change.seen is not None and change.seen != version:
                raise SojournError(Code.RECORD_STALE, stream=change.stream)
            event = codec.decode(change.event.kind, codec.encode(change.event))
            fresh.append(
                Recorded(
                    seq=first + len(fresh),
                    at=self.clock.now(),
                    stream=change.stream,
                    version=version + 1,
                    event=event,
                )
            )
        destroyed = [key for one in fresh if isinstance(one.event, KeysDestroyed) for key in one.event.keys]
        known = {key.key for _, key in self.matters.values()} | {sealing.key.key for sealing in sealings}
        if self.destroyed.intersection(destroyed) or not known.issuperset(destroyed):
            raise SojournError(Code.RECORD_STALE, stream=changes[0].stream)
        self.destroyed.update(destroyed)
        # A test may read in another thread: what an entry refers to is there before the entry is.
        for sealing in sealings:
            self.matters[sealing.matter.commitment] = (sealing.matter, sealing.key)
        for attachment in attachments:
            self.attachments[hashlib.sha256(attachment).hexdigest()] = attachment
        self.entries.extend(fresh)
        self._grown.set()
        self._grown = asyncio.Event()
        return Receipt(first=first, size=len(self.entries), at=self.clock.now())

    def append_drafts(
        self, drafts: Sequence[Draft], sealings: Sequence[Sealing], answered: Callable[[SojournError | None], None]
    ) -> None:
        """See `scribe.client.ScribeClient.append_drafts`."""
        append_drafts(self, drafts, sealings, answered)

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        """See `workflow.ports.Ledger.stream`."""
        await asyncio.sleep(0)
        return tuple(one for one in self.entries if one.stream == stream)

    async def follow(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """See `scribe.client.ScribeClient.follow`."""
        while True:
            grown = self._grown
            batch = tuple(one for one in self.entries[start:] if not prefixes or one.stream.startswith(tuple(prefixes)))
            start = max(start, len(self.entries))
            if batch:
                yield batch
            else:
                await grown.wait()

    async def matter(self, commitments: Sequence[str]) -> tuple[tuple[SealedMatter, SealingKey], ...]:
        """See `scribe.client.ScribeClient.matter`."""
        found = [self.matters[commitment] for commitment in commitments if commitment in self.matters]
        return tuple((matter, key) for matter, key in found if key.key not in self.destroyed)

    async def keys(self, subject: str = "") -> tuple[HeldKey, ...]:
        """See `scribe.client.ScribeClient.keys`."""
        held = {key.key: key for _, key in self.matters.values() if key.subject.startswith(subject)}
        return tuple(
            HeldKey(key=name, subject=key.subject, recipient=key.recipient, destroyed=name in self.destroyed)
            for name, key in sorted(held.items())
        )

    async def attachment(self, sha256: str) -> bytes:
        """See `scribe.client.ScribeClient.attachment`."""
        return self.attachments[sha256]

    async def read(self, start: int, limit: int, prefixes: Sequence[str] = ()) -> tuple[Recorded, ...]:
        """See `scribe.client.ScribeClient.read`."""
        wanted = tuple(prefixes) or ("",)
        return tuple(one for one in self.entries[start:] if one.stream.startswith(wanted))[:limit]

    async def size(self) -> int:
        """See `scribe.client.ScribeClient.size`."""
        return len(self.entries)

    def _version(self, stream: StreamName) -> int:
        return sum(one.stream == stream for one in self.entries)
