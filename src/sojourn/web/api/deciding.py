"""Deciding on requests: yes, yes to less, no; and what is said about them."""

from __future__ import annotations

from sojourn.domain.confirmation import Action
from sojourn.domain.identifiers import RequestId, RoleName, request_stream
from sojourn.web.exchange import Exchange
from sojourn.workflow.approve import approve as approve_request
from sojourn.workflow.approve_less import approve_less as approve_less_of_request
from sojourn.workflow.comment import comment as comment_request
from sojourn.workflow.deny import deny as deny_request
from sojourn.workflow.withdraw import withdraw_approval as withdraw_own_approval

from . import bodies, shapes
from .asking import after, duration_of
from .confirming import confirmed, decided


async def approve(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/approve: say yes to what has this digest."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Decision)
    request = RequestId(exchange.name)
    decision = decided(caller, Action.APPROVE, request_stream(request), digest=sent.digest)
    exchange.settled(
        await approve_request(
            exchange.services.office,
            request=request,
            person=caller.id,
            digest=sent.digest,
            source=exchange.source,
            comment=sent.comment,
            confirmation=await confirmed(exchange, decision, sent),
        )
    )
    return await after(exchange, caller, exchange.name)


async def deny(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/deny: say no to what has this digest."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Decision)
    exchange.settled(
        await deny_request(
            exchange.services.office,
            request=RequestId(exchange.name),
            person=caller.id,
            digest=sent.digest,
            source=exchange.source,
            comment=sent.comment,
        )
    )
    return await after(exchange, caller, exchange.name)


async def approve_less(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/approve-less: say yes to a narrower role, a shorter time, or both."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.LessDecision)
    duration = duration_of(sent.duration)
    decision = decided(
        caller,
        Action.APPROVE_LESS,
        request_stream(RequestId(exchange.name)),
        digest=sent.digest,
        role=sent.role,
        seconds=str(int(duration.total_seconds())),
    )
    exchange.settled(
        await approve_less_of_request(
            exchange.services.office,
            request=RequestId(exchange.name),
            person=caller.id,
            digest=sent.digest,
            role=RoleName(sent.role),
            duration=duration,
            source=exchange.source,
            comment=sent.comment,
            confirmation=await confirmed(exchange, decision, sent),
        )
    )
    return await after(exchange, caller, exchange.name)


async def withdraw_approval(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/withdraw-approval: take back one's own yes, while nothing has come of it."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    exchange.settled(
        await withdraw_own_approval(
            exchange.services.office, request=RequestId(exchange.name), person=caller.id, source=exchange.source
        )
    )
    return await after(exchange, caller, exchange.name)


async def comment(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/comments: say something about it, ask something, or answer a question."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Said)
    exchange.settled(
        await comment_request(
            exchange.services.office,
            request=RequestId(exchange.name),
            person=caller.id,
            text=sent.text,
            source=exchange.source,
            question=sent.question,
            answers=sent.answers,
        )
    )
    return await after(exchange, caller, exchange.name)
