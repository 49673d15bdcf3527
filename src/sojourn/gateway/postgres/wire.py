"""The frame of PostgreSQL's protocol 3: one byte of type, four bytes of length, a body (manual section 54.2).

- Bytes in, messages out: no sockets, no clock. Whatever is malformed raises `WireError` and nothing else.
- Memory is bounded: a message longer than its limit is refused as soon as its header is seen.
- CopyData from a client is never collected. It passes in runs and pieces as it came.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

PROTOCOL_VIOLATION = "08P01"
LIMIT_EXCEEDED = "54000"
MESSAGE_BYTES_MAX = 0x3FFFFFFF
"""PostgreSQL's own ceiling for one message (1 GiB - 1)."""

COPY_DATA = ord("d")

_header = struct.Struct(">BI").unpack_from
_length = struct.Struct(">I")
_signed = struct.Struct(">i").unpack_from
_count = struct.Struct(">H").unpack_from
FORMATS = frozenset((0, 1))


class WireError(ValueError):
    """Bytes that break the protocol or a limit: `reason` for people, `sqlstate` for the ErrorResponse."""

    def __init__(self, reason: str, sqlstate: str = PROTOCOL_VIOLATION) -> None:
        """Keep the sentence that says what is wrong and the SQLSTATE to answer with."""
        super().__init__(reason)
        self.reason = reason
        self.sqlstate = sqlstate


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Encode one typed message; `kind` is its one-byte type."""
    return kind + _length.pack(len(body) + 4) + body


def terminated(text: str | bytes) -> bytes:
    """Encode a string of the protocol; a NUL inside would end it early, so it raises `WireError`."""
    raw = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    if 0 in raw:
        raise WireError("a string of the protocol cannot contain a NUL byte")
    return raw + b"\0"


def decode_text(raw: bytes) -> str:
    """Read bytes of a peer as UTF-8 for people; what is not UTF-8 shows as `\\xNN` and never raises."""
    return raw.decode("utf-8", "backslashreplace")


class Reader:
    """Reads the fields of one body in order; each method raises `WireError` where the body is too short."""

    __slots__ = ("_body", "_name", "_position")

    def __init__(self, body: bytes, name: str) -> None:
        """Start at the first byte of `body`; `name` is the message, for the error."""
        self._body = body
        self._name = name
        self._position = 0

    def string(self) -> bytes:
        """Read up to the next NUL, without it."""
        end = self._body.find(b"\0", self._position)
        if end < 0:
            raise WireError(f"{self._name}: a string is not terminated")
        start, self._position = self._position, end + 1
        return self._body[start:end]

    def take(self, count: int) -> bytes:
        """Read exactly `count` bytes."""
        start = self._position
        if count < 0 or start + count > len(self._body):
            raise WireError(f"{self._name}: insufficient data left in the message")
        self._position = start + count
        return self._body[start : start + count]

    def int16(self) -> int:
        """Read a signed 16-bit integer."""
        return int.from_bytes(self.take(2), "big", signed=True)

    def int32(self) -> int:
        """Read a signed 32-bit integer."""
        return int.from_bytes(self.take(4), "big", signed=True)

    def count16(self) -> int:
        """Read the number of items that follow (unsigned, up to 65,535 as PostgreSQL reads it)."""
        position = self._position
        if position + 2 > len(self._body):
            raise WireError(f"{self._name}: insufficient data left in the message")
        self._position = position + 2
        count: int = _count(self._body, position)[0]
        return count

    def oid(self) -> int:
        """Read an object id (unsigned 32 bits)."""
        return int.from_bytes(self.take(4), "big")

    def formats(self) -> tuple[int, ...]:
        """Read a counted list of format codes, each 0 (text) or 1 (binary)."""
        count = self.count16()
        if not count:
            return ()
        codes = struct.unpack(f">{count}h", self.take(2 * count))
        if not FORMATS.issuperset(codes):
            raise WireError(f"{self._name}: a format code is neither 0 nor 1")
        return codes

    def values(self) -> tuple[bytes | None, ...]:
        """Read a counted list of values; a length of -1 is NULL and comes back as None."""
        found: list[bytes | None] = []
        body, position, size = self._body, self._position + 2, len(self._body)
        for _ in range(self.count16()):
            if position + 4 > size:
                raise WireError(f"{self._name}: insufficient data left in the message")
            (length,) = _signed(body, position)
            position += 4
            if length == -1:
                found.append(None)
                continue
            if length < -1:
                raise WireError(f"{self._name}: a value has the length {length}")
            if position + length > size:
                raise WireError(f"{self._name}: insufficient data left in the message")
            found.append(body[position : position + length])
            position += length
        self._position = position
        return tuple(found)

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.take(len(self._body) - self._position)

    def end(self) -> None:
        """Refuse bytes after the last field."""
        left = len(self._body) - self._position
        if left:
            raise WireError(f"{self._name}: {left} bytes after the last field")


class Frame(NamedTuple):
    """What a splitter hands on; a tuple, because one is made for each message on the hot path.

    `raw` is to be forwarded as it stands. For every kind but CopyData it is one whole message. For CopyData it is a
    run of messages or a piece of one: `messages` of them start in it, and `complete` says that it ends with one.
    """

    kind: int
    raw: bytes
    messages: int = 1
    complete: bool = True

    @property
    def payload(self) -> bytes:
        """The body without type and length; of a whole message only."""
        return self.raw[5:]


class Splitter:
    """Cuts a byte stream into typed messages, however it was split in transit.

    `limits` maps each permitted kind to the most bytes its length field may say; any other kind is refused. At most
    one message is held back, so memory is bounded by the largest limit of a kind that is not streamed.
    """

    __slots__ = ("_broken", "_held", "_limits", "_streaming", "at_boundary")

    def __init__(self, limits: Mapping[int, int]) -> None:
        """Start at a message boundary with the kinds and limits of this phase and direction."""
        self._limits = dict(limits)
        self._held = bytearray()
        self._streaming = 0
        self._broken: WireError | None = None
        self.at_boundary = True
        """Whether the stream stands between two messages. (Not a property: it is asked for every statement.)"""

    @property
    def buffered(self) -> int:
        """Bytes held back because their message is not complete; zero at a message boundary."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take the next bytes of the stream and return the frames they complete, in order.

        Raises `WireError` at the first malformed header; every later call raises it again.
        """
        if self._broken is not None:
            raise self._broken
        try:
            return self._split(chunk if type(chunk) is bytes else bytes(chunk))
        except WireError as error:
            self._broken = error
            self._held.clear()
            raise
        finally:
            self.at_boundary = not self._held and not self._streaming

    def _split(self, chunk: bytes) -> list[Frame]:
        frames: list[Frame] = []
        position = self._continue_copy(chunk, frames) if self._streaming else 0
        if self._held:
            position = self._complete_held(chunk, frames)
        size = len(chunk)
        limit = self._limits.get
        while position + 5 <= size:
            kind, length = _header(chunk, position)
            if not 4 <= length <= limit(kind, 0):
                self._measure(chunk, position)
            end = position + 1 + length
            if kind == COPY_DATA:
                position = self._pass_copy(chunk, position, frames)
                continue
            if end > size:
                break
            frames.append(Frame(kind, chunk[position:end]))
            position = end
        if position < size:
            if chunk[position] not in self._limits:
                raise WireError(f"invalid message type {chunk[position]:#04x}")
            self._held += chunk[position:]
        return frames

    def _measure(self, data: bytes | bytearray, position: int) -> tuple[int, int]:
        """Return the kind and the end of the message that starts at `position`; its header is complete."""
        kind, length = _header(data, position)
        limit = self._limits.get(kind)
        if limit is None:
            raise WireError(f"invalid message type {kind:#04x}")
        if length < 4:
            raise WireError(f"message {chr(kind)!r} has the length {length}, less than its own length field")
        if length > limit:
            state = PROTOCOL_VIOLATION if length > MESSAGE_BYTES_MAX else LIMIT_EXCEEDED
            raise WireError(f"message {chr(kind)!r} of {length} bytes exceeds the limit of {limit}", state)
        return kind, position + 1 + length

    def _complete_held(self, chunk: bytes, frames: list[Frame]) -> int:
        """Add to the held message what it lacks; return where the next one starts in `chunk`."""
        held = self._held
        taken = 0
        if len(held) < 5:
            taken = 5 - len(held)
            held += chunk[:taken]
            if len(held) < 5:
                return len(chunk)
        kind, end = self._measure(held, 0)
        if kind == COPY_DATA:
            rest = bytes(held) + chunk[taken:]
            before = len(held)
            held.clear()
            return self._pass_copy(rest, 0, frames) + taken - before
        used = min(taken + end - len(held), len(chunk))
        held += chunk[taken:used]
        if len(held) == end:
            frames.append(Frame(kind, bytes(held)))
            held.clear()
        return used

    def _pass_copy(self, chunk: bytes, start: int, frames: list[Frame]) -> int:
        """Take CopyData messages from `start` on, as far as they go, as one frame."""
        position, count, size = start, 0, len(chunk)
        while position + 5 <= size and chunk[position] == COPY_DATA:
            _, position = self._measure(chunk, position)
            count += 1
        stop = min(position, size)
        self._streaming = position - stop
        frames.append(Frame(COPY_DATA, chunk[start:stop], count, not self._streaming))
        return stop

    def _continue_copy(self, chunk: bytes, frames: list[Frame]) -> int:
        """Pass on the rest of a CopyData message that began in an earlier chunk."""
        stop = min(self._streaming, len(chunk))
        self._streaming -= stop
        if stop:
            frames.append(Frame(COPY_DATA, chunk[:stop], 0, not self._streaming))
        return stop
