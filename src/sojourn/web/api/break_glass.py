"""Break-glass: an access without a decision beforehand."""

from __future__ import annotations

from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.identity import accounts
from sojourn.web.exchange import Exchange
from sojourn.workflow.break_glass import break_glass

from . import access, asking, bodies, shapes


async def take(exchange: Exchange) -> shapes.GrantShown:
    """POST /break-glass: take an access with nobody's decision beforehand, and wait until it is there."""
    services, caller, sent = exchange.services, await exchange.caller(), await exchange.body(bodies.Glass)
    exchange.settled(
        await accounts.sign_in(
            services.office,
            person=caller.id,
            password=sent.password,
            source=exchange.source,
            reader=services.passwords,
            limit=services.limit,
        )
    )
    grant = exchange.settled(
        await break_glass(
            services.office,
            person=caller.id,
            target=TargetName(sent.target),
            role=RoleName(sent.role),
            duration=asking.duration_of(sent.duration),
            reason=sent.reason,
            confirmed_at=services.office.clock.now(),
            source=exchange.source,
            facts=asking.facts_of(sent),
        )
    )
    return access.show(await access.ready(exchange, grant.id))
