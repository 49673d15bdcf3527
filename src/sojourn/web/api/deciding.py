"""Deciding on requests: yes, yes to less, no; and what is said about them."""

from __future__ import annotations

from typing import Protocol

from sojourn.domain.identifiers import PersonId, RequestId, RoleName
from sojourn.domain.request import Request
from sojourn.errors import Refusal
from sojourn.web.exchange import Exchange
from sojourn.workflow.approve import approve as approve_request
from sojourn.workflow.approve_less import approve_less as approve_less_of_request
from sojourn.workflow.comment import comment as comment_request
from sojourn.workflow.deny import deny as deny_request
from sojourn.workflow.ports import Office
from sojourn.workflow.withdraw import withdraw_approval as withdraw_own_approval

from . import bodies, shapes
from .asking import after, duration_of


async def approve(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/approve: say yes to what has this digest."""
    return await _decide(exchange, approve_request)


async def deny(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/deny: say no to what has this digest."""
    return await _decide(exchange, deny_request)


class _Verb(Protocol):
    """`workflow.approve.approve` and `workflow.deny.deny`."""

    async def __call__(
        self, office: Office, *, request: RequestId, person: PersonId, digest: str, source: str, comment: str = ""
    ) -> Request | Refusal: ...


async def _decide(exchange: Exchange, verb: _Verb) -> shapes.RequestShown:
    caller, sent = await exchange.caller(), await exchange.body(bodies.Decision)
    exchange.settled(
        await verb(
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
    exchange.settled(
        await approve_less_of_request(
            exchange.services.office,
            request=RequestId(exchange.name),
            person=caller.id,
            digest=sent.digest,
            role=RoleName(sent.role),
            duration=duration_of(sent.duration),
            source=exchange.source,
            comment=sent.comment,
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
