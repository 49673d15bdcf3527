"""An OpenID provider, as a client of it: code flow with PKCE, device flow, and what its tokens say about a person.

A token counts only if it is the issuer's own (see `issuer`), for this client, and for this very sign-in.

Sources: OpenID Connect Core 1.0 (section 3.1); RFC 7636 (PKCE), RFC 8628 (device), RFC 9207 (`iss`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from sojourn.settings import OidcSettings

from .issuer import Claims, Issuer, ProviderError

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
WAITING = ("authorization_pending", "slow_down")
WANTED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a person has to do in a browser of theirs, and the code that their sign-in is asked for with meanwhile."""

    device_code: str
    user_code: str
    address: str
    complete_address: str
    seconds: int
    expires_in: int


@dataclass(slots=True, kw_only=True)
class Provider:
    """A provider. `secret()` reads the client's secret, "" for a public client."""

    settings: OidcSettings
    secret: Callable[[], str]
    now: Callable[[], datetime]
    issuer: Issuer = field(init=False)

    def __post_init__(self) -> None:
        """Know the issuer."""
        self.issuer = Issuer(address=self.settings.issuer, now=self.now, wanted=WANTED)

    async def authorization_address(self, *, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent. Raises ProviderError."""
        asked = {
            "response_type": "code",
            "client_id": self.settings.client,
            "redirect_uri": redirect,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        address: str = (await self.issuer.description())["authorization_endpoint"]
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    async def redeem(self, *, code: str, redirect: str, verifier: str, nonce: str) -> Claims:
        """Who has signed in, for the code that the browser came back with. Raises ProviderError."""
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        answered = await self._token(sent)
        if "error" in answered:
            raise ProviderError(_error(answered), refused=True)
        return await self._claims(answered, nonce)

    async def begin_device(self) -> Device:
        """A sign-in without a browser of its own (RFC 8628, section 3.1). Raises ProviderError."""
        address = (await self.issuer.description()).get("device_authorization_endpoint")
        if not self.issuer.fit(address):
            raise ProviderError("it has no device flow")
        answered = await self.issuer.ask("POST", str(address), {"scope": self._scopes, **self._client()})
        if "error" in answered:
            raise ProviderError(_error(answered), refused=True)
        try:
            return Device(
                device_code=str(answered["device_code"]),
                user_code=str(answered["user_code"]),
                address=str(answered["verification_uri"]),
                complete_address=str(answered.get("verification_uri_complete", "")),
                seconds=max(1, int(answered.get("interval", 5))),
                expires_in=int(answered["expires_in"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise ProviderError("its answer about the device is incomplete") from error

    async def poll_device(self, device_code: str) -> Claims | None:
        """Who has signed in, or None while they have not yet (section 3.4). Raises ProviderError."""
        answered = await self._token({"grant_type": DEVICE_GRANT, "device_code": device_code})
        if answered.get("error") in WAITING:
            return None
        if "error" in answered:
            raise ProviderError(_error(answered), refused=True)
        return await self._claims(answered, None)

    async def _claims(self, answered: Claims, nonce: str | None) -> Claims:
        """What the ID token says once it is verified (Core 1.0, section 3.1.3.7), with the userinfo where it lacks."""
        token = answered.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("it gave no ID token", refused=True)
        claims = self.issuer.checked(await self.issuer.signed(token), self.settings.client)
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.settings.client:
            raise ProviderError("its ID token was made for another client", refused=True)
        if nonce is not None and claims.get("nonce") != nonce:
            raise ProviderError("its ID token is for another sign-in", refused=True)
        wanted = (self.settings.person_claim, self.settings.groups_claim)
        address, access = (await self.issuer.description()).get("userinfo_endpoint"), answered.get("access_token")
        if all(name in claims for name in wanted) or not self.issuer.fit(address) or not isinstance(access, str):
            return claims
        more = await self.issuer.ask("GET", str(address), token=access)
        # Section 5.3.2: an answer about somebody else must not be used.
        return {**more, **claims} if more.get("sub") == claims["sub"] else claims

    async def _token(self, sent: dict[str, str]) -> Claims:
        address: str = (await self.issuer.description())["token_endpoint"]
        return await self.issuer.ask("POST", address, {**sent, **self._client()})

    def _client(self) -> dict[str, str]:
        secret = self.secret()
        return {"client_id": self.settings.client, **({"client_secret": secret} if secret else {})}

    @property
    def _scopes(self) -> str:
        return " ".join(dict.fromkeys(("openid", *self.settings.scopes.split())))


def _error(answered: Claims) -> str:
    said = " ".join(str(answered[name]) for name in ("error", "error_description") if name in answered)
    return said[:200]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
