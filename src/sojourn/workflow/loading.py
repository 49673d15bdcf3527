"""Reads things back from the record: a state is the fold of its stream, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import TypeVar

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.events import Event
from sojourn.domain.grant import Grant
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import GrantId, RequestId, grant_stream, request_stream
from sojourn.domain.request import Request
from sojourn.errors import Code, SojournError

from .ports import Ledger

ID_LENGTH_MAX = 64

State = TypeVar("State")


def fold(
    evolve: Callable[[State | None, Event], State | None], entries: Iterable[Recorded], start: State | None = None
) -> State | None:
    """The state that `entries` tell, from `start` on."""
    return reduce(lambda state, one: evolve(state, one.event), entries, start)


def is_id(text: str) -> bool:
    """Whether `text` could be an id at all; what could not is never looked up."""
    return 0 < len(text) <= ID_LENGTH_MAX and text.isascii() and text.replace("-", "").isalnum()


async def load_request(ledger: Ledger, request: RequestId) -> Request | None:
    """The request as its stream tells it now, or None if there is none. Raises SojournError from the ledger."""
    if not is_id(request):
        return None
    return fold(requests.evolve, await ledger.stream(request_stream(request)))


async def load_grant_at(ledger: Ledger, grant: GrantId) -> tuple[Grant, int]:
    """A grant that exists, and its stream's version. Raises SojournError `grant.unknown`, or the ledger's."""
    entries = await ledger.stream(grant_stream(grant))
    state = fold(grants.evolve, entries)
    if state is None:
        raise SojournError(Code.GRANT_UNKNOWN, grant=grant)
    return state, len(entries)


async def load_grant(ledger: Ledger, grant: GrantId) -> Grant | None:
    """The grant as its stream tells it now, or None if there is none. Raises SojournError from the ledger."""
    if not is_id(grant):
        return None
    return fold(grants.evolve, await ledger.stream(grant_stream(grant)))
