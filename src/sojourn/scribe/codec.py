"""Events to canonical bytes and back.

The body of a ledger entry is the event's fields as canonical JSON (sorted ASCII snake_case keys, no white
space, no floats); the entry's `kind` tells which event it is.

Whoever reads gets events. The scribe only asks of each body whether it is one that the codec would have written, and
does so with a second reader of the same types (`_shape`) that takes half the time and knows the bounds of integers.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from sojourn.domain.events import KINDS, Event
from sojourn.errors import Code, SojournError
from sojourn.ledger.canonical import MAX_INTEGER

_encoder = msgspec.json.Encoder(order="sorted")

_Integer = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]


def _shape(kind: Any, known: dict[Any, Any]) -> Any:
    """The type of the same JSON as `kind`, with structs for dataclasses and bounds for integers.

    A dataclass that checks itself when it is made stays what it is.
    """
    if kind is int:
        return _Integer
    if isinstance(kind, typing.NewType):
        return _shape(kind.__supertype__, known)
    if dataclasses.is_dataclass(kind):
        if not hasattr(kind, "__post_init__"):
            return known.get(kind) or _struct(cast(type, kind), known)
        if "IntType" in repr(msgspec.inspect.type_info(kind)):
            raise TypeError(f"{kind} checks itself and holds integers, whose bounds nobody would look at")
    outer, inner = typing.get_origin(kind), typing.get_args(kind)
    if outer in (typing.Union, types.UnionType):
        return typing.Union[tuple(_shape(one, known) for one in inner)]  # noqa: UP007 - members are computed
    if outer in (tuple, list, dict, frozenset):
        return outer[tuple(one if one is ... else _shape(one, known) for one in inner)]
    return kind


def _struct(kind: type, known: dict[Any, Any]) -> Any:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields: list[Any] = []
    for one in dataclasses.fields(kind):
        default = () if one.default is dataclasses.MISSING else (one.default,)
        fields.append((one.name, _shape(hints[one.name], known), *default))
    known[kind] = msgspec.defstruct(kind.__name__, fields, kw_only=True, frozen=True, gc=False)
    return known[kind]


def shapes() -> dict[str, Any]:
    """For each kind of event the type with which its bodies are checked."""
    known: dict[Any, Any] = {}
    return {kind: _shape(event, known) for kind, event in KINDS.items()}


_decode = {kind: msgspec.json.Decoder(event).decode for kind, event in KINDS.items()}
_checkers = {kind: msgspec.json.Decoder(shape) for kind, shape in shapes().items()}
_check = {kind: checker.decode for kind, checker in _checkers.items()}
_check_lines = {kind: checker.decode_lines for kind, checker in _checkers.items()}
_encode, _encode_lines = _encoder.encode, _encoder.encode_lines


def encode(event: Event) -> bytes:
    """The canonical body of `event`."""
    return _encode(event)


def decode(kind: str, body: bytes) -> Event:
    """The event that `body` says under `kind`.

    Raises SojournError `record.damaged` for an unknown kind or a body that is not of that kind.
    """
    try:
        return _decode[kind](body)
    except _UNREADABLE as error:
        raise _damaged(kind, error) from error


def is_canonical(kind: str, body: bytes) -> bool:
    """Whether `encode` would write exactly `body` for some event of that kind.

    Raises SojournError `record.damaged` for an unknown kind, a body that is not of that kind, and integers that are
    outside -(2**53-1) to 2**53-1.
    """
    try:
        return _encode(_check[kind](body)) == body
    except _UNREADABLE as error:
        raise _damaged(kind, error) from error


def all_canonical(kind: str, bodies: Sequence[bytes]) -> bool:
    """Whether each of `bodies` is canonical; False also for what `is_canonical` would refuse with an error.

    All are read and written again together, a line for each: no canonical body has a line break in it, so the same
    text in as many lines is the same bodies.
    """
    lines = b"\n".join((*bodies, b""))
    try:
        return _encode_lines(_check_lines[kind](lines)) == lines and lines.count(b"\n") == len(bodies)
    except _UNREADABLE:
        return False


_UNREADABLE = (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def _damaged(kind: str, error: Exception) -> SojournError:
    problem = f"unknown kind {kind!r}" if isinstance(error, KeyError) else f"{kind}: {error}"
    return SojournError(Code.RECORD_DAMAGED, problem=problem, path="ledger.db")
