"""Messages that a client sends: parsers for what the gateway must understand, builders for its own log-in (54.7).

Statement texts and names stay bytes: they are evidence, and the client chose their encoding. A value is the raw bytes
of its format. Each parser takes the body without type and length, and raises `WireError` for anything malformed.
"""

import hashlib
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from sojourn.domain.tuples import maker
from sojourn.gateway.postgres.wire import FORMATS, MESSAGE_BYTES_MAX, Reader, WireError, message, terminated

SMALL_BYTES_MAX = 10_000
_signed = struct.Struct(">i").unpack_from
_count = struct.Struct(">H").unpack_from

AUTHENTICATION_LIMITS = {ord("p"): 1_024}
"""What a client may send before it is known: a SCRAM message, which is short. For `wire.Splitter`."""


def session_limits(statement_bytes_max: int) -> dict[int, int]:
    """Return the kinds and limits of an open session for `wire.Splitter`.

    `statement_bytes_max` bounds what must be held whole: Query, Parse, Bind, FunctionCall. CopyData is streamed and
    may be as large as PostgreSQL allows; the rest has PostgreSQL's own small limit. `p` is not among them.
    """
    limits = {ord(kind): statement_bytes_max for kind in "QPBF"}
    limits |= {ord(kind): SMALL_BYTES_MAX for kind in "EDCHSXcf"}
    return limits | {ord("d"): MESSAGE_BYTES_MAX}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A simple query: any number of statements in one text."""

    sql: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parse:
    """Prepare `sql` under the name `statement` (empty: the unnamed one) with the types the client chose."""

    statement: bytes
    sql: bytes
    types: tuple[int, ...] = ()


class Bind(NamedTuple):
    """Make `portal` from `statement` and values; None is NULL; formats are 0 (text) or 1 (binary).

    A tuple, because one is made for each statement.
    """

    portal: bytes
    statement: bytes
    formats: tuple[int, ...] = ()
    values: tuple[bytes | None, ...] = ()
    result_formats: tuple[int, ...] = ()

    def __repr__(self) -> str:
        """Without the values, so that no log line can carry them."""
        return f"Bind(portal={self.portal!r}, statement={self.statement!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    """Run `portal` up to `rows_max` rows; zero means all."""

    portal: bytes
    rows_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe:
    """Ask what a statement or portal takes and returns."""

    portal: bool
    name: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Forget a statement or portal."""

    portal: bool
    name: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    """The fast path: call the function with this object id."""

    function: int
    formats: tuple[int, ...] = ()
    values: tuple[bytes | None, ...] = field(default=(), repr=False)
    result_format: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SaslInitial:
    """The first SASL answer of a client: the mechanism it chose, and its first message if it sent one."""

    mechanism: str
    data: bytes | None = field(repr=False)


def parse_query(body: bytes) -> Query:
    """Parse Q. Bytes after the first NUL are refused: the server would not run them, but a record might show them."""
    reader = Reader(body, "Query")
    query = Query(sql=reader.string())
    reader.end()
    return query


def parse_parse(body: bytes) -> Parse:
    """Parse P."""
    reader = Reader(body, "Parse")
    statement, sql = reader.string(), reader.string()
    types = tuple(reader.oid() for _ in range(reader.count16()))
    reader.end()
    return Parse(statement=statement, sql=sql, types=types)


def parse_bind(body: bytes) -> Bind:
    """Parse B. The portal comes first, then the statement."""
    return _well_formed_bind(body) or read_bind(body)


def _well_formed_bind(body: bytes) -> Bind | None:
    """What `read_bind` gives, in one go and without an object that reads; None where that would raise."""
    try:
        end = body.index(0)
        start, middle = end + 1, body.index(0, end + 1)
        formats, position = _well_formed_formats(body, middle + 1)
        values: list[bytes | None] = []
        (count,) = _count(body, position)
        position += 2
        for _ in range(count):
            (length,) = _signed(body, position)
            position += 4
            if length >= 0:
                values.append(body[position : position + length])
                position += length
            elif length == -1:
                values.append(None)
            else:
                return None
        result_formats = _ENDS.get(body[position : position + 5])
        if result_formats is None:
            result_formats, position = _well_formed_formats(body, position)
        else:
            position = len(body)
    except (ValueError, struct.error):
        return None
    # A value that reaches beyond the end leaves nothing where the formats of the result should be.
    if position != len(body) or (len(formats) > 1 and len(formats) != count):
        return None
    return _bind((body[:end], body[start:middle], formats, tuple(values), result_formats))


