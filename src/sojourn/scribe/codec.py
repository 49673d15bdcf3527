"""Events to canonical bytes and back.

The body of a ledger entry is the event's fields as canonical JSON (sorted ASCII snake_case keys, no white
space, no floats); the entry's `kind` tells which event it is.
"""

from __future__ import annotations

import msgspec

from sojourn.domain.events import KINDS, Event
from sojourn.errors import Code, SojournError

_encoder = msgspec.json.Encoder(order="sorted")
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
