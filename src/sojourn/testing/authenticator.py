"""A software authenticator (WebAuthn level 3, CTAP 2): makes passkeys and answers with them, as a browser hands it on.

It knows nothing of how answers are checked. It can be made to misbehave: not to verify its user, to count backwards, or
to answer for any host, which it does not keep its passkeys apart by.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(slots=True)
class _Held:
    """One passkey in it."""

    credential: bytes
    user: bytes
    key: Key


@dataclass(slots=True)
class Authenticator:
    """An authenticator behind a browser that shows a page of `origin`.

    `counts` says whether it counts its uses, `verifies` whether it checks its user, `synced` whether its passkeys are
    copied to other devices; `edwards` makes Ed25519 keys instead of P-256.
    """

    origin: str
    counts: bool = True
    verifies: bool = True
    synced: bool = False
    edwards: bool = False
    uses: int = 0
    _held: list[_Held] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as `toJSON()` writes it."""
        excluded = {_bytes(one["id"]) for one in options.get("excludeCredentials", ())}
        assert not excluded & {one.credential for one in self._held}, "the authenticator has one for this account"
        key: Key = ed25519.Ed25519PrivateKey.generate() if self.edwards else ec.generate_private_key(ec.SECP256R1())
        seed = f"{id(self)}/{next(self._numbers)}/{options['challenge']}"
        held = _Held(hashlib.sha256(seed.encode()).digest(), _bytes(options["user"]["id"]), key)
        self._held.append(held)
        flags = ATTESTED | (ELIGIBLE | BACKED_UP if self.synced else 0)
        attested = bytes(16) + len(held.credential).to_bytes(2, "big") + held.credential + cbor2.dumps(_cose(key))
        data = self._data(options["rp"]["id"], flags) + attested
        client = self._client("webauthn.create", options["challenge"])
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            held, {"clientDataJSON": _text(client), "attestationObject": _text(attestation), "transports": ["internal"]}
        )

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, as `toJSON()` writes it: by the newest passkey that is allowed."""
        allowed = {_bytes(one["id"]) for one in options.get("allowCredentials", ())}
        held = next(one for one in reversed(self._held) if not allowed or one.credential in allowed)
        self.uses += 1
        data = self._data(options["rpId"], ELIGIBLE | BACKED_UP if self.synced else 0)
        client = self._client("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(client).digest()
        if isinstance(held.key, ed25519.Ed25519PrivateKey):
            signature = held.key.sign(signed)
        else:
            signature = held.key.sign(signed, ec.ECDSA(SHA256()))
        answered = {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(signature),
            "userHandle": _text(held.user),
        }
        return self._credential(held, answered)

    def _data(self, host: str, flags: int) -> bytes:
        """Authenticator data (section 6.1) up to its counter."""
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        counter = self.uses if self.counts else 0
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said, separators=(",", ":")).encode()

    def _credential(self, held: _Held, response: Mapping[str, Any]) -> dict[str, Any]:
        name = _text(held.credential)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": dict(response),
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }


def _cose(key: Key) -> dict[int, Any]:
    """The public key in COSE (RFC 9053, section 7)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: -8, -1: 6, -2: key.public_key().public_bytes_raw()}
    numbers = key.public_key().public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
