"""The usual case, read quickly: a client sends one statement, and nothing else until it is answered.

What is recognised here is exactly one Query, or one [Parse,] Bind, [Describe,] Execute and Sync by the unnamed portal;
and an answer that arrives whole, without an error or a notice. Everything else returns None and takes the long way
through `Conversation`, which a lone statement can join at any time: its messages are still there to be read again.

Pure: bytes in, what they say out.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from sojourn.domain.events import Outcome
from sojourn.domain.tuples import maker
from sojourn.gateway.entries import Intention, Result

from . import frontend
from .action import Action, only_reads
from .backend import TAG_BYTES_MAX, Completion, Status, parse_command_complete
from .frontend import Bind
from .names import Naming
from .wire import Frame, WireError

STATEMENT_BYTES_MAX = 8_192
ANSWER_BYTES_MAX = 4_096
"""A longer answer is counted faster by the walker, which looks at runs of rows."""

_DESCRIBE = b"D\0\0\0\x06P\0"
_EXECUTE_AND_SYNC = b"E\0\0\0\x09\0\0\0\0\0" + b"S\0\0\0\x04"
_DESCRIBED = {_EXECUTE_AND_SYNC: False, _DESCRIBE + _EXECUTE_AND_SYNC: True}
_PARSED = b"1\0\0\0\x04"
_BOUND = b"2\0\0\0\x04"
_PARSED_AND_BOUND = _PARSED + _BOUND
_NO_DATA = b"n\0\0\0\x04"
_READY = b"Z\0\0\0\x05"
_STATUS = {ord(status): status for status in Status}
_QUERY, _PARSE, _BIND = b"QPB"
_COMPLETED = Outcome.COMPLETED
_COMMAND_COMPLETE, _ROW, _ROW_DESCRIPTION = b"CDT"
_header = struct.Struct(">BI").unpack_from


class Said(NamedTuple):
    """What a client has said in one go: a simple `sql`, or a `bound` statement that `parsed` may precede.

    `size` is that of the Query or the Bind; `opening` is how the answer has to begin, `described` whether the
    description of its rows has to follow.
    """

    size: int
    sql: bytes
    parsed: frontend.Parse | None
    bound: Bind | None
    opening: bytes
    described: bool


_new_said = maker(Said)


class Lone:
    """A lone statement on its way: as a batch of one action."""

    __slots__ = ("action", "intention", "naming", "number", "raw", "said", "started")

    def __init__(self, raw: bytes, said: Said, intention: Intention, naming: Naming | None) -> None:
        """Not forwarded yet, and without a number."""
        self.raw = raw
        self.said = said
        self.intention = intention
        self.naming = naming
        self.number = 0
        self.started = 0.0
        self.action: Action | None = None
        """What stands for it once it has joined the long way."""

    @property
    def intentions(self) -> tuple[Intention]:
        """What is to be on record before it goes on."""
        return (self.intention,)

    @property
    def only_reads(self) -> bool:
        """Whether it is labelled as one that reads and changes nothing."""
        return only_reads(self.intentions)

    @property
    def frames(self) -> list[Frame]:
        """Its messages, for the long way."""
        found: list[Frame] = []
        position = 0
        while position < len(self.raw):
            kind, length = _header(self.raw, position)
            end = position + 1 + length
            found.append(Frame(kind, self.raw[position:end]))
            position = end
        return found

    def numbered(self, numbers: tuple[int, ...]) -> None:
        """Its intent is on record under this number."""
        (self.number,) = numbers
        if self.action is not None:
            self.action.number = self.number


def said(chunk: bytes) -> Said | None:
    """A lone statement in what a client has just sent from a message boundary on."""
    if not 6 <= len(chunk) <= STATEMENT_BYTES_MAX:
        return None
    try:
        return _said(chunk)
    except WireError:
        # The long way says what is wrong.
        return None


def _said(chunk: bytes) -> Said | None:
    size = len(chunk)
    kind, length = _header(chunk, 0)
    end = length + 1
    if kind == _QUERY:
        if end != size or chunk.find(0, 5) != size - 1:
            return None
        return _new_said((size, chunk[5:-1], None, None, b"", False))
    if kind == _BIND:
        return _said_bound(chunk, 0, end, None)
    if kind != _PARSE or size < end + 5 or length < 4:
        return None
    start = end
    kind, length = _header(chunk, start)
    return _said_bound(chunk, start, start + length + 1, chunk[5:start]) if kind == _BIND else None


def _said_bound(chunk: bytes, start: int, end: int, parse: bytes | None) -> Said | None:
    """A Bind from `start` to `end`, by the unnamed portal, and what follows it."""
    described = _DESCRIBED.get(chunk[end:])
    if described is None or chunk[start + 5] != 0:
        return None
    bound = frontend.parse_bind(chunk[start + 5 : end])
    if parse is None:
        return _new_said((end - start, b"", None, bound, _BOUND, described))
    parsed = frontend.parse_parse(parse)
    if parsed.statement != bound.statement:
        return None
    return _new_said((end - start, b"", parsed, bound, _PARSED_AND_BOUND, described))


class Answered(NamedTuple):
    """What a target has answered: how the command ended, what rows it sent, and the status after it."""

    completion: Completion
    rows: int
    row_bytes: int
    status: Status


def answered(lone: Said, chunk: bytes) -> Answered | None:
    """The whole answer to a lone statement, if that is what the target has just sent from a message boundary on."""
    size = len(chunk)
    last = size - 6
    if size > ANSWER_BYTES_MAX or chunk[last:-1] != _READY or not chunk.startswith(lone.opening):
        return None
    position = len(lone.opening)
    kind, length = _header(chunk, position)
    if lone.described and chunk.startswith(_NO_DATA, position):
        position += 5
    elif kind == _ROW_DESCRIPTION and (lone.described or lone.bound is None) and length >= 4:
        position += length + 1
    elif lone.described:
        return None
    start, rows = position, 0
    while position < last:
        kind, length = _header(chunk, position)
        if kind != _ROW:
            break
        if length < 4:
            return None
        rows += 1
        position += length + 1
    status = _STATUS.get(chunk[-1])
    if kind != _COMMAND_COMPLETE or position + length + 1 != last or not 4 < length <= TAG_BYTES_MAX or status is None:
        return None
    return _new_answered((_completion(chunk[position + 5 : last]), rows, position - start, status))


_new_answered, _new_result = maker(Answered), maker(Result)
_completion = lru_cache(maxsize=1_024)(parse_command_complete)


def result(lone: Lone, answer: Answered, now: float) -> Result:
    """What is to be recorded of it."""
    completion, rows, row_bytes, _ = answer
    counted = completion.rows
    if counted is None:
        counted = rows
    microseconds = round((now - lone.started) * 1e6)
    return _new_result((_COMPLETED, (completion.tag,), "", counted, lone.said.size, row_bytes, microseconds, b""))
