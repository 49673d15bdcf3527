"""Watches what a target sends without holding it up: chunks are forwarded untouched, only headers are read (54.7).

- Rows (DataRow) and CopyData are counted, never copied; memory is one small message at most.
- The messages that end or change something come back as events, with the counts since the event before.
- A length that cannot be true raises `WireError`: after it nobody knows where the next message starts.

Speed decides here: the loop runs once a row. It reads type and length in one call, and where neighbours have the
same header it compares a whole run of them with five strided slices. That is exact: a message of known length
says where the next header stands, and that header is compared too.
"""

import struct
from typing import NamedTuple

from sojourn.gateway.postgres.wire import MESSAGE_BYTES_MAX, WireError

EVENT_KINDS = frozenset(b"CENZIs123nTtGHWcKSVRv")
"""Every message of a server but DataRow, CopyData and NotificationResponse."""

EVENT_BYTES_MAX = 16_384
"""How much of an event's body is kept; the rest is counted and forwarded."""

_ROW, _COPY = ord("D"), ord("d")
_COUNTED = (_ROW, _COPY)
_KNOWN = EVENT_KINDS | {_ROW, _COPY, ord("A")}
_RUN_MAX = 256
_header = struct.Struct(">BI").unpack_from


class Event(NamedTuple):
    """A message worth noticing; a tuple, because several are made for each short query.

    `payload` is its body, cut at the walker's limit; `length` its true length. `start` and `end` are offsets in the
    chunk just walked; `start` is negative when the message began in an earlier chunk. `rows`, `row_bytes`,
    `copies` and `copy_bytes` count DataRow and CopyData (bytes with headers) since the event before.
    """

    kind: int
    payload: bytes
    length: int
    start: int
    end: int
    rows: int
    row_bytes: int
    copies: int
    copy_bytes: int


