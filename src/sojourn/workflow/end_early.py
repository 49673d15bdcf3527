"""End early: the holder is done before the time is over."""

from __future__ import annotations

from sojourn.domain.grant import EndEarly, Grant
from sojourn.domain.identifiers import GrantId, PersonId
from sojourn.errors import Refusal

from .deciding import Attempt, on_grant, plainly, shown
from .ports import Office


async def end_early(office: Office, *, grant: GrantId, person: PersonId, source: str) -> Grant | Refusal:
    """Give the access back. Gives the ended grant, or why not (on record). Raises SojournError from the ledger."""
    attempt = Attempt(verb="end_early", actor=person, source=source)
    return await on_grant(office, attempt, grant, plainly(EndEarly(person=person, source=shown(source))), guarded=False)
