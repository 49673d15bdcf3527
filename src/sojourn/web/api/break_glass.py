"""Break-glass: an access without a decision beforehand."""

from __future__ import annotations

from sojourn.domain.confirmation import Action
from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.domain.policy.difference import say_way
from sojourn.domain.reach import accesses_of
from sojourn.web.exchange import Exchange
from sojourn.workflow.break_glass import break_glass

from . import access, asking, assurance_shapes, bodies, shapes
from .confirming import confirmed, decided


async def offered(exchange: Exchange) -> assurance_shapes.GlassOffered:
    """GET /break-glass: what the caller may take without a decision beforehand, and on which terms."""
    caller = await exchange.caller()
    found = accesses_of(exchange.services.office.in_force(), caller.id)
    return assurance_shapes.GlassOffered(
        accesses=tuple(
            assurance_shapes.GlassWay(target=one.target, role=one.role, rule=way.rule, how=say_way(way))
            for one in found
            for way in one.ways
            if way.break_glass
        )
    )


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
