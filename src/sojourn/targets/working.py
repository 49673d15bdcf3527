"""Work on one grant at its target: done by the control node that has the lease of it on record, and by no other.

- The lease is taken once there is a place for the work, so that it does not lapse in a queue.
- A lease lapses long after every deadline at a target. Whoever finds that another node took the work over while they
  were at it leaves nothing that is not on record: the grant ends, and is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import GrantId
from sojourn.errors import Code, Refusal, SojournError
from sojourn.workflow import expire, provision
from sojourn.workflow.lease import take_lease
from sojourn.workflow.ports import Office, Sealer

from .places import Places, Work
from .port import Claim, Removal

LEASE_LASTS = timedelta(seconds=90)
"""Twice as long as a target takes at most to do what is asked of it, or to be given up."""


@dataclass(slots=True)
class Working:
    """The work of node `name`. `others` gives the grants of the same login that are not removed yet."""

    name: str
    office: Office
    secret_sealer: Sealer
    places: Places
    others: Callable[[Grant], frozenset[GrantId]]
    lasting: timedelta = LEASE_LASTS

    async def provision(self, grant: Grant, password: str) -> None:
        """Make it real, and put on record what was read back. Nothing is done where the work is another node's.

        Raises SojournError as the target's driver does, `target.unknown`, `role.unknown`, or the ledger's.
        """
        place, created = self.places.of(grant), grant.created
        role = place.target.role(created.role)
        if role is None:
            known = ", ".join(one.name for one in place.target.roles)
            raise SojournError(Code.ROLE_UNKNOWN, target=place.target.name, role=created.role, known=known)
        async with self.places.slots(place.target, Work.PROVISIONING):
            if not await self._leased(grant):
                return
            made = await place.driver.grant(
                place.target, role, self._mark(grant), password=password, secret=place.secret
            )
        settled = await provision.confirm_provisioned(
            self.office,
            grant=grant.id,
            observed=made.observed,
            identity=made.identity,
            secret=password.encode(),
            sealer=self.secret_sealer,
            node=self.name,
        )
        await self._settle(grant, settled)

    async def _settle(self, grant: Grant, settled: Grant | Refusal) -> None:
        """See to what was made at the target, if it is not what is on record."""
        if isinstance(settled, Refusal) and settled.code is Code.GRANT_EXPIRED:
            await expire.expire_grant(self.office, grant.id)
        elif isinstance(settled, Refusal) and settled.code is Code.GRANT_ENDED:
            # Another node may have confirmed its removal before this one was done: then nobody looks again.
            place = self.places.of(grant)
            async with self.places.slots(place.target, Work.REMOVAL):
                await place.driver.revoke(place.target, self._mark(grant), secret=place.secret)
        elif isinstance(settled, Refusal) or settled.provisioned_by not in ("", self.name):
            problem = "two control nodes made it at once, and which password it has is not known"
            await provision.give_up_provisioning(self.office, grant=grant.id, problem=problem, torn=True)

    async def prolong(self, grant: Grant) -> tuple[str, ...] | None:
        """Move the end at the target; gives what was read back, or None where the work is another node's.

        Raises SojournError as the target's driver does, or the ledger's.
        """
        place = self.places.of(grant)
        async with self.places.slots(place.target, Work.PROVISIONING):
            if not await self._leased(grant):
                return None
            return await place.driver.prolong(place.target, self._mark(grant), secret=place.secret)

    async def remove(self, grant: Grant) -> Removal | None:
        """Take it back; gives what was read back, or None where the work is another node's. Raises as `prolong`."""
        place = self.places.of(grant)
        async with self.places.slots(place.target, Work.REMOVAL):
            if not await self._leased(grant):
                return None
            return await place.driver.revoke(place.target, self._mark(grant), secret=place.secret)

    async def _leased(self, grant: Grant) -> bool:
        """Whether the lease of it is this node's, by the record, and the grant still stands where it stood."""
        held = await take_lease(self.office, grant=grant.id, node=self.name, lasting=self.lasting)
        return held.status is grant.status and not held.taken(self.name, self.office.clock.now())

    def _mark(self, grant: Grant) -> Claim:
        """All by which the target's login of this grant is known."""
        return Claim(
            grant=grant.id,
            credential=grant.created.credential,
            ends=grant.ends,
            identity=grant.identity,
            others=self.others(grant),
            observed=grant.observed,
            role=grant.created.role,
        )
