"""Lease: of several control nodes one works on a grant at its target, until it has done so or its lease lapses."""

from __future__ import annotations

from datetime import timedelta

from sojourn.domain.grant import Grant, TakeLease
from sojourn.domain.identifiers import GrantId

from .deciding import SYSTEM_ACTOR, Attempt, must, on_grant, plainly
from .ports import Office


async def take_lease(office: Office, *, grant: GrantId, node: str, lasting: timedelta) -> Grant:
    """Take the lease of the work on a grant for `node`, unless another node has it; `Grant.taken` tells.

    Gives the grant afterwards. Raises SojournError `grant.unknown`, or the ledger's.
    """
    attempt = Attempt(verb="take_lease", actor=SYSTEM_ACTOR, source=node)
    command = TakeLease(node=node, until=office.clock.now() + lasting)
    return must(await on_grant(office, attempt, grant, plainly(command), guarded=False))
