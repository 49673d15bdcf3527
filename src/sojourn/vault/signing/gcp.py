"""Signing with a version of a key of Google Cloud KMS: algorithm EC_SIGN_ED25519, over its REST interface (v1).

That is Ed25519 as RFC 8032 has it (PureEdDSA over `data`), so nobody who checks a signature can tell. The address names
one version, so a rotation over there changes nothing here. Checksums of what travels are left out: a signature is
checked against the text and the key before it is used, which finds more. A call has a deadline, and nothing is tried
again here.

Credentials are found by google-auth: a file that GOOGLE_APPLICATION_CREDENTIALS names, or those of the machine.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sojourn.errors import Code, SojournError
from sojourn.ledger.note import Verifier

from .address import GcpAddress
from .kept import KeptKey, public_bytes, unavailable

ENDPOINT = "https://cloudkms.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloudkms"
SECONDS = 1.0
"""The scribe waits for a signature; what it signs a second later is as good."""


def gcp_key(address: GcpAddress, *, name: str, public: bytes | None = None) -> KeptKey:
    """The key at `address`, under the name of the ledger. Reads the public half from the service unless it is given.

    Raises SojournError `tool.missing` without google-auth, `signing.unavailable` without credentials or an answer.
    """
    service = _Service(address=address)
    service.credentials = _credentials(service.place)
    held = service.public() if public is None else public
    return KeptKey(public=Verifier(name=name, public=held), place=service.place, sign=service.sign)


@dataclass(slots=True, kw_only=True)
class _Service:
    """One version of one key."""

    address: GcpAddress
    credentials: Any = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """The key's name for people."""
        return f"key {self.address.version}"

    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        told = self._call("GET", f"{self.address.version}/publicKey", None)
        if told.get("algorithm") != "EC_SIGN_ED25519":
            raise unavailable(self.place, f"its algorithm is {told.get('algorithm')}, and the ledger's EC_SIGN_ED25519")
        try:
            key = load_pem_public_key(str(told["pem"]).encode())
        except (KeyError, ValueError) as error:
            raise unavailable(self.place, "it does not tell its public key") from error
        return public_bytes(self.place, key)

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`."""
        body = {"data": base64.b64encode(data).decode()}
        told = self._call("POST", f"{self.address.version}:asymmetricSign", body)
        try:
            return base64.b64decode(str(told["signature"]), validate=True)
        except (KeyError, binascii.Error) as error:
            raise unavailable(self.place, "it answered something else than a signature") from error

    def _call(self, method: str, path: str, body: Mapping[str, str] | None) -> dict[str, Any]:
        url = f"{self.address.endpoint or ENDPOINT}/v1/{path}"
        try:
            headers = {"authorization": f"Bearer {self._token()}"}
            answered = httpx2.request(method, url, json=body, headers=headers, timeout=SECONDS)
            if answered.status_code != httpx2.codes.OK:
                raise unavailable(self.place, f"it answered {answered.status_code}")
            told = answered.json()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unavailable(self.place, f"it does not answer: {type(error).__name__}") from error
        except ValueError as error:
            raise unavailable(self.place, "what answers is not Cloud KMS") from error
        if not isinstance(told, dict):
            raise unavailable(self.place, "what answers is not Cloud KMS")
        return told

    def _token(self) -> str:
        from google.auth.exceptions import GoogleAuthError

        try:
            if not self.credentials.valid:
                self.credentials.refresh(_fetch)
        except GoogleAuthError as error:
            problem = f"there is no access token for it: {type(error).__name__} {error}"
            raise unavailable(self.place, problem[:300].rstrip(".")) from error
        return str(self.credentials.token)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Implements `google.auth.transport.Response`."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def _fetch(
    url: str,
    method: str = "GET",
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    **_: object,
) -> _Answer:
    """Implements `google.auth.transport.Request`, with our deadline in the place of theirs."""
    from google.auth.exceptions import TransportError

    try:
        answered = httpx2.request(method, url, content=body, headers=headers, timeout=SECONDS)
    except httpx2.HTTPError as error:
        raise TransportError(error) from error  # type: ignore[no-untyped-call]
    return _Answer(answered.status_code, answered.headers, answered.content)


def _credentials(place: str) -> Any:
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
    except ImportError as error:
        remedy = "Install it with `pip install 'sojourn[gcp]'`: the signing key is in Google Cloud KMS."
        raise SojournError(Code.TOOL_MISSING, tool="google-auth", remedy=remedy) from error
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE], request=cast(Any, _fetch))
    except (GoogleAuthError, OSError, ValueError) as error:
        problem = f"there are no credentials for it: {type(error).__name__} {error}"
        raise unavailable(place, " ".join(problem[:300].split()).rstrip(".")) from error
    return credentials
