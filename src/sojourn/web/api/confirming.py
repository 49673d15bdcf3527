"""Confirming: what a passkey has to sign for a decision, and what came along with one."""

from __future__ import annotations

import msgspec

from sojourn.domain.confirmation import DETAILS, Action, Confirmation, Decision
from sojourn.domain.people import Person
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity import confirming
from sojourn.web.exchange import Exchange

from . import bodies, identity_shapes
from .asking import duration_of


async def offer(exchange: Exchange) -> identity_shapes.ConfirmationAsked:
    """POST /confirmations/options: what a passkey of the caller's has to sign for a decision of theirs."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.ConfirmationAsk)
    known = {str(one): one for one in Action}
    action, details = known.get(sent.action), dict(sent.details)
    if "duration" in details:
        details["seconds"] = str(int(duration_of(details.pop("duration")).total_seconds()))
    if action is None or set(details) != set(DETAILS[action]):
        expected = "; ".join(f"{one} with {', '.join(DETAILS[one]) or 'nothing'}" for one in Action)
        raise SojournError(Code.INPUT_INVALID, problem="That is no decision to be confirmed", expected=expected)
    found = await confirming.offer(exchange.services.confirming, decided(caller, action, sent.subject, **details))
    if isinstance(found, Refusal):
        raise SojournError(found.code, **found.details)
    return identity_shapes.ConfirmationAsked(
        ticket=found.asked.ticket,
        public_key=msgspec.Raw(found.asked.options),
        statement=found.statement,
        checkpoint=found.checkpoint,
    )


def decided(caller: Person, action: Action, subject: str, **details: str) -> Decision:
    """What the caller is about to decide."""
    return Decision(action=action, person=caller.id, subject=subject, details=tuple(sorted(details.items())))


async def confirmed(
    exchange: Exchange, decision: Decision, sent: bodies.Confirmable, *, always: bool = False
) -> Confirmation | None:
    """How the caller has confirmed what they decide; None where they need not. Raises RefusedError."""
    given = confirming.Given(
        password=sent.password,
        code=sent.code,
        ticket=sent.confirmation,
        checkpoint=sent.checkpoint,
        credential=sent.credential,
    )
    return exchange.settled(
        await confirming.confirm(exchange.services.confirming, decision, given, source=exchange.source, always=always)
    )
