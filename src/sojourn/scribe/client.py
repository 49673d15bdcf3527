"""The scribe's client: how every other process records and reads.

- One socket, many calls in flight; frames that are sent within one turn of the loop leave in one write.
- While the scribe is away every call fails at once with `record.unavailable`; the client connects again by itself.
- A call that was in flight when the scribe went away fails too. Whether an append among those was recorded is not
  known until the stream is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from sojourn.codes import Code
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import StreamName
from sojourn.domain.sealed import HeldKey, SealedMatter, Sealing, SealingKey
from sojourn.errors import SojournError

from . import codec, protocol
from .connection import Answered, Connection
from .protocol import frame

RECONNECT_SECONDS = 0.05
RECONNECT_SECONDS_MAX = 1.0
CONNECT_SECONDS = 30.0
KEYS_KNOWN_MAX = 10_000


class _Line(msgspec.Struct):
    """An entry as it lies in the ledger, its body unread."""

    at: datetime
    body: msgspec.Raw
    kind: str
    seq: int
    stream: str
    v: int
    version: int


_line_decoder = msgspec.json.Decoder(_Line)

Kind = TypeVar("Kind", bound=protocol.Single)


def read_entry(data: bytes) -> Recorded:
    """The event in an entry's bytes. Raises SojournError `record.damaged`."""
    try:
        line = _line_decoder.decode(data)
    except protocol.UNREADABLE as error:
        raise SojournError(
            Code.RECORD_DAMAGED, problem=f"an entry cannot be read: {error}", path="ledger.db"
        ) from error
    return Recorded(
        seq=line.seq,
        at=line.at,
        stream=StreamName(line.stream),
        version=line.version,
        event=codec.decode(line.kind, bytes(line.body)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """Size of the ledger and root of its tree (32 bytes)."""

    size: int
    root: bytes


class ScribeClient:
    """Implements `workflow.ports.Ledger`, and reads what others need. Use it as an asynchronous context manager."""

    def __init__(self, path: Path) -> None:
        """A client of the scribe whose socket is `path`; it connects when started."""
        self._path = path
        self._connection: Connection | None = None
        self._up = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._next_id = protocol.NO_CALL

    async def __aenter__(self) -> ScribeClient:
        """Start connecting."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        await self.close()

    async def start(self) -> None:
        """Begin to connect, and to connect again whenever the connection is lost."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())

    async def close(self) -> None:
        """Hang up; calls in flight fail."""
        connection = self._connection
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if connection is not None:
            connection.abort()
            await connection.lost

    async def connected(self, timeout: float) -> None:
        """Wait until the scribe is there. Raises SojournError `record.unavailable` after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while self._connection is None or self._connection.closing:
                    await self._up.wait()
                    # A connection that is just being lost still counts as up for a turn of the loop or two.
                    await asyncio.sleep(0)
        except TimeoutError as error:
            raise SojournError(Code.RECORD_UNAVAILABLE) from error

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        pause = RECONNECT_SECONDS
        while True:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    _, connection = await loop.create_unix_connection(Connection, str(self._path))
            except OSError:
                await asyncio.sleep(pause)
                pause = min(RECONNECT_SECONDS_MAX, pause * 1.5)
                continue
            pause = RECONNECT_SECONDS
            self._connection = connection
            self._up.set()
            try:
                # Whoever closes the client waits for the same future, so a cancelled wait must not cancel it.
                await asyncio.shield(connection.lost)
            finally:
                self._up.clear()
                self._connection = None
            # A scribe that takes a connection and lets go of it at once is not asked in a tight circle.
            await asyncio.sleep(pause)

    def _send(self, call: protocol.Call) -> asyncio.Future[protocol.Single]:
        """Send a call; the future is its answer, or the error."""
        connection = self._connection
        if connection is None:
            raise SojournError(Code.RECORD_UNAVAILABLE)
        future: asyncio.Future[protocol.Single] = asyncio.get_running_loop().create_future()
        connection.send(call.id, _frame(call), partial(_settle, future))
        return future

    async def _call(self, call: protocol.Call, kind: type[Kind]) -> Kind:
        answer = await self._send(call)
        assert isinstance(answer, kind), "the scribe answers each call with its own kind"
        return answer

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """See `workflow.ports.Ledger.append`."""
        return await self.append_nowait(changes, guards=guards, sealings=sealings, attachments=attachments)

    def append_nowait(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> asyncio.Future[Receipt]:
        """As `append`, sent before this returns and without a task: the future is the receipt, or the error.

        Appends sent one after the other are recorded in that order. Raises SojournError `record.unavailable` or
        `record.too_large` when it could not be sent.
        """
        drafts = [
            protocol.Draft(change.stream, change.event.kind, codec.encode(change.event), change.seen)
            for change in changes
        ]
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        seen = [(guard.stream, guard.seen) for guard in guards]
        self._append(drafts, seen, sealings, attachments, partial(_receive, future), now=False)
        return future

    def append_drafts(
        self,
        drafts: Sequence[protocol.Draft],
        sealings: Sequence[Sealing],
        answered: Callable[[SojournError | None], None],
    ) -> None:
        """See `gateway.journal.Record.append_drafts`. It leaves in this turn of the loop."""

        def settled(outcome: protocol.Single | SojournError) -> None:
            answered(outcome if isinstance(outcome, SojournError) else None)

        self._append(drafts, (), sealings, (), settled, now=True)

    def _append(
        self,
        drafts: Sequence[protocol.Draft],
        guards: Sequence[tuple[StreamName, int]],
        sealings: Sequence[Sealing],
        attachments: Sequence[bytes],
        answered: Answered,
        *,
        now: bool,
    ) -> None:
        connection = self._connection
        if connection is None:
            raise SojournError(Code.RECORD_UNAVAILABLE)
        fresh: dict[str, SealingKey] = {}
        matter: list[protocol.Matter] = []
        for commitment, ciphertext, key in sealings:
            if key.key not in connection.keys_known:
                fresh[key.key] = key
            matter.append(protocol.Matter(commitment, key.key, ciphertext))
        keys = [protocol.Key(key.key, key.subject, key.recipient, key.wrapped) for key in fresh.values()]
        if keys:
            answered = partial(_remember_keys, connection, tuple(fresh), answered)
        call = protocol.Append(self._id(), list(drafts), list(guards), matter, keys, list(attachments))
        connection.send(call.id, _frame(call), answered, now=now)

    async def raw_stream(self, stream: StreamName) -> tuple[bytes, ...]:
        """The bytes of every entry of one stream, in order."""
        found: list[bytes] = []
        after, more = 0, True
        while more:
            page = await self._call(protocol.ReadStream(self._id(), stream, after), protocol.Entries)
            found.extend(page.entries)
            after, more = page.following, page.more
        return tuple(found)

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        """See `workflow.ports.Ledger.stream`."""
        return tuple(map(read_entry, await self.raw_stream(stream)))

    async def read(self, start: int, limit: int, prefixes: Sequence[str] = ()) -> tuple[Recorded, ...]:
        """Up to `limit` entries from place `start` on whose stream begins with one of `prefixes`; a page at most."""
        more = limit > 0
        page: list[bytes] = []
        while more and not page:
            answer = await self._call(protocol.Read(self._id(), start, limit, list(prefixes), False), protocol.Entries)
            page, start, more = answer.entries, answer.following, answer.more
        return tuple(map(read_entry, page))

    async def follow(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """All such entries from place `start` on, in order, for ever: what is there, then what is added.

        Survives a scribe that goes away and comes back; loses and repeats nothing.
        """
        while True:
            call = protocol.Read(self._id(), start, protocol.PAGE_ENTRIES_MAX, list(prefixes), True)
            try:
                page = await self._call(call, protocol.Entries)
            except SojournError as error:
                if error.code is not Code.RECORD_UNAVAILABLE:
                    raise
                await asyncio.sleep(RECONNECT_SECONDS)
                await self._up.wait()
                continue
            if page.entries:
                yield tuple(map(read_entry, page.entries))
            start = page.following

    async def raw(self, places: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of the entries at these places."""
        found: list[bytes] = []
        done = 0
        while done < len(places):
            part = list(places[done : done + protocol.PAGE_ENTRIES_MAX])
            page = await self._call(protocol.Fetch(self._id(), part), protocol.Entries)
            found.extend(page.entries)
            done += page.following
        return tuple(found)

    async def matter(self, commitments: Sequence[str]) -> tuple[tuple[SealedMatter, SealingKey], ...]:
        """The sealed values of these commitments with their keys; those that were destroyed are left out."""
        found: list[tuple[SealedMatter, SealingKey]] = []
        done = 0
        while done < len(commitments):
            part = list(commitments[done : done + protocol.PAGE_ENTRIES_MAX])
            page = await self._call(protocol.ReadMatter(self._id(), part), protocol.Matters)
            found.extend(_domain(matter, key) for matter, key in page.found)
            done += page.following
        return tuple(found)

    async def keys(self, subject: str = "") -> tuple[HeldKey, ...]:
        """Every sealing key whose subject begins with `subject`, without its secret; destroyed ones too."""
        found: list[HeldKey] = []
        more = True
        while more:
            after = found[-1].key if found else ""
            page = await self._call(protocol.ReadKeys(self._id(), subject, after), protocol.Keys)
            found.extend(
                HeldKey(key=key, subject=about, recipient=recipient, destroyed=gone)
                for key, about, recipient, gone in page.found
            )
            more = page.more
        return tuple(found)

    async def attachment(self, sha256: str) -> bytes:
        """The attachment of that SHA-256 (hex). Raises SojournError `record.damaged` if there is none."""
        content = (await self._call(protocol.ReadAttachment(self._id(), sha256), protocol.Blob)).content
        if content is None:
            raise SojournError(Code.RECORD_DAMAGED, problem=f"attachment {sha256} is missing", path="ledger.db")
        return content

    async def head(self) -> TreeHead:
        """Size and root of the tree as it is now (not signed)."""
        answer = await self._call(protocol.ReadHead(self._id()), protocol.Head)
        return TreeHead(size=answer.size, root=answer.root)

    async def size(self) -> int:
        """The number of entries in the ledger."""
        return (await self.head()).size

    async def sign(self) -> str:
        """A signed checkpoint (C2SP signed-note) over everything recorded so far."""
        return (await self._call(protocol.Sign(self._id()), protocol.Note)).text

    async def prove(self, seqs: Sequence[int], size: int) -> tuple[tuple[bytes, ...], ...]:
        """Inclusion proofs (RFC 6962 section 2.1.1) of these entries, each once, in the tree of `size` entries."""
        found: list[tuple[bytes, ...]] = []
        for _, tile in groupby(seqs, lambda seq: seq // protocol.PROOFS_MAX):
            call = protocol.Prove(self._id(), list(tile), size)
            found += map(tuple, (await self._call(call, protocol.Proofs)).proofs)
        return tuple(found)

    async def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Consistency proof (RFC 6962 section 2.1.2) between the trees of `old` and `new` entries."""
        return tuple((await self._call(protocol.ProveConsistency(self._id(), old, new), protocol.Hashes)).hashes)


def _frame(call: protocol.Call) -> bytes:
    data = frame(call)
    if len(data) > protocol.FRAME_BYTES_MAX:
        raise SojournError(Code.RECORD_TOO_LARGE, size=str(len(data)), limit=str(protocol.FRAME_BYTES_MAX))
    return data


def _settle(future: asyncio.Future[protocol.Single], outcome: protocol.Single | SojournError) -> None:
    if future.done():
        return
    if isinstance(outcome, SojournError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _receive(future: asyncio.Future[Receipt], outcome: protocol.Single | SojournError) -> None:
    """Give the receipt of an append, or the error."""
    if future.done():
        return
    if type(outcome) is protocol.Appended:
        future.set_result(Receipt(first=outcome.first, size=outcome.size, at=_moment(outcome.at)))
    else:
        assert isinstance(outcome, SojournError), "an append is answered with its receipt"
        future.set_exception(outcome)


_moment = lru_cache(maxsize=8)(datetime.fromisoformat)
"""Everything that is written together has the same time, so it is read once."""


def _remember_keys(
    connection: Connection, keys: tuple[str, ...], answered: Answered, outcome: protocol.Single | SojournError
) -> None:
    """Once an append is acknowledged, its keys need not be sent on this connection again."""
    if not isinstance(outcome, SojournError):
        known = connection.keys_known
        known.update(dict.fromkeys(keys))
        while len(known) > KEYS_KNOWN_MAX:
            del known[next(iter(known))]
    answered(outcome)


def _domain(matter: protocol.Matter, key: protocol.Key) -> tuple[SealedMatter, SealingKey]:
    return (
        SealedMatter(commitment=matter.commitment, key=matter.key, ciphertext=matter.ciphertext),
        SealingKey(key=key.key, subject=key.subject, recipient=key.recipient, wrapped=key.wrapped),
    )
