"""Signing with a key in the transit engine of OpenBao or HashiCorp Vault, over HTTP.

One version of the key is used, the one that was newest when it was first asked for: a rotation over there must not
change who signs our ledger without an entry. A call has a deadline, and nothing is tried again here.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

import httpx2

from sojourn.errors import Code, SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier, check_point

from .address import TransitAddress
from .kept import KeptKey, unavailable

SECONDS = 1.0
"""The scribe waits for a signature; what it signs a second later is as good."""

PUBLIC_BYTES = 32


def transit_key(address: TransitAddress, *, name: str, token: str, public: bytes | None = None) -> KeptKey:
    """The key at `address`, under the name of the ledger; with `public`, the version that has this public half.

    Raises SojournError `signing.unavailable` when the engine does not answer, or has no such key of Ed25519, and
    `signing.changed` when no version of it has the public half.
    """
    engine = _Engine(address=address, token=token)
    versions = engine.versions()
    newest = max(versions)
    if public is None:
        engine.version, public = newest, versions[newest]
    else:
        engine.version = next((one for one, held in versions.items() if held == public), 0)
        if not engine.version:
            found, pinned = (Verifier(name=name, public=one).vkey() for one in (versions[newest], public))
            raise SojournError(Code.SIGNING_CHANGED, vkey=found, pinned=pinned)
    return KeptKey(public=Verifier(name=name, public=public), place=engine.place, sign=engine.sign)


@dataclass(slots=True)
class _Engine:
    """One key of one engine, and which version of it signs."""

    address: TransitAddress
    token: str = field(repr=False)
    version: int = 0

    @property
    def place(self) -> str:
        """The key's name for people."""
        return f"key {self.address.key} of {self.address.base}/{self.address.mount}"

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`."""
        body = {"input": base64.b64encode(data).decode(), "key_version": self.version}
        answered = self._call("POST", "sign", body)
        try:
            _, _, signature = str(answered["signature"]).rpartition(":")
            return base64.b64decode(signature, validate=True)
        except (KeyError, binascii.Error, ValueError) as error:
            raise unavailable(self.place, "it answered something else than a signature") from error

    def versions(self) -> dict[int, bytes]:
        """The public key of each version; there is one at least."""
        held = self._call("GET", "keys", None)
        found: dict[int, bytes] = {}
        try:
            if held["type"] != "ed25519":
                raise LedgerError(f"its type is {held['type']}, and the ledger signs with ed25519")
            for version, told in held["keys"].items():
                public = base64.b64decode(told["public_key"], validate=True)
                if len(public) != PUBLIC_BYTES:
                    raise LedgerError("its public key has not 32 bytes")
                check_point(public)
                found[int(version)] = public
            max(found)
        except LedgerError as error:
            raise unavailable(self.place, str(error)) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unavailable(self.place, "it does not tell its public key") from error
        return found

    def _call(self, method: str, verb: str, body: dict[str, Any] | None) -> dict[str, Any]:
        url = f"{self.address.base}/v1/{self.address.mount}/{verb}/{self.address.key}"
        try:
            answered = httpx2.request(method, url, json=body, headers={"x-vault-token": self.token}, timeout=SECONDS)
            if answered.status_code != httpx2.codes.OK:
                raise unavailable(self.place, f"it answered {answered.status_code}")
            data = answered.json()["data"]
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unavailable(self.place, f"it does not answer: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise unavailable(self.place, "what answers is no transit engine") from error
        if not isinstance(data, dict):
            raise unavailable(self.place, "what answers is no transit engine")
        return data
