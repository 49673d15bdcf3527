"""The fingerprint of certificates that a setting names: so that nobody puts others into that file unnoticed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.*?)-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL
)


def fingerprint(content: bytes) -> str:
    """SHA-256 (hex) over the certificates of a PEM file (RFC 7468), in whatever order; "" if there are none.

    A revocation list beside them is not in it: whoever revokes a certificate must not have to wait for anybody.
    """
    found = set[bytes]()
    for encoded in _CERTIFICATE.findall(content):
        try:
            found.add(hashlib.sha256(base64.b64decode(b"".join(encoded.split()), validate=True)).digest())
        except binascii.Error:
            # It is no certificate for anybody else either, and must not be a way to say the same otherwise.
            found.add(hashlib.sha256(b"unreadable" + encoded).digest())
    return hashlib.sha256(b"".join(sorted(found))).hexdigest() if found else ""
