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
from functools import partial
from typing import cast

import structlog

from sojourn.domain.events import CloseCause, Outcome
from sojourn.errors import Code, Refusal, SojournError
from sojourn.gateway.recorder import SessionRecorder

from . import backend, frontend
from .action import Batch, Finished
from .backend import Severity
from .conversation import Conversation
from .discard import Discarding
from .lone import Lone
from .parting import LastWords, hang_up
from .sides import Side, hold
from .walk import BackendWalker
from .wire import LIMIT_EXCEEDED, Frame, Splitter, WireError

log = structlog.get_logger("gateway")

STATEMENT_BYTES_MAX = 64 * 1024 * 1024
WITHHELD_BYTES_MAX = 1024 * 1024
HELD_BYTES_MAX = 256 * 1024
HELD_FRAMES_MAX = 10_000
BATCH_BYTES_MAX = 4 * 1024 * 1024
BATCH_FRAMES_MAX = 1_000
IO_ERROR = "58030"
ADMIN_SHUTDOWN = "57P01"
CONNECTION_FAILURE = "08006"
_TERMINATE = ord("X")


@dataclass(slots=True)
class Relay:
    """Relays one session until one side leaves or `cut` is called. `cancel` asks the target to stop what runs.

    `reading` begins with True in a session whose role the target keeps read-only and that may therefore be recorded
    before release (ADR 0019). The first statement that may write ends that for the session.
    """

    recorder: SessionRecorder
    cancel: Callable[[], Awaitable[None]]
    reading: bool = False
    conversation: Conversation = field(default_factory=Conversation)
    _discarding: Discarding = field(default_factory=Discarding)
    bytes_in: int = 0
    bytes_out: int = 0
    cause: CloseCause | None = None
    active_at: float = 0.0
    """When the client last said something or was last answered, on the loop's clock."""

    cut_at: float | None = None
    """When both sockets were closed after a cut, on the loop's clock."""

    _client: asyncio.Transport | None = None
    _target: asyncio.Transport | None = None
    _client_side: Side | None = None
    _target_side: Side | None = None
    _splitter: Splitter = field(default_factory=lambda: Splitter(frontend.session_limits(STATEMENT_BYTES_MAX)))
    _walker: BackendWalker = field(default_factory=BackendWalker)
    _time: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)
    _held: deque[Frame] = field(default_factory=deque)
    _held_bytes: int = 0
    _client_waits_for: set[str] = field(default_factory=set)
    _target_waits_for: set[str] = field(default_factory=set)
    _leaving: bool = False
    _recording: bool = False
    _early: bool = False
    _target_gone: bool = False
    _withheld: list[bytes] = field(default_factory=list)
    _withheld_bytes: int = 0
    _refusal: bytes = b""
    _last_words: LastWords = field(init=False)
    _notice: bytes = b""
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Let the last words know where the client stands."""
        self._last_words = LastWords(self._walker)

    def client_side(self) -> asyncio.Protocol:
        """The protocol that takes over the client's connection."""
        self._client_side = Side(self._from_client, self._client_lost, partial(self._hold_target, "client"))
        return self._client_side

    def target_side(self) -> asyncio.Protocol:
        """The protocol that takes over the target's connection."""
        self._target_side = Side(self._from_target, self._target_lost, partial(self._hold_client, "target"))
        return self._target_side

    async def run(
        self, client: asyncio.Transport, target: asyncio.Transport, *, from_client: bytes, from_target: bytes
    ) -> CloseCause:
        """Relay, beginning with what each side has sent already. Gives the reason for the end."""
        self._client, self._target = client, target
        self.active_at = self._time()
        if self._refusal:
            self._say_last(self._refusal)
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
            await self._hang_up()
        assert self.cause is not None
        return self.cause

    def _hold_target(self, reason: str, wait: bool) -> None:
        hold(self._target, self._target_waits_for, reason, wait)

    def _hold_client(self, reason: str, wait: bool) -> None:
        hold(self._client, self._client_waits_for, reason, wait)

    def _from_client(self, chunk: bytes) -> None:
        if self.cause is not None or self._leaving:
            return
        self.bytes_in += len(chunk)
        self.active_at = self._time()
        quiet = self._splitter.at_boundary and not (self._recording or self._held or self._discarding.active)
        try:
            if quiet and (lone := self.conversation.lone(chunk)) is not None:
                self._record(lone)
                return
            frames = self._splitter.feed(chunk)
        except WireError as error:
            self._broken(error)
            return
        for frame in frames:
            if frame.kind == _TERMINATE:
                # Nothing counts after it. What came before it still goes to the target, as without a gateway.
                self._leaving = True
                break
            self._held.append(frame)
            self._held_bytes += len(frame.raw)
        if self._held_bytes > HELD_BYTES_MAX or len(self._held) > HELD_FRAMES_MAX:
            self._hold_client("held", True)
        self._go_on()

    def _broken(self, error: WireError) -> None:
        self._say_last(backend.error_response(error.sqlstate, error.reason, severity=Severity.FATAL))
        self._end(CloseCause.PROTOCOL_VIOLATION)

    def _go_on(self) -> None:
        """Forward what is held up to a batch that begins an action; go on when that is on record."""
        while not self._recording and self.cause is None:
            batch = self._next_batch()
            if batch is None:
                break
            if batch.actions or self.recorder.behind:
                self._record(batch)
            else:
                self._forward(batch)
        if self._leaving and self.cause is None and not self._recording:
            self._leave()

    def _record(self, batch: Batch | Lone) -> None:
        """Have what the batch begins put on record, and let it go on then."""
        self._recording, intentions = True, batch.intentions
        if self.reading and self._may_go_early(batch):
            self._early = True
            self._forward(batch)
        otherwise = Outcome.INTERRUPTED if self._early else Outcome.SKIPPED
        self.recorder.intend(intentions, partial(self._recorded, batch), otherwise)

    def _recorded(self, batch: Batch | Lone, outcome: tuple[int, ...] | SojournError) -> None:
        """The batch is on record and goes on, or is refused because it is not."""
        self._recording = False
        try:
            if isinstance(outcome, SojournError):
                self._refuse(batch, outcome.refusal)
            else:
                batch.numbered(outcome)
                self._release() if self._early else self._forward(batch)
            if self._held or self._leaving:
                self._go_on()
        except Exception:
            # The top of this session's work: a fault of ours ends it, and none that shared the append.
            log.exception("a session failed", session=self.recorder.session)
            self._end(CloseCause.INTERRUPTED)

    def _may_go_early(self, batch: Batch | Lone) -> bool:
        """Whether a batch goes on before its record is durable: as long as nothing but reads has come by."""
        self.reading = batch.only_reads
        target = self._transport(self._target)
        return self.reading and self.recorder.prompt and self.conversation.settled and not target.is_closing()

    def _release(self) -> None:
        """What went on early is on record: let go what the target has answered to it."""
        self._early = False
        withheld, self._withheld = self._withheld, []
        self._withheld_bytes = 0
        self._hold_target("record", False)
        if self.cause is not None:
            self._complete(self.conversation.broken_off(self._time()))
        for chunk in withheld:
            self._from_target(chunk)
        if self._target_gone:
            self._target_lost()

    def _next_batch(self) -> Batch | None:
        if self._discarding.active:
            self._transport(self._client).write(self._discarding.discard(self._held, self.conversation.status))
            self._held_bytes = sum(len(frame.raw) for frame in self._held)
        held = self._held
        if not held:
            return None
        frames: list[Frame] = []
        if len(held) <= BATCH_FRAMES_MAX and self._held_bytes <= BATCH_BYTES_MAX:
            frames.extend(held)
            held.clear()
            self._held_bytes = 0
        else:
            size = 0
            while held and len(frames) < BATCH_FRAMES_MAX:
                if frames and size + len(held[0].raw) > BATCH_BYTES_MAX:
                    break
                frames.append(held.popleft())
                size += len(frames[-1].raw)
            self._held_bytes -= size
        if "held" in self._client_waits_for:
            self._hold_client("held", self._held_bytes > HELD_BYTES_MAX or len(held) > HELD_FRAMES_MAX)
        try:
            return self.conversation.stage(frames)
        except WireError as error:
            self._broken(error)
            return None

    def _forward(self, batch: Batch | Lone) -> None:
        """Let a batch go on, unless the session has ended while it was being recorded."""
        now = self._time()
        target = cast(asyncio.Transport, self._target)
        if self.cause is not None or target.is_closing():
            self._complete(self.conversation.withdraw(batch, now))
            return
        self._complete(self.conversation.forwarded(batch, now))
        target.write(batch.raw)

    def _leave(self) -> None:
        """The client has said goodbye: at once if nothing is under way, else when the target has finished."""
        if self.conversation.settled:
            self._end(CloseCause.CLIENT_CLOSED)
        else:
            self._transport(self._target).write(frontend.terminate())

    def _refuse(self, batch: Batch | Lone, refusal: Refusal) -> None:
        """The record cannot be written. Between transactions a session goes on, if what it was refused can be kept."""
        text = f"{refusal.sentence} {refusal.next_step}"
        sqlstate = LIMIT_EXCEEDED if refusal.code is Code.RECORD_TOO_LARGE else IO_ERROR
        between = self.conversation.between_groups
        if not self._early:
            self.conversation.withdraw(batch, self._time())
        if self.cause is None and between and not self.recorder.behind:
            error = backend.error_response(sqlstate, text, detail=str(refusal.code))
            self._transport(self._client).write(self._discarding.refuse(batch.frames, error, self.conversation.status))
            return
        self._say_last(
            backend.error_response(sqlstate, text, severity=Severity.FATAL, detail="The transaction was rolled back.")
        )
        self._end(CloseCause.RECORD_UNAVAILABLE)

    def _from_target(self, chunk: bytes) -> None:
        if self.cause is not None:
            self.bytes_out += self._last_words.finish(self._transport(self._client), chunk)
            return
        if self._early:
            self._withheld.append(chunk)
            self._withheld_bytes += len(chunk)
            if self._withheld_bytes > WITHHELD_BYTES_MAX:
                self._hold_target("record", True)
            return
        self.bytes_out += len(chunk)
        if not self._notice and self._walker.at_boundary and self._answered_whole(chunk):
            return
        try:
            events = self._walker.walk(chunk)
            client = self._transport(self._client)
            if not client.is_closing():
                client.write(chunk)
                if self._notice and self._walker.at_boundary:
                    client.write(self.first_notice())
            if events:
                self.active_at = self._time()
                self._complete(self.conversation.answered(events, self.active_at))
        except WireError as error:
            self._say_last(backend.error_response(CONNECTION_FAILURE, error.reason, severity=Severity.FATAL))
            self._end(CloseCause.TARGET_CLOSED)
            return
        if self.conversation.failures:
            for intention, result in self.conversation.failures:
                self.recorder.note(intention, result)
            self.conversation.failures.clear()

    def _answered_whole(self, chunk: bytes) -> bool:
        """Let a chunk go on that is the whole answer to a lone statement; False if it is not, and nothing is done."""
        now = self._time()
        found = self.conversation.answered_whole(chunk, now)
        if found is None:
            return False
        client = cast(asyncio.Transport, self._client)
        if not client.is_closing():
            client.write(chunk)
        self.active_at = now
        self.recorder.complete(*found)
        return True

    def _complete(self, finished: list[Finished]) -> None:
        for action, result in finished:
            if action.number:
                self.recorder.complete(action.number, result)

    def _client_lost(self) -> None:
        if not self._leaving:
            self._end(CloseCause.CLIENT_CLOSED)

    def _target_lost(self) -> None:
        self._target_gone = True
        if self._early:
            # What it said before is still to be released.
            return
        self._end(CloseCause.CLIENT_CLOSED if self._leaving else CloseCause.TARGET_CLOSED)

    def _end(self, cause: CloseCause) -> None:
        self.cause = self.cause or cause
        self._over.set()

    def _say_last(self, message: bytes) -> None:
        """Tell the client why the session ends, as soon as it stands between two messages."""
        client = self._client
        if client is not None and not client.is_closing():
            self._last_words.say(client, message, may_wait=self.cause is None and not self._early)

    def cut(self, refusal: Refusal) -> None:
        """End the session because its grant has ended."""
        self.expel(refusal, ADMIN_SHUTDOWN, CloseCause.GRANT_ENDED)

    def expel(self, refusal: Refusal, sqlstate: str, cause: CloseCause = CloseCause.LIMIT_REACHED) -> None:
        """End the session for a reason of ours, and say which."""
        if self.cause is None:
            text = f"{refusal.sentence} {refusal.next_step}"
            message = backend.error_response(sqlstate, text, severity=Severity.FATAL, detail=str(refusal.code))
            if self._client is None:
                self._refusal = message
            self._say_last(message)
            self._end(cause)

    def warn(self, text: str) -> None:
        """Tell the client something, as soon as it stands between two messages."""
        self._notice += backend.notice_response("01000", text, severity=Severity.WARNING)
        if self._client is not None and self._walker.at_boundary:
            self._transport(self._client).write(self.first_notice())

    def first_notice(self) -> bytes:
        """What the client is to be told before anything else."""
        notice, self._notice = self._notice, b""
        return notice

    @property
    def busy(self) -> bool:
        """Whether something is under way that the client waits for."""
        return self._recording or self.conversation.running

    async def _hang_up(self) -> None:
        assert self._client_side is not None and self._target_side is not None
        client, target = self._transport(self._client), self._transport(self._target)
        cancel = self.cancel if self.conversation.running else None
        if cancel is None and not target.is_closing() and self._splitter.at_boundary:
            target.write(frontend.terminate())
        gone = (self._client_side.gone, self._target_side.gone)
        stopping = await hang_up(client, target, gone, self._last_words, cancel)
        self.cut_at = self._time()
        self._complete(self.conversation.broken_off(self.cut_at))
        if stopping is not None:
            await stopping

    @staticmethod
    def _transport(transport: asyncio.Transport | None) -> asyncio.Transport:
        return cast(asyncio.Transport, transport)
