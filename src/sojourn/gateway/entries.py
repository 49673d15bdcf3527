"""The entries of a session as they go to the scribe: canonical bodies, made once.

An action has two entries, and a gateway writes little else. So these two are encoded without making an event first;
a test holds every byte equal to what the codec says of the event.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from sojourn.domain.events import ActionCompleted, ActionIntended, Event, Outcome
from sojourn.domain.identifiers import SessionId, StreamName
from sojourn.domain.sealed import Sealing
from sojourn.scribe import codec
from sojourn.scribe.protocol import Draft


class Intention(NamedTuple):
    """What is about to be done, in words of the domain. `detail` is sealed. (A tuple: one is made a statement.)"""

    protocol: str
    verb: str
    may_write: bool
    objects: tuple[str, ...]
    detail: bytes


class Result(NamedTuple):
    """What became of an action. `message` is sealed."""

    outcome: Outcome
    tags: tuple[str, ...] = ()
    sqlstate: str = ""
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    duration_us: int = 0
    message: bytes = b""


class _Sealed(msgspec.Struct, gc=False):
    commitment: str
    key: str


class _Intended(msgspec.Struct, gc=False):
    """The fields of `ActionIntended` in canonical order."""

    detail: _Sealed
    may_write: bool
    number: int
    objects: tuple[str, ...]
    protocol: str
    session: str
    verb: str


class _Completed(msgspec.Struct, gc=False):
    """The fields of `ActionCompleted` in canonical order."""

    bytes_in: int
    bytes_out: int
    duration_us: int
    message: _Sealed | None
    number: int
    outcome: Outcome
    rows: int
    session: str
    sqlstate: str
    tags: tuple[str, ...]


_encode = msgspec.json.Encoder().encode
_INTENDED = ActionIntended.kind
_COMPLETED = ActionCompleted.kind


def intended(stream: StreamName, session: SessionId, number: int, intention: Intention, sealing: Sealing) -> Draft:
    """The intent of an action; `sealing` is that of its detail."""
    protocol, verb, may_write, objects, _ = intention
    detail = _Sealed(sealing.commitment, sealing.key.key)
    body = _encode(_Intended(detail, may_write, number, objects, protocol, session, verb))
    return Draft(stream, _INTENDED, body, None)


def completed(stream: StreamName, session: SessionId, number: int, result: Result, sealing: Sealing | None) -> Draft:
    """The outcome of an action; `sealing` is that of its message, if there is one."""
    outcome, tags, sqlstate, rows, bytes_in, bytes_out, duration_us, _ = result
    message = None if sealing is None else _Sealed(sealing.commitment, sealing.key.key)
    body = _encode(
        _Completed(bytes_in, bytes_out, duration_us, message, number, outcome, rows, session, sqlstate, tags)
    )
    return Draft(stream, _COMPLETED, body, None)


def drafted(stream: StreamName, event: Event) -> Draft:
    """Any other event of a session."""
    return Draft(stream, event.kind, codec.encode(event), None)


def number_of(draft: Draft) -> int:
    """The action's number in an intent or an outcome."""
    event = codec.decode(draft.kind, draft.body)
    assert isinstance(event, ActionIntended | ActionCompleted)
    return event.number
