"""A session: one connection under one grant. Here is the rule of who is let in.

- A person is let in only under a grant of their own that opens at this moment.
- With several grants on a target, the person says which role is meant; it is never guessed.
- A session of a grant ends when the grant ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sojourn.errors import Code, Refusal

from .grant import Grant, Status
from .identifiers import PersonId, RoleName, TargetName


def admit(
    grants: Iterable[Grant], *, person: PersonId, target: TargetName, role: RoleName | None, now: datetime
) -> Grant | Refusal:
    """The one grant under which `person` may connect to `target` now, or why there is none."""
    candidates = [
        grant
        for grant in grants
        if grant.created.person == person
        and grant.created.target == target
        and (role is None or grant.created.role == role)
    ]
    opening = [grant for grant in candidates if grant.opens(now)]
    if len({grant.created.role for grant in opening}) > 1:
        roles = ", ".join(sorted({grant.created.role for grant in opening}))
        return Refusal(Code.GRANT_AMBIGUOUS, {"person": person, "target": target, "roles": roles})
    if opening:
        return max(opening, key=lambda grant: (grant.end, grant.id))
    return _why_none(candidates, person, target, now)


def _why_none(candidates: list[Grant], person: PersonId, target: TargetName, now: datetime) -> Refusal:
    for grant in candidates:
        if grant.status is Status.PROVISIONING and grant.window.contains(now):
            return Refusal(Code.GRANT_NOT_READY, {"grant": grant.id, "target": target})
    if not candidates:
        return Refusal(Code.GRANT_NONE_ACTIVE, {"person": person, "target": target})
    last = max(candidates, key=lambda grant: (grant.end, grant.id))
    details = {"grant": last.id, "target": target, "role": last.created.role}
    if last.cause is not None:
        return Refusal(Code.GRANT_ENDED, {**details, "cause": last.cause})
    return Refusal(Code.GRANT_EXPIRED, {**details, "end": last.end.isoformat()})
