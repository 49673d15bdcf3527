"""What was said about exceptions, by the access event that they are of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import ExceptionDisposed, FindingDisposed
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposed:
    """What somebody said becomes of exceptions, in the entry at `entry`."""

    entry: int
    at: datetime
    event: ExceptionDisposed | FindingDisposed

    @property
    def in_words(self) -> str:
        """Which tests, what becomes of them, and who sees to it."""
        event = self.event
        letters = f"{' '.join(event.letters)} " if isinstance(event, ExceptionDisposed) else ""
        ticket = f", ticket {event.ticket}" if event.ticket else ""
        return f"{letters}{event.disposition} by {event.person}, owner {event.owner}{ticket} (entry {self.entry})"


def disposals(entries: Iterable[Recorded]) -> Mapping[RequestId, tuple[Disposed, ...]]:
    """Every disposition of access events among the entries, in their order."""
    found: dict[RequestId, tuple[Disposed, ...]] = {}
    for one in entries:
        if isinstance(one.event, ExceptionDisposed):
            said = Disposed(entry=one.seq, at=one.at, event=one.event)
            found[one.event.request] = (*found.get(one.event.request, ()), said)
    return found


def dispositions(entries: Iterable[Recorded]) -> dict[RequestId, tuple[str, ...]]:
    """The same, in words."""
    return {request: tuple(one.in_words for one in said) for request, said in disposals(entries).items()}
