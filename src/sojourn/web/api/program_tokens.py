"""Tokens for programs: of a person or of a service that they answer for, with a scope and an end."""

from __future__ import annotations

from sojourn.domain.events import TokenPurpose
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import Person, Scope
from sojourn.errors import Code, SojournError
from sojourn.identity import tokens
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange

from . import bodies, identity_shapes
from .asking import duration_of

LABEL_LENGTH_MAX = 80


async def make(exchange: Exchange) -> identity_shapes.ProgramTokenMade:
    """POST /tokens: a token for a program; for somebody who has just signed in. It decides nothing."""
    services, caller = exchange.services, await exchange.caller()
    sent = await exchange.body(bodies.ProgramToken)
    await exchange.require_fresh()
    person = _whose(exchange, caller, sent.person)
    longest, life = services.settings.control.program_token_life_max, duration_of(sent.life)
    if not sent.scope or life > longest or not 0 < len(sent.label) <= LABEL_LENGTH_MAX:
        days = f"{longest.total_seconds() / 86400:g} days"
        expected = f"a name of at most {LABEL_LENGTH_MAX} characters, a scope, and a life of at most {days}"
        raise SojournError(Code.INPUT_INVALID, problem="Such a token is not made", expected=expected)
    if Scope.PROVISION in sent.scope and not (caller.administrator and person != caller.id):
        action, who = "let a directory say who is here", "an administrator, for a service that they answer for"
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action=action, who=who)
    made, issued = await tokens.issue(
        services.office,
        person=person,
        purpose=TokenPurpose.API,
        life=life,
        source=exchange.source,
        secret=services.random_bytes(tokens.SECRET_BYTES),
        scope=tuple(sorted(set(sent.scope))),
        label=sent.label,
        issued_by=caller.id,
    )
    return identity_shapes.ProgramTokenMade(
        token=issued.token,
        text=made,
        person=person,
        scope=issued.scope,
        expires_at=text(issued.expires_at),
    )


def _whose(exchange: Exchange, caller: Person, name: str) -> PersonId:
    """The caller, or a service or agent that they answer for."""
    if name in ("", caller.id):
        return caller.id
    known = exchange.services.office.in_force().catalogue.person(PersonId(name))
    if known is None or known.owner != caller.id:
        action = f"make a token for {name[:100]}"
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action=action, who="whoever answers for it")
    return known.id
