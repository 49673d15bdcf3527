"""One-time passwords by time (TOTP, RFC 6238) as every authenticator app makes them: SHA-1, six digits, 30 s."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
LENIENCE = 1
"""Codes of so many steps before and after the present one are taken: clocks differ, and people type (section 5.2)."""


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(moment: datetime) -> int:
    """The time step of a moment."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The newest step around `now` whose code this is, or None. Takes the same time whatever was typed."""
    typed = "".join(code.split()).encode("utf-8", "replace")
    present = step_of(now)
    steps = range(present - LENIENCE, present + LENIENCE + 1)
    found = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), typed)]
    return max(found, default=None)


def spelled(secret: bytes) -> str:
    """The secret as it is typed into an app: base 32, without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, person: str, issuer: str) -> str:
    """The `otpauth://` address that an app takes, also from a QR code."""
    query = urlencode({"secret": spelled(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(person, safe='')}?{query}"
