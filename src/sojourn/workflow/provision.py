"""Provision: the target took the privilege, or would not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sojourn.domain import grant as grants
from sojourn.domain.catalogue import Adopted
from sojourn.domain.grant import ConfirmProvisioned, GiveUpProvisioning, Grant
from sojourn.domain.identifiers import GrantId
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Refusal

from .deciding import SYSTEM_ACTOR, Attempt, Decided, on_grant, plainly, shown
from .ports import Office, Sealer


async def confirm_provisioned(
    office: Office,
    *,
    grant: GrantId,
    observed: Sequence[str],
    secret: bytes,
    sealer: Sealer,
    identity: str = "",
    node: str = "",
) -> Grant | Refusal:
    """Say that the privilege exists, as `observed` there. `secret` is sealed by `sealer`, to the gateway alone.

    `identity` is how the target's login is known again, and `node` has made it.

    Gives the active grant, or why it may not become active any more (ended, past its end, or leased to another node
    meanwhile; on record): then what was made in the target has to be removed. If the grant is active already, it stays
    as it is and this secret is not kept. Raises SojournError from the ledger.
    """

    def decide(state: Grant, adopted: Adopted, now: datetime) -> Decided | Refusal:
        sealing = sealer.seal(state.created.person, secret, RecordClass.CREDENTIAL)
        command = ConfirmProvisioned(observed=tuple(observed), secret=sealing.sealed, identity=identity, node=node)
        decided = grants.decide(state, command, adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided, sealings=(sealing,))

    attempt = Attempt(verb="confirm_provisioned", actor=SYSTEM_ACTOR, source="")
    return await on_grant(office, attempt, grant, decide, guarded=False)


async def give_up_provisioning(
    office: Office, *, grant: GrantId, problem: str, node: str = "", torn: bool = False
) -> Grant | Refusal:
    """Say that the target would not take the privilege: the grant ends, and what was half made gets removed.

    An active grant stays as it is, since the target did take it, and so does one that another node than `node` has
    leased; but not one that two nodes have made at once (`torn`). Gives the grant, or why not (on record). Raises
    SojournError from the ledger.
    """
    attempt = Attempt(verb="give_up_provisioning", actor=SYSTEM_ACTOR, source="")
    command = GiveUpProvisioning(problem=shown(problem), node=node, torn=torn)
    return await on_grant(office, attempt, grant, plainly(command), guarded=False)
