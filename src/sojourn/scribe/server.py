"""The scribe's loop: one process, one thread, one writer.

Whatever appends have arrived while the last batch was on its way to the disk are the next batch: no timer, and no
fsync for each record. Calls that read are answered after the batch, from what is durable, a few for each client in
one turn. A client that does not read its answers is not read from either, and in the end dropped; one that sends
what is no call is told so and dropped. The loop waits for nobody.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sojourn.codes import Code
from sojourn.errors import SojournError

from .answers import answer, read_written
from .log import NOT_SIGNED_NOW, Log
from .protocol import (
    NO_CALL,
    UNREADABLE,
    Answer,
    Append,
    Call,
    Entries,
    FrameError,
    Read,
    Refused,
    call_decoder,
    call_id_of,
    frames,
    take_frames,
    together,
)

_decode = call_decoder.decode

RECEIVE_BYTES = 1 << 18
RECEIVED_BYTES_MAX = 512 * 1024 * 1024
"""Bound on all frames together that have not arrived whole."""

UNSENT_BYTES_MAX = 4 * 1024 * 1024
"""A client with so much unread gets no further answers, and is not read from, until it reads."""

CLIENTS_MAX = 256
WAITING_MAX = 64
READS_A_TURN = 16
READ_BACK_FROM, READ_BACK_STEP = 64, 512
FOLLOW_SECONDS = 0.02
"""How often a scribe looks for what other scribes have written into a store that they share."""

TICK_SECONDS = 10.0
"""How often reads that wait are answered empty, and clients that read nothing in that time are dropped."""


@dataclass(slots=True, eq=False)
class _Client:
    """One connected client. `reads` have still to be answered; `waiting` are answered when the log grows."""

    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    reads: deque[Call] = field(default_factory=deque)
    waiting: dict[int, Read] = field(default_factory=dict)
    interest: int = selectors.EVENT_READ
    stuck: bool = False
    leaving: bool = False


def listen(path: Path) -> socket.socket:
    """A listening socket at `path` that only its owner can connect to. A leftover of an earlier run is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(CLIENTS_MAX)
    listener.setblocking(False)
    return listener