class BackendWalker:
    """Follows one target's stream from a message boundary on. `walk` each chunk in order, then forward it as it is.

    `kinds` are the messages that come back as events; other known ones are passed over.
    """

    __slots__ = (
        "_broken",
        "_copies",
        "_copy_bytes",
        "_held",
        "_kind",
        "_kinds",
        "_left",
        "_length",
        "_payload_max",
        "_row_bytes",
        "_rows",
        "_seen",
        "at_boundary",
    )

    def __init__(self, kinds: frozenset[int] = EVENT_KINDS, payload_max: int = EVENT_BYTES_MAX) -> None:
        """Start at a message boundary."""
        self._kinds = kinds & EVENT_KINDS
        self._payload_max = payload_max
        self._rows = self._row_bytes = self._copies = self._copy_bytes = 0
        self._held = bytearray()
        # A message that reaches into the next chunk: its kind and length, what is still to come, what went before.
        self._kind = self._length = self._left = self._seen = 0
        self._broken: WireError | None = None
        self.at_boundary = True
        """Whether the stream stands between two messages, so that the gateway may send one of its own.

        (Not a property: it is asked for every statement.)
        """

    @property
    def left(self) -> int:
        """How many bytes of the message are still to come in which the stream stands; zero where nobody knows."""
        return self._left if self._broken is None else 0

    @property
    def rows(self) -> int:
        """DataRow messages begun since the last event."""
        return self._rows

    @property
    def row_bytes(self) -> int:
        """Bytes of DataRow messages begun since the last event, as their headers say."""
        return self._row_bytes

    @property
    def copies(self) -> int:
        """CopyData messages begun since the last event."""
        return self._copies

    @property
    def copy_bytes(self) -> int:
        """Bytes of CopyData messages begun since the last event, as their headers say."""
        return self._copy_bytes

    def walk(self, chunk: bytes | bytearray | memoryview) -> list[Event]:
        """Read the headers in the next chunk and return its events in order.

        Raises `WireError` at the first length or type that cannot be; every later call raises it again.
        """
        if self._broken is not None:
            raise self._broken
        events: list[Event] = []
        try:
            position = 0
            if self._left or self._held:
                position = self._resume(chunk, events)
            self._walk_whole(chunk, position, events)
        except WireError as error:
            self._broken = error
            self._held.clear()
            raise
        finally:
            self.at_boundary = not self._left and not self._held
        return events

    def _walk_whole(self, chunk: bytes | bytearray | memoryview, position: int, events: list[Event]) -> None:
        """Walk from a message boundary to the end of the chunk."""
        size = len(chunk)
        last = size - 5
        kinds, header = self._kinds, _header
        while position <= last:
            kind, length = header(chunk, position)
            if kind in _COUNTED:
                position = self._count_run(chunk, position, kind)
                continue
            end = position + 1 + length
            if kind in kinds and 4 <= length <= self._payload_max and end <= size:
                # The usual case: a message worth noticing that is here whole.
                counts = (self._rows, self._row_bytes, self._copies, self._copy_bytes)
                events.append(Event(kind, bytes(chunk[position + 5 : end]), length, position, end, *counts))
                self._rows = self._row_bytes = self._copies = self._copy_bytes = 0
                position = end
                continue
            position = self._note(chunk, position, kind, length, events)
        if position < size:
            # Fewer than five bytes: the header itself is split.
            self._held += chunk[position:]

    def _count_run(self, chunk: bytes | bytearray | memoryview, position: int, kind: int) -> int:
        """Count messages of one kind from `position` on; return where the run ends, at most the chunk's end."""
        start, size = position, len(chunk)
        last, count, before, alike = size - 5, 0, 0, 0
        length = 4
        header = _header
        while position <= last:
            found, length = header(chunk, position)
            if found != kind or length < 4:
                break
            position += length + 1
            count += 1
            if length != before:
                before, alike = length, 0
                continue
            alike += 1
            if alike >= 8:
                more = _run_of_equals(chunk, position, kind, length)
                count += more
                position += more * (length + 1)
                # Where runs are short, look at them less often.
                alike = 7 if more >= 16 else -24
        if position > size:
            _check(kind, length)
            self._kind, self._length = kind, length
            self._left = position - size
            self._seen = length + 1 - self._left
        elif length < 4:
            _check(kind, length)
        if kind == _ROW:
            self._rows += count
            self._row_bytes += position - start
        else:
            self._copies += count
            self._copy_bytes += position - start
        return min(position, size)

    def _note(
        self,
        chunk: bytes | bytearray | memoryview,
        position: int,
        kind: int,
        length: int,
        events: list[Event],
    ) -> int:
        """Take one message that is neither row nor CopyData; return where the next one starts in the chunk."""
        _check(kind, length)
        end = position + 1 + length
        wanted = kind in self._kinds
        if end <= len(chunk):
            if wanted:
                body = position + 5
                stop = min(end, body + self._payload_max)
                self._emit(kind, bytes(chunk[body:stop]), length, position, end, events)
            return end
        self._kind, self._length = kind, length
        self._left = end - len(chunk)
        self._seen = len(chunk) - position
        if wanted:
            self._held += chunk[position : position + 5 + self._payload_max]
        return len(chunk)

    def _emit(self, kind: int, payload: bytes, length: int, start: int, end: int, events: list[Event]) -> None:
        events.append(
            Event(
                kind,
                payload,
                length,
                start,
                end,
                self._rows,
                self._row_bytes,
                self._copies,
                self._copy_bytes,
            )
        )
        self._rows = self._row_bytes = self._copies = self._copy_bytes = 0

    def _resume(self, chunk: bytes | bytearray | memoryview, events: list[Event]) -> int:
        """Finish what began in an earlier chunk; return where the next message starts in this one."""
        if self._left:
            return self._finish(chunk, 0, events)
        held = self._held
        before = len(held)
        held += chunk[: 5 - before]
        if len(held) < 5:
            return len(chunk)
        kind, length = _header(held, 0)
        _check(kind, length)
        if kind == _ROW:
            self._rows += 1
            self._row_bytes += length + 1
        elif kind == _COPY:
            self._copies += 1
            self._copy_bytes += length + 1
        self._kind, self._length = kind, length
        self._seen, self._left = before, length + 1 - before
        if kind not in self._kinds:
            held.clear()
        return self._finish(chunk, 5 - before, events)

    def _finish(self, chunk: bytes | bytearray | memoryview, have: int, events: list[Event]) -> int:
        """Take the rest of the current message from the chunk; its first `have` bytes are already held."""
        used = min(self._left, len(chunk))
        wanted = self._kind in self._kinds
        if wanted and used > have:
            room = 5 + self._payload_max - len(self._held)
            self._held += chunk[have : min(used, have + room)]
        self._left -= used
        if not self._left and wanted:
            payload = bytes(self._held[5 : 5 + self._payload_max])
            self._held.clear()
            self._emit(self._kind, payload, self._length, -self._seen, used, events)
        self._seen += used
        return used


def _check(kind: int, length: int) -> None:
    """Refuse a header that no PostgreSQL sends."""
    if kind not in _KNOWN:
        raise WireError(f"the server sent an unknown message type {kind:#04x}")
    if not 4 <= length <= MESSAGE_BYTES_MAX:
        raise WireError(f"the server sent a message {chr(kind)!r} with the impossible length {length}")


def _run_of_equals(chunk: bytes | bytearray | memoryview, position: int, kind: int, length: int) -> int:
    """Count how many messages from `position` on have exactly this header, in steps; all of them are whole."""
    stride = length + 1
    whole = min((len(chunk) - position) // stride, _RUN_MAX)
    steps = 16
    count = 0
    expected = (kind, *length.to_bytes(4, "big"))
    while whole - count >= steps:
        start = position + count * stride
        stop = start + steps * stride
        for offset in (4, 0, 3, 2, 1):
            if bytes(chunk[start + offset : stop : stride]) != bytes((expected[offset],)) * steps:
                return count
        count += steps
        steps = min(steps * 4, 64)
    return count
