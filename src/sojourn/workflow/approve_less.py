"""Approve less: somebody entitled says yes to a narrower role, a shorter time, or both."""

from __future__ import annotations

from datetime import timedelta

from sojourn.domain.confirmation import Confirmation
from sojourn.domain.identifiers import PersonId, RequestId, RoleName
from sojourn.domain.request import ApproveLess, Request
from sojourn.errors import Refusal

from .deciding import shown
from .judging import judge
from .ports import Office


async def approve_less(
    office: Office,
    *,
    request: RequestId,
    person: PersonId,
    digest: str,
    role: RoleName,
    duration: timedelta,
    source: str,
    comment: str = "",
    confirmation: Confirmation | None = None,
) -> Request | Refusal:
    """Say yes to `role` for `duration` of what has `digest`. The request has another digest from then on.

    Approvals that others gave were for more, and count no more. `comment` is sealed. Gives the request afterwards, or
    why the word does not count (on record as an attempt). Raises SojournError from the ledger.
    """
    command = ApproveLess(
        person=person,
        digest=digest,
        role=role,
        duration=duration,
        source=shown(source),
        confirmation=confirmation,
    )
    return await judge(office, verb="approve_less", request=request, command=command, comment=comment)
