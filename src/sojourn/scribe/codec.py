"""Events to canonical bytes and back.

The body of a ledger entry is the event's fields as canonical JSON (sorted ASCII snake_case keys, no white
space, no floats); the entry's `kind` tells which event it is.
"""

from __future__ import annotations

import re

import msgspec

from sojourn.domain.events import KINDS, Event
from sojourn.errors import Code, SojournError
from sojourn.ledger.canonical import MAX_INTEGER

_encoder = msgspec.json.Encoder(order="sorted")

_LONG_NUMBER = re.compile(rb"[:,[]-?[0-9]{16}")


def _integer_fields(event: type[Event]) -> tuple[str, ...] | None:
    """The fields of an event that hold an integer or None; None if integers lie deeper, too."""
    described = msgspec.inspect.type_info(event)
    assert isinstance(described, msgspec.inspect.DataclassType)
    plain = [field.name for field in described.fields if _is_plain_integer(field.type)]
    deeper = [field for field in described.fields if field.name not in plain and "IntType" in repr(field.type)]
    return None if deeper else tuple(plain)


def _is_plain_integer(kind: msgspec.inspect.Type) -> bool:
    options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    return any(isinstance(one, msgspec.inspect.IntType) for one in options) and all(
        isinstance(one, msgspec.inspect.IntType | msgspec.inspect.NoneType) for one in options
    )


_integers = {kind: _integer_fields(event) for kind, event in KINDS.items()}
_decoders = {kind: msgspec.json.Decoder(event) for kind, event in KINDS.items()}


def encode(event: Event) -> bytes:
    """The canonical body of `event`."""
    return _encoder.encode(event)


def decode(kind: str, body: bytes) -> Event:
    """The event that `body` says under `kind`.

    Raises SojournError `record.damaged` for an unknown kind or a body that is not of that kind.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        raise SojournError(Code.RECORD_DAMAGED, problem=f"unknown kind {kind!r}", path="ledger.db")
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SojournError(Code.RECORD_DAMAGED, problem=f"{kind}: {error}", path="ledger.db") from error


def has_long_number(event: Event, body: bytes) -> bool:
    """Whether `body`, which says `event`, may hold an integer that is outside -(2**53-1) to 2**53-1."""
    names = _integers[event.kind]
    if names is None:
        return _LONG_NUMBER.search(body) is not None
    for name in names:
        value = getattr(event, name)
        if value is not None and not -MAX_INTEGER <= value <= MAX_INTEGER:
            return True
    return False
