"""Break-glass: an access without a decision beforehand."""

from __future__ import annotations

from sojourn.domain.confirmation import Action
from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.web.exchange import Exchange
from sojourn.workflow.break_glass import break_glass

from . import access, asking, bodies, shapes
from .confirming import confirmed, decided


async def take(exchange: Exchange) -> shapes.GrantShown:
    """POST /break-glass: take an access with nobody's decision beforehand, and wait until it is there."""
    services, caller, sent = exchange.services, await exchange.caller(), await exchange.body(bodies.Glass)
    duration = asking.duration_of(sent.duration)
    seconds = str(int(duration.total_seconds()))
    decision = decided(caller, Action.BREAK_GLASS, f"target/{sent.target}", role=sent.role, seconds=seconds)
    confirmation = await confirmed(exchange, decision, sent, always=True)
    grant = exchange.settled(
        await break_glass(
            services.office,
            person=caller.id,
            target=TargetName(sent.target),
            role=RoleName(sent.role),
            duration=duration,
            reason=sent.reason,
            confirmed_at=services.office.clock.now(),
            source=exchange.source,
            facts=asking.facts_of(sent),
            confirmation=confirmation,
        )
    )
    return access.show(await access.ready(exchange, grant.id))
