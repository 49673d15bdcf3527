"""An issuer of ID tokens: what it says about itself, its keys, and whether a token is its own, for us, and of now.

- Endpoints and keys come from the issuer's own description, which has to be of just this issuer.
- A token counts only if the issuer signed it with a public key, for this audience, and it is good now.
- Nothing that an issuer answers is taken beyond a size and a time, and no redirect of it is followed.
- Only an issuer on this machine names addresses on this machine: no other makes us ask what nobody else can reach here.
- A key that is not known may be a new one of theirs, so they are asked again; but a stranger's tokens make us ask no
  more often than every few seconds.

Sources: OpenID Connect Core 1.0 (section 3.1.3.7) and Discovery 1.0 (section 4); RFC 7519 (JWT), RFC 7517 (keys).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
PUBLIC = ("RSA", "EC", "OKP")
SECONDS = 10.0
ANSWER_BYTES_MAX = 512 * 1024
TOKEN_LENGTH_MAX = 16 * 1024
LEEWAY_SECONDS = 60
KEPT = timedelta(minutes=10)
"""For so long what the issuer says about itself, and its keys, are used without asking again."""

PAUSE = timedelta(seconds=5)
"""So long the issuer is not asked again for its keys because of a token that does not verify."""

HERE = ("localhost", "127.0.0.1", "::1")

Claims = Mapping[str, Any]


class ProviderError(Exception):
    """The issuer cannot be used, or its answer will not do. `refused` says that it is about this one token."""

    def __init__(self, problem: str, *, refused: bool = False) -> None:
        super().__init__(problem)
        self.problem, self.refused = problem, refused


@dataclass(slots=True, kw_only=True)
class Issuer:
    """An issuer at its `address`, which is what the claim `iss` of its tokens says; it has to describe `wanted`."""

    address: str
    now: Callable[[], datetime]
    wanted: tuple[str, ...] = ("jwks_uri",)
    _described: tuple[datetime, Claims] | None = field(default=None)
    _keys: tuple[datetime, KeySet] | None = field(default=None)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def description(self) -> Claims:
        """What the issuer says about itself. Raises ProviderError."""
        held = self._described
        if held is not None and self.now() - held[0] < KEPT:
            return held[1]
        found = await self.ask("GET", self.address.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.address:
            raise ProviderError(f"it calls itself {str(found.get('issuer'))[:100]!r}, and is trusted by another name")
        for name in self.wanted:
            if not self.fit(found.get(name)):
                raise ProviderError(f"its {name} is no address with TLS")
        self._described = (self.now(), found)
        return found

    def fit(self, address: object) -> bool:
        """Whether it may be asked there: with TLS, or on this machine if the issuer itself is on this machine."""
        if not isinstance(address, str):
            return False
        try:
            parts, own = urlsplit(address), urlsplit(self.address)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        if own.hostname in HERE:
            return parts.scheme in ("http", "https") and (parts.scheme == "https" or host in HERE)
        return parts.scheme == "https" and bool(host) and host not in HERE

    def checked(self, said: dict[str, Any], audience: str) -> dict[str, Any]:
        """What a token of this issuer says, if it is for `audience` and good now. Raises ProviderError."""
        registry = jwt.JWTClaimsRegistry(
            now=int(self.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.address},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(said)
        except JoseError as error:
            raise ProviderError(f"its ID token will not do ({error})"[:200], refused=True) from error
        if not isinstance(said["sub"], str) or not said["sub"]:
            raise ProviderError("its ID token names nobody", refused=True)
        return said

    async def signed(self, token: str) -> dict[str, Any]:
        """What the token says, which a key of the issuer has signed; for whom and when is not looked at.

        Raises ProviderError.
        """
        if len(token) > TOKEN_LENGTH_MAX:
            raise ProviderError("its ID token is too long", refused=True)
        for again in (False, True):
            try:
                said: dict[str, Any] = jwt.decode(token, await self._key_set(again=again), algorithms=ALGORITHMS).claims
                return said
            except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
                if again:
                    raise ProviderError("its ID token does not verify", refused=True) from error
        raise AssertionError("the second try gives or raises")

    async def _key_set(self, *, again: bool) -> KeySet:
        async with self._one:
            held = self._keys
            if held is not None and self.now() - held[0] < (PAUSE if again else KEPT):
                return held[1]
            found = await self.ask("GET", (await self.description())["jwks_uri"])
            listed = found.get("keys")
            try:
                keys = [one for one in listed or () if isinstance(one, dict) and one.get("kty") in PUBLIC]
                keyset = KeySet.import_key_set({"keys": keys})
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderError("its keys cannot be read") from error
            self._keys = (self.now(), keyset)
            return keyset

    async def ask(self, method: str, address: str, sent: dict[str, str] | None = None, *, token: str = "") -> Claims:
        """The JSON object that it answers there, an OAuth error included. Raises ProviderError."""
        headers = {"accept": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        received = bytearray()
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False) as client,
                client.stream(method, address, data=sent, headers=headers) as answered,
            ):
                async for part in answered.aiter_bytes():
                    received += part
                    if len(received) > ANSWER_BYTES_MAX:
                        raise ProviderError("its answer is too large")
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderError(f"{urlsplit(address).netloc[:80]} does not answer") from error
        try:
            found = json.loads(received)
        except (ValueError, RecursionError) as error:
            raise ProviderError(f"it answered {answered.status_code}, and no JSON") from error
        if not isinstance(found, dict) or (answered.status_code != 200 and "error" not in found):
            raise ProviderError(f"it answered {answered.status_code}")
        return found
