"""Approve: somebody entitled says yes to exactly what was shown."""

from __future__ import annotations

from sojourn.domain.confirmation import Confirmation
from sojourn.domain.identifiers import PersonId, RequestId
from sojourn.domain.request import Approve, Request
from sojourn.errors import Refusal

from .deciding import shown
from .judging import judge
from .ports import Office


async def approve(
    office: Office,
    *,
    request: RequestId,
    person: PersonId,
    digest: str,
    source: str,
    comment: str = "",
    confirmation: Confirmation | None = None,
) -> Request | Refusal:
    """Say yes to the request whose content has `digest`. `comment` is sealed;
    `confirmation` says how they have confirmed it.

    Gives the request afterwards, or why the word does not count (which is on record as an attempt). Raises
    SojournError from the ledger; after `record.unavailable` the decision may stand, so look before repeating it.
    """
    command = Approve(person=person, digest=digest, source=shown(source), confirmation=confirmation)
    return await judge(office, verb="approve", request=request, command=command, comment=comment)
