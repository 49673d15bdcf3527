"""Signing in at an OpenID provider from a program: its person uses a browser elsewhere (RFC 8628)."""

from __future__ import annotations

from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity import single_sign_on
from sojourn.identity.issuer import ProviderError
from sojourn.identity.openid import Provider
from sojourn.web.exchange import Exchange

from . import bodies, identity_shapes
from .people import signed_in


async def begin(exchange: Exchange) -> identity_shapes.DeviceAsked:
    """POST /sign-in/device: where the person goes with a browser, and the code to enter there."""
    await exchange.body(bodies.Nothing)
    provider = _provider(exchange)
    try:
        device = await provider.begin_device()
    except ProviderError as error:
        raise _said(provider, error) from error
    return identity_shapes.DeviceAsked(
        device=device.device_code,
        user_code=device.user_code,
        address=device.address,
        complete_address=device.complete_address,
        seconds=device.seconds,
        expires_in_seconds=device.expires_in,
    )


async def wait(exchange: Exchange) -> identity_shapes.DeviceAnswered:
    """POST /sign-in/device/wait: a token, once the person has signed in at the provider."""
    sent = await exchange.body(bodies.DeviceWaiting)
    provider = _provider(exchange)
    try:
        claims = await provider.poll_device(sent.device)
    except ProviderError as error:
        raise _said(provider, error) from error
    if claims is None:
        return identity_shapes.DeviceAnswered(signed_in=None)
    person = exchange.settled(
        await single_sign_on.sign_in(exchange.services.office, provider.settings, claims, source=exchange.source)
    )
    return identity_shapes.DeviceAnswered(signed_in=await signed_in(exchange, person))


def _provider(exchange: Exchange) -> Provider:
    provider = exchange.services.provider
    if provider is None:
        raise SojournError(Code.PROVIDER_NONE)
    return provider


def _said(provider: Provider, error: ProviderError) -> SojournError:
    refusal = refusal_of(provider, error)
    return SojournError(refusal.code, **refusal.details)


def refusal_of(provider: Provider, error: ProviderError) -> Refusal:
    """What went wrong at the provider, as a refusal."""
    code = Code.PROVIDER_REFUSED if error.refused else Code.PROVIDER_UNAVAILABLE
    return Refusal(code, {"provider": provider.settings.name, "problem": error.problem})
