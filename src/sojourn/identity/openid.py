"""An OpenID provider, as a client of it: discovery, code flow with PKCE, device flow, and what its tokens say.

- Endpoints and keys come from the provider's own description, which has to be of just this issuer.
- A token counts only if the provider signed it, with a public key, for this client, now, and for this very sign-in.
- Nothing that a provider answers is taken beyond a size and a time, and no redirect of it is followed.

Sources: OpenID Connect Core 1.0 (section 3.1) and Discovery 1.0; RFC 7636 (PKCE), RFC 8628 (device), RFC 9207 (`iss`).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from sojourn.settings import OidcSettings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
SECONDS = 10.0
ANSWER_BYTES_MAX = 512 * 1024
LEEWAY_SECONDS = 60
KEPT = timedelta(minutes=10)
"""For so long what the provider says about itself, and its keys, are used without asking again."""

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
WAITING = ("authorization_pending", "slow_down")
WANTED = ("authorization_endpoint", "token_endpoint", "jwks_uri")

Claims = Mapping[str, Any]


class ProviderError(Exception):
    """The provider cannot be used, or its answer will not do. `refused` says that it is about this one sign-in."""

    def __init__(self, problem: str, *, refused: bool = False) -> None:
        super().__init__(problem)
        self.problem, self.refused = problem, refused


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
    _described: tuple[datetime, Claims] | None = field(default=None)
    _keys: tuple[datetime, KeySet] | None = field(default=None)

    async def description(self) -> Claims:
        """What the provider says about itself (Discovery 1.0, section 4). Raises ProviderError."""
        held = self._described
        if held is not None and self.now() - held[0] < KEPT:
            return held[1]
        issuer = self.settings.issuer
        found = await self._ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ProviderError(f"it calls itself {str(found.get('issuer'))[:100]!r}, and `oidc.issuer` something else")
        for name in WANTED:
            if not _fit(found.get(name)):
                raise ProviderError(f"its {name} is no address with TLS")
        self._described = (self.now(), found)
        return found

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
        address: str = (await self.description())["authorization_endpoint"]
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
        address = (await self.description()).get("device_authorization_endpoint")
        if not _fit(address):
            raise ProviderError("it has no device flow")
        answered = await self._ask("POST", str(address), {"scope": self._scopes, **self._client()})
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
        claims = await self._verified(token)
        if nonce is not None and claims.get("nonce") != nonce:
            raise ProviderError("its ID token is for another sign-in", refused=True)
        wanted = (self.settings.person_claim, self.settings.groups_claim)
        address, access = (await self.description()).get("userinfo_endpoint"), answered.get("access_token")
        if all(name in claims for name in wanted) or not _fit(address) or not isinstance(access, str):
            return claims
        more = await self._ask("GET", str(address), token=access)
        # Section 5.3.2: an answer about somebody else must not be used.
        return {**more, **claims} if more.get("sub") == claims["sub"] else claims

    async def _verified(self, token: str) -> Claims:
        for fresh in (False, True):
            try:
                read = jwt.decode(token, await self._key_set(fresh=fresh), algorithms=ALGORITHMS)
                break
            except (JoseError, ValueError, KeyError, TypeError) as error:
                # A key that is not known may be a new one of theirs.
                if fresh:
                    raise ProviderError("its ID token does not verify", refused=True) from error
        registry = jwt.JWTClaimsRegistry(
            now=int(self.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(read.claims)
        except JoseError as error:
            raise ProviderError(f"its ID token will not do ({error})"[:200], refused=True) from error
        claims: dict[str, Any] = read.claims
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.settings.client:
            raise ProviderError("its ID token was made for another client", refused=True)
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise ProviderError("its ID token names nobody", refused=True)
        return claims

    async def _key_set(self, *, fresh: bool) -> KeySet:
        held = self._keys
        if held is not None and not fresh and self.now() - held[0] < KEPT:
            return held[1]
        found = await self._ask("GET", (await self.description())["jwks_uri"])
        listed, public = found.get("keys"), ("RSA", "EC", "OKP")
        keys = [one for one in listed or () if isinstance(one, dict) and one.get("kty") in public]
        try:
            keyset = KeySet.import_key_set({"keys": keys})
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderError("its keys cannot be read") from error
        self._keys = (self.now(), keyset)
        return keyset

    async def _token(self, sent: dict[str, str]) -> Claims:
        address: str = (await self.description())["token_endpoint"]
        return await self._ask("POST", address, {**sent, **self._client()})

    def _client(self) -> dict[str, str]:
        secret = self.secret()
        return {"client_id": self.settings.client, **({"client_secret": secret} if secret else {})}

    @property
    def _scopes(self) -> str:
        return " ".join(dict.fromkeys(("openid", *self.settings.scopes.split())))

    async def _ask(self, method: str, address: str, sent: dict[str, str] | None = None, *, token: str = "") -> Claims:
        """The JSON object that the provider answers, an OAuth error included. Raises ProviderError."""
        headers = {"accept": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        received = bytearray()
        try:
            async with (
                httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False) as client,
                client.stream(method, address, data=sent, headers=headers) as answered,
            ):
                async for part in answered.aiter_bytes():
                    received += part
                    if len(received) > ANSWER_BYTES_MAX:
                        raise ProviderError("its answer is too large")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderError(f"{urlsplit(address).netloc[:80]} does not answer") from error
        try:
            found = json.loads(received)
        except (ValueError, RecursionError) as error:
            raise ProviderError(f"it answered {answered.status_code}, and no JSON") from error
        if not isinstance(found, dict) or (answered.status_code != 200 and "error" not in found):
            raise ProviderError(f"it answered {answered.status_code}")
        return found


def _error(answered: Claims) -> str:
    said = " ".join(str(answered[name]) for name in ("error", "error_description") if name in answered)
    return said[:200]


def _fit(address: object) -> bool:
    """Whether secrets may be sent there: with TLS, or to this machine."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
