"""Signing in at an OpenID provider: the browser goes there and comes back with a code (PKCE, state and nonce).

What belongs together is held by a cookie that lives as long as the way there and back, and by nothing here.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.responses import RedirectResponse, Response

from sojourn.errors import Code, Refusal
from sojourn.identity import single_sign_on
from sojourn.identity.challenges import LIFE
from sojourn.identity.issuer import ProviderError
from sojourn.web.api.single_sign_on import refusal_of
from sojourn.web.exchange import Exchange

from .frame import HEADERS, Shown
from .signing_in import opened, own_path, page

WAY = "__Host-sojourn-way"
CALLBACK = "/sign-in/provider/callback"


async def ask(exchange: Exchange) -> Response | Shown:
    """GET /sign-in/provider: to the provider, and back to `next` afterwards."""
    onward, provider = own_path(exchange.query("next")), exchange.services.provider
    if provider is None:
        return await _refused(exchange, onward, Refusal(Code.PROVIDER_NONE))
    way = single_sign_on.begin(exchange.services.passkeys.challenges, onward)
    try:
        address = await provider.authorization_address(
            redirect=_redirect(exchange), state=way.state, nonce=way.nonce, verifier=way.verifier
        )
    except ProviderError as error:
        return await _refused(exchange, onward, refusal_of(provider, error))
    answered = RedirectResponse(address, 303, HEADERS)
    held = f"{way.ticket}.{quote(onward, safe='')}"
    # Lax: the way back begins at another site.
    answered.set_cookie(
        WAY, held, max_age=int(LIFE.total_seconds()), path="/", secure=True, httponly=True, samesite="lax"
    )
    return answered


async def back(exchange: Exchange) -> Response | Shown:
    """GET /sign-in/provider/callback: a code for a session."""
    provider, (ticket, _, path) = exchange.services.provider, exchange.http.cookies.get(WAY, "").partition(".")
    onward = own_path(unquote(path))
    if provider is None:
        return await _refused(exchange, onward, Refusal(Code.PROVIDER_NONE))
    challenges, state = exchange.services.passkeys.challenges, exchange.query("state") or ""
    way = single_sign_on.resume(challenges, ticket, onward, state)
    try:
        if way is None:
            raise ProviderError("this browser was not sent there just now", refused=True)
        if exchange.query("iss") not in (None, provider.settings.issuer):
            raise ProviderError("the answer comes from another provider", refused=True)
        code = exchange.query("code")
        if code is None:
            said = exchange.query("error_description") or exchange.query("error") or "it gave no code"
            raise ProviderError(said[:200], refused=True)
        claims = await provider.redeem(code=code, redirect=_redirect(exchange), verifier=way.verifier, nonce=way.nonce)
    except ProviderError as error:
        return await _refused(exchange, onward, refusal_of(provider, error))
    person = await single_sign_on.sign_in(exchange.services.office, provider.settings, claims, source=exchange.source)
    if isinstance(person, Refusal):
        return page(exchange, onward, refusal=person)
    answered = await opened(exchange, person, onward)
    answered.delete_cookie(WAY, path="/", secure=True, httponly=True, samesite="lax")
    return answered


async def _refused(exchange: Exchange, onward: str, refusal: Refusal) -> Shown:
    await exchange.record(refusal)
    return page(exchange, onward, refusal=refusal)


def _redirect(exchange: Exchange) -> str:
    return exchange.services.passkeys.party().origin + CALLBACK
