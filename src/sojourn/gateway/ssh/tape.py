"""The recording of one channel: what was shown is on record, or lies sealed on this machine's disk, before it is shown.

- A little output goes on at once: it is sealed into the spool first, and its chunk becomes an entry within a second.
- As soon as more is on its way than `SHOWN_MAX`, or the record is late, output waits until its chunk is durable.
- If the record cannot be written, or does not answer, nothing more is shown and the session ends.
- After a crash what is in the spool is put on record at the next start (`spool.py`), so nothing that was shown is lost.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Protocol

from sojourn.domain import cast
from sojourn.domain.events import ChunkRecorded
from sojourn.domain.identifiers import PersonId, SessionId, session_stream
from sojourn.domain.sealed import RecordClass, Sealing
from sojourn.errors import Code, SojournError
from sojourn.gateway.entries import drafted
from sojourn.gateway.journal import Journal, Part
from sojourn.gateway.recorder import ENTRY_BYTES
from sojourn.scribe.protocol import Draft
from sojourn.workflow.ports import Sealer

from .chunk import chunks, event, pack
from .echo import Echo
from .spool import Spool

SHOWN_MAX = 64 * 1024
"""How many bytes may be shown before their chunk is an entry."""

NOTED_BYTES = 32 * 1024
"""As much of the output stands in one event at most."""

HELD_MAX = 1024 * 1024
"""How many bytes wait for their record before the host is not read any more."""

FLUSH_SECONDS = 1.0
LATE_SECONDS = 5.0
SILENT_SECONDS = 15.0
"""So long a chunk may wait for its answer. A record that says nothing for longer is as good as none."""

FINISH_SECONDS = 10.0


class Shown(Protocol):
    """Lets output go on to the client."""

    def __call__(self, data: bytes, datatype: int | None) -> None:
        """Show this."""
        ...


@dataclass(slots=True)
class Desk:
    """Where chunks of one session are recorded."""

    journal: Journal
    sealer: Sealer
    session: SessionId
    person: PersonId
    spool: Callable[[int], Spool]

    def seal(self, content: bytes) -> Sealing:
        """Seal part of a recording."""
        return self.sealer.seal(self.person, content, RecordClass.RECORDING)


@dataclass(slots=True)
class Tape:
    """Records one channel, the action of that number. `hold` stops and starts reading from the host.

    `limit` is how many bytes are kept; None is all of them.
    """

    desk: Desk
    number: int
    show: Shown
    forward: Callable[[bytes], None]
    hold: Callable[[bool], None]
    fail: Callable[[SojournError], None]
    header: str
    limit: int | None = None
    _parts: int = 0
    _lines: list[bytes] = field(default_factory=list)
    _size: int = 0
    _spooled: int = 0
    _shown: int = 0
    _since: float | None = None
    _last: float = 0.0
    _held: list[tuple[bytes, int | None]] = field(default_factory=list)
    _held_size: int = 0
    _noted: int = 0
    """How many of those that are held stand among the lines."""

    _in_flight: bool = False
    """Whether output waits for the append that is under way: what comes after it must not pass it by."""

    _under_way: bool = False
    _failed: bool = False
    _timer: asyncio.TimerHandle | None = None
    _silence: asyncio.TimerHandle | None = None
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _echo: Echo = field(default_factory=Echo)
    _spool: Spool = field(init=False)
    _texts: dict[str, codecs.IncrementalDecoder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the first line."""
        self._spool = self.desk.spool(self.number)
        self._last = asyncio.get_running_loop().time()
        self._put(self.header.encode())

    def output(self, data: bytes, datatype: int | None) -> None:
        """The host has said this: record it, and show it when that may be."""
        if self._failed:
            return
        if self.limit is not None and self.limit <= 0 and not self.holding:
            # Nothing of it is kept, and nothing that is kept waits before it.
            self.show(data, datatype)
            return
        late = self._since is not None and asyncio.get_running_loop().time() - self._since > LATE_SECONDS
        if self._held or self._in_flight or late or self._shown + len(data) > SHOWN_MAX:
            self._held.append((data, datatype))
            self._held_size += len(data)
            if self._held_size > HELD_MAX:
                self.hold(True)
            self._flush()
            return
        self._note_output(data, datatype)
        self._shown += len(data)
        self._spool_last()
        if not self._failed:
            self.show(data, datatype)

    def _note_output(self, data: bytes, datatype: int | None) -> None:
        code = "o" if datatype is None else "e"
        text = self._text(code, data)
        typed = self._echo.answered(text)
        if typed:
            self._note("i", typed)
        self._note(code, text)

    def _note_held(self) -> None:
        """Note what waits: it is shown at one moment, so what came in many small pieces is noted in few large ones."""
        fresh, self._noted = self._held[self._noted :], len(self._held)
        for datatype, pieces in groupby(fresh, key=itemgetter(1)):
            whole = b"".join(data for data, _ in pieces)
            for place in range(0, len(whole), NOTED_BYTES):
                self._note_output(whole[place : place + NOTED_BYTES], datatype)

    @property
    def holding(self) -> bool:
        """Whether output waits for its record."""
        return bool(self._held) or self._under_way

    def input(self, data: bytes) -> None:
        """The client has sent this. Only a terminal's input may be secret; that of a command is kept as it is."""
        self._note_held()
        if self.limit is None or self.limit > 0:
            text = self._text("i", data)
            kept = self._echo.typed(text) if self.limit is None else text
            if kept:
                self._note("i", kept)
                self._spool_last()
            if self._size > SHOWN_MAX:
                self._flush()
        self.forward(data)

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size."""
        self._note_held()
        self._note("r", f"{columns or cast.COLUMNS}x{rows or cast.ROWS}")
        self._spool_last()

    def mark(self, text: str) -> None:
        """Something of our own that a person is told."""
        self._note_held()
        self._note("m", text)
        self._spool_last()

    def _text(self, code: str, data: bytes) -> str:
        decoder = self._texts.get(code)
        if decoder is None:
            decoder = self._texts[code] = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        return decoder.decode(data)

    def _note(self, code: str, text: str) -> None:
        if self.limit is not None and code in "ioe":
            if self.limit <= 0:
                return
            text = text[: self.limit]
            self.limit -= len(text)
            if self.limit <= 0:
                self._put_event(code, text)
                self._put_event("m", "what follows is not kept; its hash is on record")
                return
        self._put_event(code, text)

    def _put_event(self, code: str, text: str) -> None:
        now = asyncio.get_running_loop().time()
        interval, self._last = now - self._last, now
        self._put(event(interval, code, text))

    def _put(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line)
        self._idle.clear()
        if self._since is None:
            self._since = asyncio.get_running_loop().time()
        if self._timer is None and not self._under_way:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._on_time)

    def _spool_last(self) -> None:
        """What was just noted lies on disk before anything comes of it."""
        fresh = self._lines[self._spooled :]
        if fresh and not self._failed:
            try:
                self._spool.put(self._parts + 1, self.desk.seal(pack(fresh)))
            except OSError:
                self._failed = True
                self.fail(SojournError(Code.RECORD_FULL, directory=str(self._spool.path.parent)))
            self._spooled = len(self._lines)

    def _on_time(self) -> None:
        self._timer = None
        self._note_held()
        left = self._echo.settle()
        if left:
            self._note("i", left)
        self._flush()

    def _flush(self) -> None:
        """Record all that was noted; only one append is under way at a time."""
        if self._under_way or self._failed:
            return
        self._note_held()
        if not self._lines:
            self._release()
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        drafts: list[Draft] = []
        sealings: list[Sealing] = []
        for lines in chunks(self._lines):
            content = pack(lines)
            sealing = self.desk.seal(content)
            self._parts += 1
            recorded = ChunkRecorded(
                session=self.desk.session,
                number=self.number,
                part=self._parts,
                size=len(content),
                content=sealing.sealed,
            )
            drafts.append(drafted(session_stream(self.desk.session), recorded))
            sealings.append(sealing)
        shown, held = self._shown, self._held
        self._lines, self._size, self._spooled = [], 0, 0
        self._held, self._held_size, self._noted, self._since = [], 0, 0, None
        self._under_way, self._in_flight = True, bool(held)

        def over(_: Part, error: SojournError | None) -> None:
            self._under_way, self._in_flight = False, False
            if self._silence is not None:
                self._silence.cancel()
            if self._failed:
                return
            if error is not None:
                self._failed = True
                self._idle.set()
                self.fail(error)
                return
            self._shown -= shown
            if not self._shown:
                self._spool.clear()
            self._let_go(held)
            if self._held:
                self._flush()
            else:
                self.hold(False)
            if self._lines and self._timer is None and not self._under_way:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._on_time)
            if not self._lines and not self._under_way:
                self._idle.set()

        self._silence = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._unanswered)
        size = sum(ENTRY_BYTES + len(one.ciphertext) for one in sealings)
        self.desk.journal.record(Part(drafts, sealings, size, over))

    def _unanswered(self) -> None:
        """The record has said nothing for too long: the session ends. What is in the spool comes on record later."""
        self._failed = True
        self._idle.set()
        self.fail(SojournError(Code.RECORD_UNAVAILABLE))

    def _release(self) -> None:
        """Let go what waited for nothing that is kept."""
        held, self._held, self._held_size, self._noted = self._held, [], 0, 0
        self._let_go(held)
        self.hold(False)

    def _let_go(self, held: list[tuple[bytes, int | None]]) -> None:
        """Show what has waited; what came in many small pieces goes on in few large ones."""
        for datatype, pieces in groupby(held, key=itemgetter(1)):
            self.show(b"".join(data for data, _ in pieces), datatype)

    async def finish(self, how: str) -> None:
        """Record how it ended and all that is left; what cannot be recorded now stays in the spool."""
        self._note_held()
        for code, decoder in self._texts.items():
            # A letter that was begun and not ended is kept as the bytes that it is.
            if rest := decoder.decode(b"", final=True):
                self._note(code, rest)
        self._put_event("x", how)
        self._spool_last()
        self._on_time()
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while not self._idle.is_set():
                    self._flush()
                    await self._idle.wait()
        except TimeoutError:
            return
        finally:
            if self._timer is not None:
                self._timer.cancel()
        if not self._failed:
            self._spool.remove()
