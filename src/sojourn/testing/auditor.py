"""An auditor with a pack and nothing else, who checks what a decision was signed with (see evidence-pack.md)."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256


def entries_of(pack: bytes) -> list[dict[str, Any]]:
    """Every entry in an evidence pack, in order."""
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("entries/"))
        return [json.loads(archive.read(name)) for name in names]


def check_signature(decision: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """What the person of this entry has signed with the passkey of that one.

    Raises AssertionError for what does not belong together, InvalidSignature for what they have not signed.
    """
    confirmation, key = decision["body"]["confirmation"], added["body"]
    assert (confirmation["passkey"], decision["body"]["person"]) == (key["passkey"], key["person"])
    client_data, data = _bytes(confirmation["client_data"]), _bytes(confirmation["authenticator_data"])
    challenge = hashlib.sha256((confirmation["statement"] + confirmation["checkpoint"]).encode()).digest()
    client = json.loads(client_data)
    assert (client["type"], _bytes(client["challenge"])) == ("webauthn.get", challenge)
    assert data[:32] == hashlib.sha256(key["rp_id"].encode()).digest()
    assert data[32] & 0b101 == 0b101
    assert int(confirmation["checkpoint"].split("\n")[1]) <= decision["seq"]
    _verify(_bytes(key["public_key"]), _bytes(confirmation["signature"]), data + hashlib.sha256(client_data).digest())
    statement: dict[str, Any] = json.loads(confirmation["statement"])
    assert statement["person"] == key["person"]
    return statement


def _verify(cose: bytes, signature: bytes, signed: bytes) -> None:
    key = cbor2.loads(cose)
    if key[3] == -8:
        ed25519.Ed25519PublicKey.from_public_bytes(key[-2]).verify(signature, signed)
        return
    x, y = (int.from_bytes(key[label], "big") for label in (-2, -3))
    ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(signature, signed, ec.ECDSA(SHA256()))


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