@dataclass(slots=True)
class Server:
    """Serves one log on one socket until `stopping()` says so.

    `monotonic` counts seconds. The loop ends when `stop_descriptor` (a pipe) reaches its end, and looks at
    `stopping()` again whenever `wake_descriptor` becomes readable.
    """

    log: Log
    listener: socket.socket
    stop_descriptor: int | None
    wake_descriptor: int | None
    checkpoint_seconds: float
    monotonic: Callable[[], float]
    stopping: Callable[[], bool]
    _arrived: memoryview = field(default_factory=lambda: memoryview(bytearray(RECEIVE_BYTES)))
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _clients: set[_Client] = field(default_factory=set)
    _appends: list[tuple[_Client, list[Append]]] = field(default_factory=list)
    _appends_bytes: int = 0
    _received_bytes: int = 0
    _readers: set[_Client] = field(default_factory=set)
    _waiters: set[_Client] = field(default_factory=set)
    _unflushed: set[_Client] = field(default_factory=set)
    _sign_at: float = 0.0
    _tick_at: float = 0.0
    _follow_at: float = 0.0

    def run(self) -> None:
        """Serve. Returns when told to stop; raises what the store raises."""
        self._selector.register(self.listener, selectors.EVENT_READ)
        for descriptor in (self.stop_descriptor, self.wake_descriptor):
            if descriptor is not None:
                self._selector.register(descriptor, selectors.EVENT_READ)
        self._tick_at = self.monotonic() + TICK_SECONDS
        while not self.stopping():
            for key, mask in self._selector.select(self._patience()):
                client = key.data
                if isinstance(client, _Client):
                    if mask & selectors.EVENT_WRITE:
                        self._unflushed.add(client)
                    if mask & selectors.EVENT_READ:
                        self._receive(client)
                elif key.fileobj is self.listener:
                    self._accept()
                elif not os.read(key.fd, 4096):
                    return
            self._turn()

    def close(self) -> None:
        """Sign what is not signed yet, if that can be done now, and let go of everybody."""
        if self.log.size > self.log.signed_size:
            self._sign()
        for client in tuple(self._clients):
            self._drop(client)
        self.listener.close()
        self._selector.close()

    def _turn(self) -> None:
        """All that is to be done after what has arrived was read."""
        if self._appends:
            self._write()
        elif self.log.store.shared and self.monotonic() >= self._follow_at:
            self._follow()
        for client in tuple(self._readers):
            self._answer_reads(client)
        for client in tuple(self._unflushed):
            self._send(client)
        self.log.store.fold()
        # Few at a time while others wait for nothing, so that neither this nor signing holds up whoever comes next.
        if self.log.size - self.log.read_back.size >= READ_BACK_FROM:
            self.log.check_back(READ_BACK_STEP)
        now = self.monotonic()
        if self.log.size > self.log.signed_size and now >= self._sign_at:
            self._sign_at = now + self.checkpoint_seconds
            self._sign()
        if now >= self._tick_at:
            self._tick_at = now + TICK_SECONDS
            self._tick()
            self.log.forget_old_pages()

    def _sign(self) -> None:
        """Sign; without room or without the key there is no signature now, and it is tried again."""
        try:
            self.log.sign()
        except SojournError as error:
            if error.code not in NOT_SIGNED_NOW:
                raise

    def _patience(self) -> float:
        """Seconds that the loop may sleep."""
        if self._readers and any(len(client.unsent) < UNSENT_BYTES_MAX for client in self._readers):
            return 0.0
        until = min(self._tick_at, self._follow_at) if self.log.store.shared else self._tick_at
        if self.log.size > self.log.signed_size:
            until = min(until, self._sign_at)
        return max(0.0, until - self.monotonic())

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            # The client has gone again, or descriptors are short; neither is a reason to stop the record.
            return
        if len(self._clients) >= CLIENTS_MAX or not _is_own(connection):
            connection.close()
            return
        connection.setblocking(False)
        client = _Client(connection)
        self._clients.add(client)
        self._selector.register(connection, client.interest, client)

    def _receive(self, client: _Client) -> None:
        # Always into the same memory: new memory of that size is asked of the kernel, and given back, each time.
        try:
            count = client.socket.recv_into(self._arrived)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if not count:
            self._drop(client)
            return
        before = len(client.received)
        client.received += self._arrived[:count]
        try:
            self._take(client, take_frames(client.received))
        except FrameError as error:
            self._dismiss(client, str(error))
        self._received_bytes += len(client.received) - before
        if client.reads:
            self._readers.add(client)
            self._unflushed.add(client)
        if self._received_bytes > RECEIVED_BYTES_MAX:
            self._drop(client)

    def _take(self, client: _Client, payloads: list[bytes]) -> None:
        try:
            calls = [_decode(payload) for payload in payloads]
        except UNREADABLE:
            calls = self._readable(client, payloads)
        appends = [call for call in calls if type(call) is Append]
        if appends:
            self._appends.append((client, appends))
            self._appends_bytes += sum(map(len, payloads))
        if len(appends) < len(calls):
            client.reads.extend([call for call in calls if type(call) is not Append])

    def _readable(self, client: _Client, payloads: list[bytes]) -> list[Call]:
        """Those that are calls; the others are refused."""
        calls: list[Call] = []
        for payload in payloads:
            try:
                calls.append(_decode(payload))
            except UNREADABLE as error:
                self._refuse(client, payload, str(error))
        return calls

    def _refuse(self, client: _Client, payload: bytes, problem: str) -> None:
        """Refuse a call that is over a bound of the protocol; let go of a client that sends something else."""
        call_id = call_id_of(payload)
        if call_id is None:
            self._dismiss(client, problem)
        else:
            details = {"problem": f"The call is over a bound: {problem[:200]}", "expected": "a smaller one"}
            self._queue(client, Refused(call_id, Code.INPUT_INVALID, details))

    def _dismiss(self, client: _Client, problem: str) -> None:
        """Tell a client that what it sent is no call, and listen to it no longer."""
        details = {"problem": f"This is no call: {problem[:200]}", "expected": "a frame of the protocol"}
        self._queue(client, Refused(NO_CALL, Code.INPUT_INVALID, details))
        client.leaving = True

    def _write(self) -> None:
        appends, arriving, self._appends, self._appends_bytes = self._appends, self._appends_bytes, [], 0
        answers = self.log.append([call for _, calls in appends for call in calls], arriving=arriving)
        start = 0
        for client, calls in appends:
            end = start + len(calls)
            self._queue(client, *together(answers[start:end]))
            start = end
        # Who waits for the record goes on before those who only follow it; who has asked for more gets all at once.
        for client in dict.fromkeys([client for client, _ in appends]):
            if not (client.reads or client.leaving):
                self._send(client)
        self._tell_waiters()

    def _follow(self) -> None:
        """Look for what other scribes have written."""
        self.log.follow()
        self._follow_at = self.monotonic() + FOLLOW_SECONDS
        self._tell_waiters()

    def _tell_waiters(self) -> None:
        if self.log.written:
            for client in tuple(self._waiters):
                self._answer_waiting(client)

    def _answer_waiting(self, client: _Client) -> None:
        """The log has grown: answer the reads that waited for just that."""
        rows = self.log.written
        for call in tuple(client.waiting.values()):
            found = read_written(call.id, rows, call.start, call.prefixes)
            if found is None or len(client.unsent) >= UNSENT_BYTES_MAX:
                del client.waiting[call.id]
                client.reads.append(call)
                self._readers.add(client)
            elif found.entries:
                del client.waiting[call.id]
                self._queue(client, found)
            else:
                client.waiting[call.id] = msgspec.structs.replace(call, start=found.following)
        if not client.waiting:
            self._waiters.discard(client)

    def _answer_reads(self, client: _Client) -> None:
        """Answer some of a client's reads, as many as it takes and its turn allows."""
        for _ in range(READS_A_TURN):
            if not client.reads or len(client.unsent) >= UNSENT_BYTES_MAX:
                break
            call = client.reads.popleft()
            one = answer(call, self.log)
            if isinstance(call, Read) and call.wait and isinstance(one, Entries) and not one.entries:
                call = msgspec.structs.replace(call, start=one.following)
                if one.more:
                    client.reads.append(call)
                elif len(client.waiting) < WAITING_MAX:
                    client.waiting[call.id] = call
                    self._waiters.add(client)
                else:
                    details = {"problem": "Too many reads are waiting", "expected": f"at most {WAITING_MAX}"}
                    self._queue(client, Refused(call.id, Code.INPUT_INVALID, details))
            else:
                self._queue(client, one)
        if not client.reads:
            self._readers.discard(client)
            self._unflushed.add(client)

    def _tick(self) -> None:
        """Answer what has waited long enough, and drop who has read nothing since the last tick."""
        for client in tuple(self._clients):
            if client.stuck and client.unsent:
                self._drop(client)
                continue
            client.stuck = bool(client.unsent)
            for call in client.waiting.values():
                self._queue(client, Entries(call.id, [], call.start, False))
            client.waiting.clear()
            self._send(client)
        self._waiters.clear()

    def _queue(self, client: _Client, *answers: Answer) -> None:
        if client in self._clients:
            client.unsent += frames(answers)
            self._unflushed.add(client)

    def _send(self, client: _Client) -> None:
        """Send what the socket takes, and watch the socket for what may happen next."""
        self._unflushed.discard(client)
        if client not in self._clients:
            return
        if client.unsent:
            try:
                sent = client.socket.send(client.unsent)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._drop(client)
                return
            if sent:
                client.stuck = False
                del client.unsent[:sent]
        if client.leaving and not client.unsent:
            self._drop(client)
            return
        interest = selectors.EVENT_WRITE if client.unsent else 0
        if not (client.leaving or client.reads or len(client.unsent) >= UNSENT_BYTES_MAX):
            interest |= selectors.EVENT_READ
        if interest != client.interest:
            self._watch(client, interest)

    def _watch(self, client: _Client, interest: int) -> None:
        if not interest:
            self._selector.unregister(client.socket)
        elif client.interest:
            self._selector.modify(client.socket, interest, client)
        else:
            self._selector.register(client.socket, interest, client)
        client.interest = interest

    def _drop(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.discard(client)
            for others in (self._readers, self._waiters, self._unflushed):
                others.discard(client)
            self._received_bytes -= len(client.received)
            client.received.clear()
            if client.interest:
                self._selector.unregister(client.socket)
            client.socket.close()


def _is_own(connection: socket.socket) -> bool:
    """Whether the peer is a process of the same user. The socket's mode says so already; this says it again."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return bool(user == os.getuid())
