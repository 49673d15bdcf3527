"""Tell: somebody with the right to it puts on record what the policy may ask about the world, or takes it back."""

from __future__ import annotations

from dataclasses import replace

from sojourn.domain import fact as facts
from sojourn.domain.events import FactTold, FactWithdrawn
from sojourn.domain.fact import Tell, Unsay
from sojourn.domain.history import Change
from sojourn.domain.identifiers import FACTS, fact_stream
from sojourn.errors import Code, Refusal, SojournError

from .deciding import TRIES_MAX, Attempt, append_unless_stale, refuse, shown
from .ports import Office


async def tell(office: Office, command: Tell | Unsay) -> FactTold | FactWithdrawn | Refusal:
    """Put it on record, in the place of what was told about the same before.

    Gives what is on record now, or why it is not (on record as an attempt). Raises SojournError from the ledger.
    """
    attempt = Attempt(verb="tell", actor=command.person, source=command.source)
    for tried in range(TRIES_MAX):
        adopted = office.in_force()
        asked = replace(command, source=shown(command.source))
        decided = facts.decide(adopted.catalogue, asked, office.clock.now())
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, FACTS, decided)
        change = Change(stream=fact_stream(f"{decided.fact}/{decided.subject}"), event=decided, seen=None)
        if await append_unless_stale(office, tried, (change,), (), adopted):
            return decided
    raise SojournError(Code.RECORD_STALE, stream=FACTS)
