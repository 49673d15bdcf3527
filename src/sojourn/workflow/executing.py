"""Who was to carry out what was asked: whoever a ticket has named, also after it was asked, or not any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sojourn.domain.events import FactTold
from sojourn.domain.fact import is_subject
from sojourn.domain.identifiers import PersonId, fact_stream
from sojourn.domain.people import FactKind
from sojourn.domain.request import Request

from .ports import Ledger


async def executors(ledger: Ledger, asked: Iterable[Request], accounts: Collection[PersonId]) -> tuple[PersonId, ...]:
    """Everybody whom the tickets of these requests have ever named, in order. Raises SojournError from the ledger.

    `accounts` are those of whoever asked: what these have told is not counted.
    """
    found: set[PersonId] = set()
    for request in asked:
        facts = request.submitted.facts
        found.update(facts.executing)
        if is_subject(facts.ticket_named):
            for recorded in await ledger.stream(fact_stream(f"{FactKind.TICKET}/{facts.ticket_named}")):
                told = recorded.event
                if isinstance(told, FactTold) and told.told_by not in accounts:
                    found.update(told.people)
    return tuple(sorted(found))
