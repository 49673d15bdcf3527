"""Files by SFTP: each operation is an action with its path; what was transferred with bytes and hash.

- A packet that does something waits until its intent is durable, and so does everything after it.
- Reading and writing belong to the file that was opened; its outcome comes when it is closed.
- The hash is of what was transferred in order. What jumps about in a file is counted, and said to be `scattered`.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sojourn.domain.events import Outcome
from sojourn.errors import Code, SojournError
from sojourn.gateway.entries import Intention, Result

from .flow import Flow
from .intents import Intents
from .sftp import Kind, Packet, Reader, Request, SftpError, Splitter, request_of, text
from .tape import Tape

PROTOCOL = "sftp"
WAITING_MAX = 256
"""Packets that wait for a record before the client is not read any more."""


@dataclass(slots=True)
class Stream:
    """What was transferred in one direction of one file."""

    flow: Flow = field(default_factory=Flow)
    at: int | None = None
    scattered: bool = False

    def take(self, offset: int, data: bytes) -> None:
        """These bytes, at this place of the file."""
        self.scattered = self.scattered or (self.at is not None and offset != self.at)
        self.at = offset + len(data)
        self.flow.take(data)

    def tag(self, what: str) -> tuple[str, ...]:
        """As it stands in an outcome; nothing for nothing."""
        if self.at is None:
            return ()
        return (f"{what} {self.flow}" + (" scattered" if self.scattered else ""),)


@dataclass(slots=True, eq=False)
class File:
    """An open file or directory, or an operation that is under way."""

    number: int
    path: str
    began: float
    read: Stream = field(default_factory=Stream)
    written: Stream = field(default_factory=Stream)
    tape: Tape | None = None


@dataclass(slots=True)
class FileWatch:
    """Implements `setting.Keeper` for an SFTP channel. `keep` gives what keeps a file's content, or None."""

    intents: Intents
    complete: Callable[[int, Result], None]
    show: Callable[[bytes, int | None], None]
    forward: Callable[[bytes], None]
    hold: Callable[[bool], None]
    fail: Callable[[SojournError], None]
    keep: Callable[[int, str], Tape | None]
    _closing: set[asyncio.Task[None]] = field(default_factory=set)
    _from_client: Splitter = field(default_factory=Splitter)
    _from_host: Splitter = field(default_factory=Splitter)
    _waiting: deque[tuple[Packet, Request | None, asyncio.Future[int] | None]] = field(default_factory=deque)
    _asked: dict[int, tuple[int, File, int]] = field(default_factory=dict)
    _open: dict[bytes, File] = field(default_factory=dict)
    _failed: bool = False
    _held: bool = False

    @property
    def holding(self) -> bool:
        """Output never waits here: it answers what is on record."""
        return False

    def input(self, data: bytes) -> None:
        """The client has sent this."""
        if self._failed:
            return
        try:
            for packet in self._from_client.feed(data):
                request = request_of(packet)
                number = None if request is None else self.intents.queue(self._intention(request))
                self._waiting.append((packet, request, number))
                if number is not None:
                    number.add_done_callback(lambda _: self._go_on())
            self._go_on()
        except SftpError as error:
            self._broken(error)

    def _intention(self, request: Request) -> Intention:
        held = self._open.get(request.handle)
        paths = request.paths or ((held.path,) if held is not None else ())
        detail: dict[str, object] = {"text": " ".join((request.verb, *paths)), "paths": list(paths)}
        written = json.dumps(detail, sort_keys=True).encode()
        objects = tuple(path[:200] for path in paths)
        return Intention(PROTOCOL, request.verb, may_write=request.writes, objects=objects, detail=written)

    def _go_on(self) -> None:
        """Let go what is on record, in order."""
        ready: list[bytes] = []
        try:
            while self._waiting and not self._failed:
                packet, request, number = self._waiting[0]
                if number is not None and not number.done():
                    break
                if number is not None and (error := number.exception()) is not None:
                    self._failed = True
                    assert isinstance(error, SojournError)
                    self.fail(error)
                    return
                self._waiting.popleft()
                self._passes(packet, request, 0 if number is None else number.result())
                ready.append(packet.raw)
        except SftpError as error:
            self._broken(error)
            return
        if ready:
            self.forward(b"".join(ready))
        held = len(self._waiting) > WAITING_MAX
        if held != self._held:
            self._held = held
            self.hold(held)

    def _passes(self, packet: Packet, request: Request | None, number: int) -> None:
        """A packet of the client goes to the host: remember what its answer will be about."""
        if packet.kind in (Kind.INIT, Kind.VERSION):
            return
        reader = Reader(packet.body)
        place = reader.number()
        if request is not None:
            path = request.paths[0] if request.paths else ""
            file = File(number, path, asyncio.get_running_loop().time())
            if packet.kind == Kind.OPEN:
                file.tape = self.keep(number, f"{request.verb} {path}")
            self._asked[place] = (packet.kind, file, 0)
        elif packet.kind in (Kind.READ, Kind.WRITE, Kind.CLOSE):
            handle = reader.string()
            if (opened := self._open.get(handle)) is None:
                return
            if packet.kind == Kind.CLOSE:
                self._asked[place] = (packet.kind, self._open.pop(handle), 0)
                return
            offset = reader.number(8)
            if packet.kind == Kind.WRITE:
                data = reader.string(len(packet.body))
                opened.written.take(offset, data)
                if opened.tape is not None:
                    opened.tape.input(data)
            else:
                self._asked[place] = (packet.kind, opened, offset)

    def output(self, data: bytes, datatype: int | None) -> None:
        """The host has said this."""
        self.show(data, datatype)
        if datatype is not None or self._failed:
            return
        try:
            for packet in self._from_host.feed(data):
                if packet.kind != Kind.VERSION:
                    self._answered(packet)
        except SftpError as error:
            self._broken(error)

    def _answered(self, packet: Packet) -> None:
        reader = Reader(packet.body)
        kind, file, offset = self._asked.pop(reader.number(), (0, None, 0))
        if file is None:
            return
        if packet.kind == Kind.HANDLE:
            self._open[reader.string()] = file
        elif packet.kind == Kind.DATA and kind == Kind.READ:
            data = reader.string(len(packet.body))
            file.read.take(offset, data)
            if file.tape is not None:
                file.tape.output(data, None)
        elif packet.kind == Kind.STATUS and kind != Kind.READ:
            code = reader.number()
            message = text(reader.string()) if code else ""
            self._over(file, Outcome.FAILED if code else Outcome.COMPLETED, message)
        elif packet.kind != Kind.STATUS:
            self._over(file, Outcome.COMPLETED, "")

    def _over(self, file: File, outcome: Outcome, message: str) -> None:
        result = Result(
            outcome=outcome,
            tags=(*file.written.tag("written"), *file.read.tag("read")),
            bytes_in=file.written.flow.size,
            bytes_out=file.read.flow.size,
            duration_us=round((asyncio.get_running_loop().time() - file.began) * 1e6),
            message=message.encode(),
        )
        if file.tape is None:
            self.complete(file.number, result)
            return
        task = asyncio.get_running_loop().create_task(self._close(file, file.tape, result))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, file: File, tape: Tape, result: Result) -> None:
        """The outcome of a file whose content is kept comes after all of that."""
        await tape.finish(str(result.outcome))
        self.complete(file.number, result)

    def _broken(self, error: SftpError) -> None:
        """What is no SFTP is not passed on: it could do what nobody has read."""
        self._failed = True
        self.fail(SojournError(Code.GATEWAY_PROTOCOL_VIOLATION, problem=f"it sent {error} by SFTP"))

    def resize(self, columns: int, rows: int) -> None:
        """There is no terminal."""

    def mark(self, said: str) -> None:
        """Nobody reads here."""

    async def finish(self, how: str) -> None:
        """What is still open was interrupted."""
        waiting = [file for kind, file, _ in self._asked.values() if kind not in (Kind.READ,)]
        for file in dict.fromkeys((*waiting, *self._open.values())):
            self._over(file, Outcome.INTERRUPTED, "")
        self._asked.clear()
        self._open.clear()
        await asyncio.gather(*self._closing)
        for _, _, number in self._waiting:
            if number is not None:
                number.add_done_callback(self._skipped)
        self._waiting.clear()

    def _skipped(self, number: asyncio.Future[int]) -> None:
        if not number.cancelled() and number.exception() is None:
            self.complete(number.result(), Result(outcome=Outcome.SKIPPED))
