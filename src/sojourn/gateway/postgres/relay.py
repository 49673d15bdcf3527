"""Between a client and a target: holds what would act until it is on record, forwards the rest, cuts at the end.

- Bytes of a client that begin an action are held, and all that follows them, until the intent is durable.
- Bytes of the target go on as they come; only headers are read.
- Each side that does not read stops the other side from being read: memory is bounded.
- A cut cancels what runs, tells the client why if a message can be put there, and closes both sides whether or
  not anybody reads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from sojourn.domain.events import CloseCause
from sojourn.errors import Refusal, SojournError
from sojourn.gateway.recorder import SessionRecorder

from . import backend, frontend
from .backend import Severity
from .conversation import Batch, Conversation, Finished
from .walk import BackendWalker
from .wire import Splitter, WireError

STATEMENT_BYTES_MAX = 64 * 1024 * 1024
HELD_BYTES_MAX = 4 * 1024 * 1024
LAST_WORDS_SECONDS = 0.1
CANCEL_SECONDS = 2.0
IO_ERROR = "58030"
ADMIN_SHUTDOWN = "57P01"
CONNECTION_FAILURE = "08006"
_TERMINATE = ord("X")


class _Side(asyncio.Protocol):
    """One side of the relay, as the loop sees it."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._received = received
        self._lost = lost
        self.other: asyncio.Transport | None = None

    def data_received(self, data: bytes) -> None:
        self._received(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.is_closing():
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.is_closing():
            self.other.resume_reading()


@dataclass(slots=True)
class Relay:
    """Relays one session until one side leaves or `cut` is called. `cancel` asks the target to stop what runs."""

    recorder: SessionRecorder
    cancel: Callable[[], Awaitable[None]]
    conversation: Conversation = field(default_factory=Conversation)
    bytes_in: int = 0
    bytes_out: int = 0
    cause: CloseCause | None = None
    cut_at: float | None = None
    """When both sockets were closed after a cut, on the loop's clock."""

    _client: asyncio.Transport | None = None
    _target: asyncio.Transport | None = None
    _client_side: _Side | None = None
    _target_side: _Side | None = None
    _splitter: Splitter = field(default_factory=lambda: Splitter(frontend.session_limits(STATEMENT_BYTES_MAX)))
    _walker: BackendWalker = field(default_factory=BackendWalker)
    _held: deque[Batch] = field(default_factory=deque)
    _held_bytes: int = 0
    _pump: asyncio.Task[None] | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def client_side(self) -> asyncio.Protocol:
        """The protocol that takes over the client's connection."""
        self._client_side = _Side(self._from_client, self._client_lost)
        return self._client_side

    def target_side(self) -> asyncio.Protocol:
        """The protocol that takes over the target's connection."""
        self._target_side = _Side(self._from_target, lambda: self._end(CloseCause.TARGET_CLOSED))
        return self._target_side

    async def run(
        self, client: asyncio.Transport, target: asyncio.Transport, *, from_client: bytes, from_target: bytes
    ) -> CloseCause:
        """Relay, beginning with what each side has sent already. Gives the reason for the end."""
        assert self._client_side is not None and self._target_side is not None
        self._client, self._target = client, target
        self._client_side.other, self._target_side.other = target, client
        if from_target:
            self._from_target(from_target)
        if from_client:
            self._from_client(from_client)
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self._say_last(backend.error_response(ADMIN_SHUTDOWN, "the gateway is stopping", severity=Severity.FATAL))
            self._end(CloseCause.GATEWAY_STOPPED)
            raise
        finally:
            if self._pump is not None:
                self._pump.cancel()
            await self._hang_up()
        assert self.cause is not None
        return self.cause

    def _from_client(self, chunk: bytes) -> None:
        if self.cause is not None:
            return
        self.bytes_in += len(chunk)
        try:
            frames = self._splitter.feed(chunk)
            batch = self.conversation.stage(frames)
        except WireError as error:
            self._say_last(backend.error_response(error.sqlstate, error.reason, severity=Severity.FATAL))
            self._end(CloseCause.PROTOCOL_VIOLATION)
            return
        if any(frame.kind == _TERMINATE for frame in frames):
            self.cause = self.cause or CloseCause.CLIENT_CLOSED
        if not frames:
            return
        if self.conversation.discarding:
            self._answer_refused([batch], b"")
        elif not batch.actions and not self._held:
            self._forward(batch)
        else:
            self._held.append(batch)
            self._held_bytes += sum(len(frame.raw) for frame in frames)
            if self._held_bytes > HELD_BYTES_MAX:
                self._transport(self._client).pause_reading()
            if self._pump is None or self._pump.done():
                self._pump = asyncio.get_running_loop().create_task(self._release())
        if self.cause is CloseCause.CLIENT_CLOSED:
            self._over.set()

    async def _release(self) -> None:
        """Record what is held and let it go on, as much at a time as has come together."""
        while self._held:
            batches = list(self._held)
            actions = [action for batch in batches for action in batch.actions]
            try:
                numbers = await self.recorder.intend([action.intention for action in actions]) if actions else ()
            except SojournError as error:
                self._drop(batches)
                self._refuse(batches, error.refusal)
                continue
            for action, number in zip(actions, numbers, strict=True):
                action.number = number
            self._drop(batches)
            for batch in batches:
                self._forward(batch)

    def _drop(self, batches: list[Batch]) -> None:
        over = self._held_bytes > HELD_BYTES_MAX
        for batch in batches:
            self._held.popleft()
            self._held_bytes -= sum(len(frame.raw) for frame in batch.frames)
        if over and self._held_bytes <= HELD_BYTES_MAX and self.cause is None:
            self._transport(self._client).resume_reading()

    def _forward(self, batch: Batch) -> None:
        target = self._transport(self._target)
        if target.is_closing():
            return
        self._complete(self.conversation.forwarded(batch, asyncio.get_running_loop().time()))
        target.write(batch.raw)

    def _refuse(self, batches: list[Batch], refusal: Refusal) -> None:
        """The record cannot be written. Between transactions the session goes on; inside one it must not."""
        text = f"{refusal.sentence} {refusal.next_step}"
        if self.conversation.between_groups:
            self._answer_refused(batches, backend.error_response(IO_ERROR, text, detail=str(refusal.code)))
            return
        self._say_last(
            backend.error_response(IO_ERROR, text, severity=Severity.FATAL, detail="The transaction was rolled back.")
        )
        self._end(CloseCause.RECORD_UNAVAILABLE)

    def _answer_refused(self, batches: list[Batch], error: bytes) -> None:
        self._transport(self._client).write(self.conversation.refuse(batches, error))

    def _from_target(self, chunk: bytes) -> None:
        client = self._transport(self._client)
        if client.is_closing():
            return
        self.bytes_out += len(chunk)
        try:
            events = self._walker.walk(chunk)
        except WireError as error:
            self._say_last(backend.error_response(CONNECTION_FAILURE, error.reason, severity=Severity.FATAL))
            self._end(CloseCause.TARGET_CLOSED)
            return
        client.write(chunk)
        if events:
            self._complete(self.conversation.answered(events, asyncio.get_running_loop().time()))
            for intention, result in self.conversation.parse_failures:
                self.recorder.note(intention, result)
            self.conversation.parse_failures.clear()

    def _complete(self, finished: list[Finished]) -> None:
        for action, result in finished:
            self.recorder.complete(action.number, result)

    def _client_lost(self) -> None:
        self._end(CloseCause.CLIENT_CLOSED)

    def _end(self, cause: CloseCause) -> None:
        self.cause = self.cause or cause
        self._over.set()

    def _say_last(self, message: bytes) -> None:
        """Tell the client why the session ends, if it stands between two messages."""
        client = self._client
        if client is not None and not client.is_closing() and self._walker.at_boundary:
            client.write(message)

    def cut(self, refusal: Refusal) -> None:
        """End the session because its grant has ended."""
        if self.cause is None:
            text = f"{refusal.sentence} {refusal.next_step}"
            self._say_last(
                backend.error_response(ADMIN_SHUTDOWN, text, severity=Severity.FATAL, detail=str(refusal.code))
            )
            self._end(CloseCause.GRANT_ENDED)

    async def _hang_up(self) -> None:
        """Close both sides: the client gets its last words, and nobody is waited for."""
        loop = asyncio.get_running_loop()
        client, target = self._transport(self._client), self._transport(self._target)
        stopping = loop.create_task(_quietly(self.cancel())) if self.conversation.running else None
        client.close()
        loop.call_later(LAST_WORDS_SECONDS, client.abort)
        self.cut_at = loop.time()
        if stopping is not None:
            await stopping
        if not target.is_closing():
            target.write(frontend.terminate())
            target.close()
            loop.call_later(LAST_WORDS_SECONDS, target.abort)
        self._complete(self.conversation.broken_off(loop.time()))

    @staticmethod
    def _transport(transport: asyncio.Transport | None) -> asyncio.Transport:
        return cast(asyncio.Transport, transport)


async def _quietly(stopping: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            await stopping
    except OSError:
        # The connection to the target is closed right after this; the statement then ends by that.
        return
