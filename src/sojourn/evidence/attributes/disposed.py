"""What was said about exceptions, in words, by the access event that they are of."""

from __future__ import annotations

from collections.abc import Iterable

from sojourn.domain.events import ExceptionDisposed
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import RequestId


def dispositions(entries: Iterable[Recorded]) -> dict[RequestId, tuple[str, ...]]:
    """Every disposition among the entries, in their order."""
    found: dict[RequestId, tuple[str, ...]] = {}
    for one in entries:
        if isinstance(one.event, ExceptionDisposed):
            found[one.event.request] = (*found.get(one.event.request, ()), _in_words(one, one.event))
    return found


def _in_words(one: Recorded, event: ExceptionDisposed) -> str:
    ticket = f", ticket {event.ticket}" if event.ticket else ""
    said = f"{' '.join(event.letters)} {event.disposition} by {event.person}, owner {event.owner}{ticket}"
    return f"{said} (entry {one.seq})"
