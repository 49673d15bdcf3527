"""Between a client and a target: holds what would act until it is on record, forwards the rest, cuts at the end.

- What begins an action is held, and all that follows it, until the intent is durable.
- Messages of the extended protocol go on in units: up to the Sync or Flush that asks for their answer.
- Bytes of the target go on as they come; only headers are read.
- Each side that does not read stops the other side from being read: memory is bounded.
- A cut cancels what runs, tells the client why if a message can be put there, and closes both sides whether or
  not anybody reads.
- A statement that cannot be recorded is refused. Where nothing is under way the client may go on; inside a
  transaction or a pipeline the session ends, because going on would commit half of what was meant.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import CloseCause, Outcome
from sojourn.errors import Refusal, SojournError
from sojourn.gateway.recorder import SessionRecorder

from . import backend, frontend
from .action import Batch, Finished
from .backend import Severity
from .conversation import Conversation
from .side import Side
from .walk import BackendWalker
from .wire import Frame, Splitter, WireError

STATEMENT_BYTES_MAX = 64 * 1024 * 1024
HELD_BYTES_MAX = 4 * 1024 * 1024
UNIT_BYTES_MAX = 1024 * 1024
UNITS_PER_APPEND_MAX = 200
LAST_WORDS_SECONDS = 0.1
BOUNDARY_SECONDS = 0.05
QUIET_SECONDS = 10.0
CANCEL_SECONDS = 2.0
RECORD_SECONDS = 60.0
STOP_SECONDS = 3.0
IO_ERROR = "58030"
ADMIN_SHUTDOWN = "57P01"
CONNECTION_FAILURE = "08006"
_TERMINATE = ord("X")
_ACTS = frozenset(b"QPBEF")
_ENDS_UNIT = frozenset(b"QSHFXdcf")


@dataclass(slots=True)
class Relay:
    """Relays one session until one side leaves or `cut` is called. `cancel` asks the target to stop what runs."""

    recorder: SessionRecorder
    cancel: Callable[[], Awaitable[None]]
    conversation: Conversation = field(default_factory=Conversation)
    bytes_in: int = 0
    bytes_out: int = 0
    cause: CloseCause | None = None
    closed_at: float | None = None
    """When both sockets were gone, on the loop's clock."""

    client: Side = field(init=False)
    target: Side = field(init=False)
    _splitter: Splitter = field(default_factory=lambda: Splitter(frontend.session_limits(STATEMENT_BYTES_MAX)))
    _walker: BackendWalker = field(default_factory=BackendWalker)
    _unit: list[Frame] = field(default_factory=list)
    _unit_bytes: int = 0
    _held: deque[Sequence[Frame]] = field(default_factory=deque)
    _held_bytes: int = 0
    _releasing: bool = False
    _leaving: bool = False
    _last_words: bytes = b""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Make the protocols that take over the two connections."""
        self.client = Side(self._from_client, self._client_lost)
        self.target = Side(self._from_target, lambda: self._end(CloseCause.TARGET_CLOSED))

    async def run(
        self, client: asyncio.Transport, target: asyncio.Transport, *, from_client: bytes, from_target: bytes
    ) -> CloseCause:
        """Relay, beginning with what each side has sent already. Gives the reason for the end."""
        self.client.connection_made(client)
        self.target.connection_made(target)
        self.client.other, self.target.other = self.target, self.client
        if self.cause is not None:
            self.client.write(self._last_words)
            self._over.set()
        if from_target:
            self._from_target(from_target)
        if from_client:
            self._from_client(from_client)
        async with asyncio.TaskGroup() as tasks:
            pump = tasks.create_task(self._release())
            try:
                await self._over.wait()
            except asyncio.CancelledError:
                self._say_last(
                    backend.error_response(ADMIN_SHUTDOWN, "the gateway is stopping", severity=Severity.FATAL)
                )
                self._end(CloseCause.GATEWAY_STOPPED)
                raise
            finally:
                await self._hang_up()
                # An intent on its way to the record is waited for: it gets its outcome before the session its end.
                stopped = self.cause is CloseCause.GATEWAY_STOPPED
                await asyncio.wait([pump], timeout=STOP_SECONDS if stopped else RECORD_SECONDS)
                pump.cancel()
        assert self.cause is not None
        return self.cause

    # From the client to the target.

    def _from_client(self, chunk: bytes) -> None:
        if self.cause is not None or self._leaving:
            return
        self.bytes_in += len(chunk)
        try:
            for frame in self._splitter.feed(chunk):
                self._unit.append(frame)
                self._unit_bytes += len(frame.raw)
                # After its goodbye a client may hang up; the target finishes what it was sent before, and closes.
                self._leaving = self._leaving or frame.kind == _TERMINATE
                if frame.kind in _ENDS_UNIT or self._unit_bytes > UNIT_BYTES_MAX:
                    unit, self._unit, self._unit_bytes = self._unit, [], 0
                    self._take(unit)
        except WireError as error:
            self._violated(error)

    def _take(self, unit: Sequence[Frame]) -> None:
        """Forward a unit at once if nothing in it acts and nothing is before it; hold it otherwise."""
        if self.cause is not None:
            return
        if not self._releasing and not self._held and not any(frame.kind in _ACTS for frame in unit):
            self._release_quietly(unit)
            return
        self._held.append(unit)
        self._held_bytes += sum(len(frame.raw) for frame in unit)
        if self._held_bytes > HELD_BYTES_MAX:
            self.client.hold("held")
        self._arrived.set()

    def _release_quietly(self, unit: Sequence[Frame]) -> None:
        if self.conversation.discarding:
            self.client.write(self.conversation.discard(unit, b""))
            return
        self._forward(self.conversation.stage(unit))

    async def _release(self) -> None:
        """Until the end: record what is held and let it go on, as much at a time as has come together."""
        while self.cause is None:
            self._releasing = False
            if not self._held:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            self._releasing = True
            try:
                batches = self._stage_held()
            except WireError as error:
                self._violated(error)
                return
            if batches:
                await self._record_and_forward(batches)
            elif self._held:
                await self._next_answer()

    async def _record_and_forward(self, batches: list[Batch]) -> None:
        actions = [action for batch in batches for action in batch.actions]
        try:
            numbers = await self.recorder.intend([action.intention for action in actions]) if actions else ()
        except SojournError as error:
            await self._refuse(batches, error.refusal)
            return
        for action, number in zip(actions, numbers, strict=True):
            action.number = number
        for batch in batches:
            self._forward(batch)

    async def _next_answer(self) -> None:
        self._answered.clear()
        await self._answered.wait()

    def _stage_held(self) -> list[Batch]:
        """Read as many held units as can be judged now; none if it hangs on an answer what the next one runs."""
        batches: list[Batch] = []
        while self._held and len(batches) < UNITS_PER_APPEND_MAX:
            unit = self._held[0]
            if self.conversation.must_wait(unit):
                break
            self._held.popleft()
            self._held_bytes -= sum(len(frame.raw) for frame in unit)
            if self.conversation.discarding:
                self.client.write(self.conversation.discard(unit, b""))
                continue
            batches.append(self.conversation.stage(unit))
        if self._held_bytes <= HELD_BYTES_MAX:
            self.client.release("held")
        return batches

    def _forward(self, batch: Batch) -> None:
        """Let a batch go on, unless the session has ended while it was being recorded."""
        if self.cause is not None:
            for action in batch.actions:
                self.recorder.complete(action.number, action.result(Outcome.SKIPPED, 0.0))
            return
        self._complete(self.conversation.forwarded(batch, asyncio.get_running_loop().time()))
        self.target.write(batch.raw)

    async def _refuse(self, batches: list[Batch], refusal: Refusal) -> None:
        """The record cannot be written: say so, and end the session where it must not go on."""
        text = f"{refusal.sentence} {refusal.next_step}"
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                while not self.conversation.quiet and self.cause is None:
                    await self._next_answer()
        except TimeoutError:
            pass  # something still runs: the session ends
        if self.cause is not None:
            return
        if self.conversation.between_groups:
            error = backend.error_response(IO_ERROR, text, detail=str(refusal.code))
            self.client.write(self.conversation.refuse(batches, error))
            return
        self._say_last(
            backend.error_response(IO_ERROR, text, severity=Severity.FATAL, detail="The transaction was rolled back.")
        )
        self._end(CloseCause.RECORD_UNAVAILABLE)

    def _violated(self, error: WireError) -> None:
        self._say_last(backend.error_response(error.sqlstate, error.reason, severity=Severity.FATAL))
        self._end(CloseCause.PROTOCOL_VIOLATION)

    # From the target to the client.

    def _from_target(self, chunk: bytes) -> None:
        if self.cause is not None and not self._last_words:
            return
        self.bytes_out += len(chunk)
        if self._last_words and self._walker.left <= len(chunk):
            # The message that was under way when the grant ended is whole now.
            self.client.write(chunk[: self._walker.left] + self._last_words)
            self._last_words = b""
            self._over.set()
            return
        try:
            events = self._walker.walk(chunk)
        except WireError as error:
            self._say_last(backend.error_response(CONNECTION_FAILURE, error.reason, severity=Severity.FATAL))
            self._end(CloseCause.TARGET_CLOSED)
            return
        self.client.write(chunk)
        if events:
            self._complete(self.conversation.answered(events, asyncio.get_running_loop().time()))
            self._answered.set()

    def _complete(self, finished: list[Finished]) -> None:
        for action, result in finished:
            self.recorder.complete(action.number, result)

    # The end.

    def _client_lost(self) -> None:
        # One that has said goodbye may hang up: what it sent before runs to its end, and is on record as that.
        if not self._leaving:
            self._end(CloseCause.CLIENT_CLOSED)

    def _end(self, cause: CloseCause) -> None:
        self.cause = self.cause or (CloseCause.CLIENT_CLOSED if self._leaving else cause)
        self._wake()
        self._over.set()

    def _wake(self) -> None:
        """The pump looks whether it is to stop."""
        self._arrived.set()
        self._answered.set()

    def _say_last(self, message: bytes) -> None:
        """Tell the client why the session ends, if it stands between two messages."""
        if self._walker.at_boundary:
            self.client.write(message)

    def cut(self, refusal: Refusal) -> None:
        """End the session because its grant has ended. In the middle of a message its rest may still come."""
        if self.cause is not None:
            return
        self.cause = CloseCause.GRANT_ENDED
        self._wake()
        text = f"{refusal.sentence} {refusal.next_step}"
        words = backend.error_response(ADMIN_SHUTDOWN, text, severity=Severity.FATAL, detail=str(refusal.code))
        if self._walker.left or self.client.transport is None:
            self._last_words = words
            asyncio.get_running_loop().call_later(BOUNDARY_SECONDS, self._over.set)
            return
        self._say_last(words)
        self._over.set()

    async def _hang_up(self) -> None:
        """Cancel what runs and close both sides: nobody is waited for."""
        loop = asyncio.get_running_loop()
        self._last_words = b""
        async with asyncio.TaskGroup() as tasks:
            if self.conversation.running:
                tasks.create_task(_quietly(self.cancel))
            self.target.write(frontend.terminate())
            ends = [tasks.create_task(side.hang_up(LAST_WORDS_SECONDS)) for side in (self.client, self.target)]
            await asyncio.wait(ends)
            self.closed_at = loop.time()
        self._complete(self.conversation.broken_off(loop.time()))


async def _quietly(cancel: Callable[[], Awaitable[None]]) -> None:
    """Cancel within a deadline. If that fails, the closed connection ends the statement instead."""
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            await cancel()
    except (OSError, TimeoutError):
        return
