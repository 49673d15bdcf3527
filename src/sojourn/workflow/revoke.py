"""Revoke: somebody entitled takes an access away. From the record on, it opens nothing."""

from __future__ import annotations

from sojourn.domain.grant import Grant, Revoke
from sojourn.domain.identifiers import GrantId, PersonId
from sojourn.errors import Refusal

from .deciding import Attempt, on_grant, plainly, shown
from .ports import Office


async def revoke(office: Office, *, grant: GrantId, person: PersonId, source: str) -> Grant | Refusal:
    """Take the access away. Gives the ended grant, or why not (on record). Raises SojournError from the ledger.

    Does not depend on whether the holder is still eligible, or whether the target can be reached.
    """
    attempt = Attempt(verb="revoke", actor=person, source=source)
    return await on_grant(office, attempt, grant, plainly(Revoke(person=person, source=shown(source))), guarded=True)
