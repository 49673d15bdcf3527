"""The scribe's loop: one process, one thread, one writer.

Whatever appends have arrived while the last batch was on its way to the disk are the next batch: no timer, and no
fsync for each record. Calls that read are answered after the batch, from what is durable. A client that does not
read its answers is no longer read from; one that sends what is no frame is dropped. The loop waits for nobody.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import assert_never

import msgspec

from sojourn.codes import Code
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import consistency_proof, inclusion_proof

from .log import Log
from .protocol import (
    FRAME_BYTES_MAX,
    PAGE_BYTES_MAX,
    PAGE_ENTRIES_MAX,
    Answer,
    Append,
    Blob,
    Call,
    Entries,
    Fetch,
    FrameError,
    Hashes,
    Head,
    Matters,
    Note,
    Prove,
    ProveConsistency,
    Read,
    ReadAttachment,
    ReadHead,
    ReadMatter,
    ReadStream,
    Refused,
    Sign,
    call_decoder,
    frame,
    take_frames,
)

RECEIVE_BYTES = 1 << 18
UNSENT_BYTES_MAX = 16 * 1024 * 1024
CLIENTS_MAX = 256
WAITING_MAX = 64


@dataclass(slots=True, eq=False)
class _Client:
    """One connected client."""

    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    waiting: dict[int, Read] = field(default_factory=dict)
    interest: int = selectors.EVENT_READ


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

    `after_sign` takes each signed checkpoint before anybody is given it. `monotonic` counts seconds.
    """

    log: Log
    listener: socket.socket
    stop_descriptor: int | None
    checkpoint_seconds: float
    after_sign: Callable[[str], None]
    monotonic: Callable[[], float]
    stopping: Callable[[], bool]
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _clients: set[_Client] = field(default_factory=set)
    _calls: list[tuple[_Client, Call]] = field(default_factory=list)
    _sign_at: float = 0.0

    def run(self) -> None:
        """Serve. Returns when told to stop; raises what the store raises."""
        self._selector.register(self.listener, selectors.EVENT_READ)
        if self.stop_descriptor is not None:
            self._selector.register(self.stop_descriptor, selectors.EVENT_READ)
        while not self.stopping():
            for key, mask in self._selector.select(self._patience()):
                if key.fileobj is self.listener:
                    self._accept()
                elif isinstance(key.data, _Client):
                    if mask & selectors.EVENT_WRITE:
                        self._send(key.data)
                    if mask & selectors.EVENT_READ:
                        self._receive(key.data)
                elif not os.read(key.fd, 4096):
                    return
            if self._calls:
                self._answer_calls()
            if self.log.tree.size > self.log.signed_size and self.monotonic() >= self._sign_at:
                self._sign()

    def close(self) -> None:
        """Sign what is not signed yet and let go of everybody."""
        if self.log.tree.size > self.log.signed_size:
            self._sign()
        for client in tuple(self._clients):
            self._drop(client)
        self.listener.close()
        self._selector.close()

    def _patience(self) -> float:
        if self.log.tree.size > self.log.signed_size:
            return max(0.0, self._sign_at - self.monotonic())
        return 1.0

    def _sign(self) -> str:
        note = self.log.sign()
        self.after_sign(note)
        self._sign_at = self.monotonic() + self.checkpoint_seconds
        return note

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        if len(self._clients) >= CLIENTS_MAX or not _is_own(connection):
            connection.close()
            return
        connection.setblocking(False)
        client = _Client(connection)
        self._clients.add(client)
        self._selector.register(connection, client.interest, client)

    def _receive(self, client: _Client) -> None:
        try:
            data = client.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        client.received += data
        try:
            for payload in take_frames(client.received):
                self._calls.append((client, call_decoder.decode(payload)))
        except (FrameError, msgspec.MsgspecError):
            self._drop(client)

    def _answer_calls(self) -> None:
        calls, self._calls = self._calls, []
        appends = [(client, call) for client, call in calls if isinstance(call, Append)]
        size = self.log.tree.size
        if appends:
            answers = self.log.append([call for _, call in appends])
            for (client, _), answer in zip(appends, answers, strict=True):
                self._queue(client, answer)
        for client, call in calls:
            if not isinstance(call, Append):
                self._read(client, call)
        if self.log.tree.size > size:
            for client in self._clients:
                for waiting in tuple(client.waiting.values()):
                    self._read(client, waiting)
        for client in tuple(self._clients):
            self._send(client)

    def _read(self, client: _Client, call: Call) -> None:
        """Answer a call that reads, or keep it waiting."""
        try:
            answer = self._answer(call)
        except LedgerError as error:
            answer = Refused(call.id, Code.INPUT_INVALID, {"problem": str(error), "expected": "a place in the tree"})
        if isinstance(call, Read) and call.wait and isinstance(answer, Entries) and not answer.entries:
            if len(client.waiting) >= WAITING_MAX and call.id not in client.waiting:
                answer = Refused(call.id, Code.INPUT_INVALID, {"problem": "Too many waits", "expected": "fewer"})
            else:
                # What did not match needs no second look when the log grows.
                client.waiting[call.id] = msgspec.structs.replace(call, start=answer.following)
                return
        client.waiting.pop(call.id, None)
        self._queue(client, answer)

    def _answer(self, call: Call) -> Answer:
        store, size = self.log.store, self.log.tree.size
        match call:
            case Read():
                page, last, more = _page(store.matching(call.start, call.prefixes), call.limit)
                return Entries(call.id, page, last + 1 if more else max(size, call.start), more)
            case ReadStream():
                page, last, more = _page(store.stream(call.stream, call.after), PAGE_ENTRIES_MAX)
                return Entries(call.id, page, last if page else call.after, more)
            case Fetch():
                found = [store.entry(seq) for seq in call.seqs[:PAGE_ENTRIES_MAX]]
                return Entries(call.id, [one for one in found if one is not None], 0, False)
            case ReadMatter():
                rows = [store.matter(commitment) for commitment in call.commitments[:PAGE_ENTRIES_MAX]]
                return Matters(call.id, [row for row in rows if row is not None])
            case ReadAttachment():
                return Blob(call.id, store.attachment(call.sha256))
            case ReadHead():
                return Head(call.id, size, self.log.tree.root())
            case Sign():
                return Note(call.id, self._sign() if size > self.log.signed_size else self.log.signed_note)
            case Prove():
                return Hashes(call.id, inclusion_proof(call.seq, call.size, self._reader(call.size)))
            case ProveConsistency():
                return Hashes(call.id, consistency_proof(call.old, call.new, self._reader(call.new)))
            case Append():
                raise AssertionError("appends are answered with their batch")
            case _:
                assert_never(call)

    def _reader(self, size: int) -> Callable[[int, int], bytes]:
        if not 0 <= size <= self.log.tree.size:
            raise LedgerError(f"There is no tree of {size} entries yet.")
        return self.log.reader(size)

    def _queue(self, client: _Client, answer: Answer) -> None:
        if client in self._clients:
            client.unsent += frame(answer)

    def _send(self, client: _Client) -> None:
        if client.unsent:
            try:
                sent = client.socket.send(client.unsent)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._drop(client)
                return
            del client.unsent[:sent]
        if client not in self._clients:
            return
        interest = selectors.EVENT_WRITE if client.unsent else 0
        if len(client.unsent) < UNSENT_BYTES_MAX:
            interest |= selectors.EVENT_READ
        if interest != client.interest:
            client.interest = interest
            self._selector.modify(client.socket, interest, client)

    def _drop(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.discard(client)
            self._selector.unregister(client.socket)
            client.socket.close()


def _page(rows: Iterator[tuple[int, bytes]], limit: int) -> tuple[list[bytes], int, bool]:
    """Entries up to the limits of a page, the number of the last one, and whether the page was cut."""
    page: list[bytes] = []
    last, total = -1, 0
    for number, data in islice(rows, max(1, min(limit, PAGE_ENTRIES_MAX))):
        page.append(data)
        last = number
        total += len(data)
        if total >= PAGE_BYTES_MAX:
            break
    return page, last, next(rows, None) is not None


def _is_own(connection: socket.socket) -> bool:
    """Whether the peer is a process of the same user. The socket's mode says so already; this says it again."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return bool(user == os.getuid())


assert FRAME_BYTES_MAX > UNSENT_BYTES_MAX