_ENDS: dict[bytes, tuple[int, ...]] = {b"\0\0": (), b"\0\1\0\0": (0,), b"\0\1\0\1": (1,)}
"""What nearly every Bind ends with: the formats of its result, up to the message's end."""
_bind = maker(Bind)


def _well_formed_formats(body: bytes, position: int) -> tuple[tuple[int, ...], int]:
    count: int = _count(body, position)[0]
    if not count:
        return (), position + 2
    codes: tuple[int, ...] = struct.unpack_from(f">{count}h", body, position + 2)
    if not FORMATS.issuperset(codes):
        raise ValueError("a format code is neither 0 nor 1")
    return codes, position + 2 + 2 * count


def read_bind(body: bytes) -> Bind:
    """Parse B field by field, and say what is wrong with one that is malformed."""
    reader = Reader(body, "Bind")
    portal, statement = reader.string(), reader.string()
    formats, values = reader.formats(), reader.values()
    result_formats = reader.formats()
    reader.end()
    if len(formats) > 1 and len(formats) != len(values):
        raise WireError(f"Bind: {len(formats)} formats for {len(values)} values")
    return Bind(portal, statement, formats, values, result_formats)


def parse_execute(body: bytes) -> Execute:
    """Parse E. A negative number of rows means all, as in PostgreSQL."""
    reader = Reader(body, "Execute")
    portal, rows_max = reader.string(), reader.int32()
    reader.end()
    return Execute(portal=portal, rows_max=max(rows_max, 0))


def parse_describe(body: bytes) -> Describe:
    """Parse D."""
    portal, name = _named(body, "Describe")
    return Describe(portal=portal, name=name)


def parse_close(body: bytes) -> Close:
    """Parse C."""
    portal, name = _named(body, "Close")
    return Close(portal=portal, name=name)


def _named(body: bytes, kind: str) -> tuple[bool, bytes]:
    reader = Reader(body, kind)
    which, name = reader.take(1), reader.string()
    reader.end()
    if which not in (b"S", b"P"):
        raise WireError(f"{kind}: invalid subtype {which[0]:#04x}")
    return which == b"P", name


def parse_function_call(body: bytes) -> FunctionCall:
    """Parse F."""
    reader = Reader(body, "FunctionCall")
    function, formats, values = reader.oid(), reader.formats(), reader.values()
    result_format = reader.int16()
    reader.end()
    if result_format not in (0, 1):
        raise WireError("FunctionCall: a format code is neither 0 nor 1")
    if len(formats) > 1 and len(formats) != len(values):
        raise WireError(f"FunctionCall: {len(formats)} formats for {len(values)} values")
    return FunctionCall(function=function, formats=formats, values=values, result_format=result_format)


def parse_copy_fail(body: bytes) -> bytes:
    """Parse f: the reason the client gives."""
    reader = Reader(body, "CopyFail")
    reason = reader.string()
    reader.end()
    return reason


def parse_empty(body: bytes, name: str) -> None:
    """Refuse a body where there must be none: Flush, Sync, CopyDone, Terminate."""
    Reader(body, name).end()


def parse_sasl_initial(body: bytes) -> SaslInitial:
    """Parse p as SASLInitialResponse."""
    reader = Reader(body, "SASLInitialResponse")
    mechanism, length = reader.string(), reader.int32()
    if length < -1:
        raise WireError("SASLInitialResponse: negative length")
    data = None if length == -1 else reader.take(length)
    reader.end()
    if not mechanism.isascii() or len(mechanism) > 20:
        raise WireError("SASLInitialResponse: no name of a SASL mechanism")
    return SaslInitial(mechanism=mechanism.decode(), data=data)


def query(sql: str | bytes) -> bytes:
    """Encode a simple query of the gateway's own."""
    return message(b"Q", terminated(sql))


def sasl_initial_response(mechanism: str, data: bytes) -> bytes:
    """Encode SASLInitialResponse."""
    return message(b"p", terminated(mechanism) + len(data).to_bytes(4, "big") + data)


def sasl_response(data: bytes) -> bytes:
    """Encode SASLResponse."""
    return message(b"p", data)


def password_message(answer: str) -> bytes:
    """Encode PasswordMessage, for a password in clear or the answer to an MD5 challenge."""
    return message(b"p", terminated(answer))


def md5_response(user: str, password: str, salt: bytes) -> str:
    """The answer to AuthenticationMD5Password (manual section 54.2.1); `salt` has four bytes."""
    if len(salt) != 4:
        raise WireError("AuthenticationMD5Password: the salt has four bytes")
    inner = hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()
    return "md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest()


def sync() -> bytes:
    """Encode Sync."""
    return message(b"S")


def terminate() -> bytes:
    """Encode Terminate."""
    return message(b"X")
