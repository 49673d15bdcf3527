"""Where people are signed in: each sees and ends their own, an administrator ends all of somebody's."""

from __future__ import annotations

from sojourn.domain.events import TokenIssued
from sojourn.domain.identifiers import PersonId, TokenId, token_stream
from sojourn.errors import Code, SojournError
from sojourn.identity import tokens
from sojourn.projections import queries
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange

from . import bodies, identity_shapes
from .account import end_sessions
from .viewing import opened


async def listing(exchange: Exchange) -> identity_shapes.SignInList:
    """GET /sign-ins: every credential of the caller's that is good now."""
    caller, office = await exchange.caller(), exchange.services.office
    await exchange.caught_up()
    with exchange.services.projections.reading() as connection:
        live = queries.live_tokens(connection, caller.id, text(office.clock.now()))
    shown = []
    for one in live:
        (first, *_) = await office.ledger.stream(token_stream(TokenId(one.id)))
        assert isinstance(first.event, TokenIssued), "a token begins with being issued"
        shown.append(
            identity_shapes.SignInShown(
                token=one.id,
                purpose=first.event.purpose,
                source=first.event.source,
                issued_at=text(first.at),
                expires_at=text(first.event.expires_at),
                current=one.id == exchange.token.token,
                scope=first.event.scope,
                label=None if first.event.label is None else await opened(exchange, first.event.label.commitment),
            )
        )
    return identity_shapes.SignInList(sign_ins=tuple(shown))


async def end(exchange: Exchange) -> None:
    """POST /sign-ins/{name}/end: one of the caller's is dead from here on."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    await tokens.revoke(exchange.services.office, token=TokenId(exchange.name), person=caller.id)


async def end_all(exchange: Exchange) -> identity_shapes.SignedOut:
    """POST /people/{name}/sign-out: every credential of a person is dead from here on; their account stays."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    person = PersonId(exchange.name)
    if not caller.administrator:
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="sign people out", who="an administrator")
    if exchange.services.office.in_force().catalogue.person(person) is None:
        raise SojournError(Code.PERSON_UNKNOWN, person=person[:100])
    return identity_shapes.SignedOut(person=person, ended=await end_sessions(exchange, person, by=caller.id))
