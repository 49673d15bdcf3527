"""A token for a program elsewhere, which shows an ID token of its own platform instead of a secret of ours."""

from __future__ import annotations

from sojourn.domain.account import WORKLOAD
from sojourn.domain.events import TokenPurpose
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import Scope
from sojourn.errors import Code, SojournError
from sojourn.identity import tokens, workload
from sojourn.identity.issuer import ProviderError
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange

from . import bodies, identity_shapes

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_TYPES = ("urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt")
MADE = "urn:ietf:params:oauth:token-type:access_token"
KIND = "Bearer"
SUBJECT_SHOWN_MAX = 200


async def exchange_token(exchange: Exchange) -> identity_shapes.TokenExchanged:
    """POST /sign-in/workload: an ID token of a trusted issuer for a short-lived token of a service (RFC 8693)."""
    services, sent = exchange.services, await exchange.body(bodies.TokenExchange, any_form=True)
    if sent.grant_type != GRANT or sent.subject_token_type not in TOKEN_TYPES:
        expected = f"grant_type {GRANT} and subject_token_type {' or '.join(TOKEN_TYPES)}"
        raise SojournError(Code.INPUT_INVALID, problem="No such exchange is made here", expected=expected)
    try:
        admitted = exchange.settled(
            await workload.admit(
                services.office,
                services.issuers,
                person=PersonId(sent.client_id),
                token=sent.subject_token,
                scope=_scopes(sent.scope),
                source=exchange.source,
                limit=services.limit,
            )
        )
    except ProviderError as error:
        raise SojournError(Code.PROVIDER_UNAVAILABLE, provider="that issued it", problem=error.problem) from error
    life = services.settings.control.workload_token_life
    made, issued = await tokens.issue(
        services.office,
        person=admitted.person,
        purpose=TokenPurpose.API,
        life=life,
        source=exchange.source,
        secret=services.random_bytes(tokens.SECRET_BYTES),
        scope=admitted.scope,
        label=admitted.subject[:SUBJECT_SHOWN_MAX],
        issued_by=f"{WORKLOAD}{admitted.issuer}",
    )
    return identity_shapes.TokenExchanged(
        access_token=made,
        issued_token_type=MADE,
        token_type=KIND,
        expires_in=int(life.total_seconds()),
        scope=" ".join(issued.scope),
        person=admitted.person,
        expires_at=text(issued.expires_at),
    )


def _scopes(words: str) -> tuple[Scope, ...]:
    try:
        return tuple(Scope(word) for word in words.split())
    except ValueError as error:
        expected = f"some of {', '.join(Scope)}, with spaces between"
        raise SojournError(Code.INPUT_INVALID, problem="The scope is not known", expected=expected) from error
